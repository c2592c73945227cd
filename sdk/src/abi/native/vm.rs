//! The other direction: what a proxy calls in a module, for a [`Host`](super::Host) that plays the proxy in this process.
//!
//! These are the exports of `proxy-wasm`'s dispatcher, so that a filter runs natively through the very code that it runs through in a proxy. Each thread is a VM: call
//! [`initialize`] first, within [`enter`](super::enter), and then what a proxy calls, in a proxy's order. The dispatcher panics on a context that it does not know, and that
//! panic aborts the process: it is a fault of the host. A panic of a filter does not get that far; the host is told of it.

macro_rules! exports {
    ($($(#[$doc:meta])* $name:ident as $safe:ident($($argument:ident: $type:ty),*) $(-> $result:ty)?;)*) => {
        mod exports {
            unsafe extern "C" {
                $(pub(super) safe fn $name($($argument: $type),*) $(-> $result)?;)*
            }
        }

        $($(#[$doc])* pub fn $safe($($argument: $type),*) $(-> $result)? {
            exports::$name($($argument),*)
        })*
    };
}

exports! {
    /// `_initialize`: the VM has been made.
    _initialize as initialize();
    /// `proxy_on_context_create`; a `parent` of 0 makes a root context.
    proxy_on_context_create as on_context_create(context: u32, parent: u32);
    /// `proxy_on_vm_start`.
    proxy_on_vm_start as on_vm_start(root: u32, configuration_size: usize) -> bool;
    /// `proxy_on_configure`.
    proxy_on_configure as on_configure(root: u32, configuration_size: usize) -> bool;
    /// `proxy_on_tick`.
    proxy_on_tick as on_tick(root: u32);
    /// `proxy_on_queue_ready`.
    proxy_on_queue_ready as on_queue_ready(root: u32, queue: u32);
    /// `proxy_on_request_headers`; 0 continues, 1 pauses.
    proxy_on_request_headers as on_request_headers(context: u32, headers: usize, end_of_stream: bool) -> u32;
    /// `proxy_on_request_body`; 0 continues, 1 pauses.
    proxy_on_request_body as on_request_body(context: u32, size: usize, end_of_stream: bool) -> u32;
    /// `proxy_on_request_trailers`; 0 continues, 1 pauses.
    proxy_on_request_trailers as on_request_trailers(context: u32, trailers: usize) -> u32;
    /// `proxy_on_response_headers`; 0 continues, 1 pauses.
    proxy_on_response_headers as on_response_headers(context: u32, headers: usize, end_of_stream: bool) -> u32;
    /// `proxy_on_response_body`; 0 continues, 1 pauses.
    proxy_on_response_body as on_response_body(context: u32, size: usize, end_of_stream: bool) -> u32;
    /// `proxy_on_response_trailers`; 0 continues, 1 pauses.
    proxy_on_response_trailers as on_response_trailers(context: u32, trailers: usize) -> u32;
    /// `proxy_on_new_connection`; 0 continues, 1 pauses.
    proxy_on_new_connection as on_new_connection(context: u32) -> u32;
    /// `proxy_on_downstream_data`; 0 continues, 1 pauses.
    proxy_on_downstream_data as on_downstream_data(context: u32, size: usize, end_of_stream: bool) -> u32;
    /// `proxy_on_upstream_data`; 0 continues, 1 pauses.
    proxy_on_upstream_data as on_upstream_data(context: u32, size: usize, end_of_stream: bool) -> u32;
    /// `proxy_on_upstream_connection_close`; by nobody knows whom (0), the proxy (1), or the other side (2).
    proxy_on_upstream_connection_close as on_upstream_connection_close(context: u32, by: u32);
    /// `proxy_on_downstream_connection_close`; by whom, as for [`on_upstream_connection_close`].
    proxy_on_downstream_connection_close as on_downstream_connection_close(context: u32, by: u32);
    /// `proxy_on_http_call_response`; no headers mean that it failed.
    proxy_on_http_call_response as on_http_call_response(root: u32, token: u32, headers: usize, body_size: usize, trailers: usize);
    /// `proxy_on_grpc_receive_initial_metadata`.
    proxy_on_grpc_receive_initial_metadata as on_grpc_receive_initial_metadata(root: u32, token: u32, headers: u32);
    /// `proxy_on_grpc_receive`.
    proxy_on_grpc_receive as on_grpc_receive(root: u32, token: u32, message_size: usize);
    /// `proxy_on_grpc_receive_trailing_metadata`.
    proxy_on_grpc_receive_trailing_metadata as on_grpc_receive_trailing_metadata(root: u32, token: u32, trailers: u32);
    /// `proxy_on_grpc_close`.
    proxy_on_grpc_close as on_grpc_close(root: u32, token: u32, status: u32);
    /// `proxy_on_log`.
    proxy_on_log as on_log(context: u32);
    /// `proxy_on_done`.
    proxy_on_done as on_done(context: u32) -> bool;
    /// `proxy_on_delete`.
    proxy_on_delete as on_delete(context: u32);
}
