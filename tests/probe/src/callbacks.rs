//! The exports.

use crate::script::{bool_of, configure, run, see, set_root, set_stream};

#[unsafe(no_mangle)]
extern "C" fn proxy_abi_version_0_2_1() {}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_memory_allocate(size: usize) -> *mut u8 {
    Box::into_raw(vec![0_u8; size].into_boxed_slice()).cast()
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_context_create(context: u32, parent: u32) {
    if parent == 0 {
        set_root(context);
    } else {
        set_stream(context);
        run("context_create", &[]);
    }
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_vm_start(_: u32, _: usize) -> u32 {
    1
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_configure(_: u32, size: u32) -> u32 {
    configure(size);
    bool_of(run("configure", &[]))
}

macro_rules! callbacks {
    ($($export:ident = $name:literal ($($argument:ident),*) $(stream $stream:ident)?;)*) => {
        $(#[unsafe(no_mangle)]
        extern "C" fn $export($($argument: u32),*) -> u32 {
            $(see($stream);)?
            run($name, &[$($argument),*])
        })*
    };
}

macro_rules! events {
    ($($export:ident = $name:literal ($root:ident $(, $argument:ident)*);)*) => {
        $(#[unsafe(no_mangle)]
        extern "C" fn $export($root: u32 $(, $argument: u32)*) {
            let _ = $root;
            run($name, &[$($argument),*]);
        })*
    };
}

callbacks! {
    proxy_on_request_headers = "request_headers" (context, count, end) stream context;
    proxy_on_request_body = "request_body" (context, size, end) stream context;
    proxy_on_request_trailers = "request_trailers" (context, count) stream context;
    proxy_on_response_headers = "response_headers" (context, count, end) stream context;
    proxy_on_response_body = "response_body" (context, size, end) stream context;
    proxy_on_response_trailers = "response_trailers" (context, count) stream context;
    proxy_on_new_connection = "new_connection" (context) stream context;
    proxy_on_downstream_data = "downstream_data" (context, size, end) stream context;
    proxy_on_upstream_data = "upstream_data" (context, size, end) stream context;
}

events! {
    proxy_on_downstream_connection_close = "downstream_close" (context, peer);
    proxy_on_upstream_connection_close = "upstream_close" (context, peer);
    proxy_on_log = "log" (context);
    proxy_on_delete = "delete" (context);
    proxy_on_tick = "tick" (root);
    proxy_on_queue_ready = "queue_ready" (root, queue);
    proxy_on_http_call_response = "http_call_response" (root, token, headers, size, trailers);
    proxy_on_grpc_receive_initial_metadata = "grpc_receive_initial_metadata" (root, token, count);
    proxy_on_grpc_receive = "grpc_receive" (root, token, size);
    proxy_on_grpc_receive_trailing_metadata = "grpc_receive_trailing_metadata" (root, token, count);
    proxy_on_grpc_close = "grpc_close" (root, token, status);
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_done(_: u32) -> u32 {
    1 - run("done", &[]).min(1)
}
