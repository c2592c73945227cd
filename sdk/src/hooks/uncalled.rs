//! The methods of `proxy-wasm`'s traits that call the proxy, which nobody calls here: the SDK has its own.
//!
//! A trait object has all methods of its trait, so that each of these would be in every module, with all that it reaches. Methods that do nothing in their place take 21 KB off a filter's module.

/// Methods that do nothing, by their signatures.
macro_rules! nothing {
    ($(($($argument:ty),*) $(-> $result:ty)?: $($name:ident)+;)+) => {
        $($crate::hooks::uncalled::nothing! { @each ($($argument),*) ($($result)?) $($name)+ })+
    };
    (@each $arguments:tt $result:tt $($name:ident)+) => {
        $($crate::hooks::uncalled::nothing! { @one $arguments $result $name })+
    };
    (@one ($($argument:ty),*) () $name:ident) => {
        fn $name(&self $(, _: $argument)*) {}
    };
    (@one ($($argument:ty),*) ($result:ty) $name:ident) => {
        fn $name(&self $(, _: $argument)*) -> $result {
            $crate::hooks::uncalled::Nothing::nothing()
        }
    };
}

/// Those of `Context`.
macro_rules! context {
    () => {
        $crate::hooks::uncalled::nothing! {
            () -> SystemTime: get_current_time;
            (Vec<&str>) -> Option<Bytes>: get_property;
            (Vec<&str>, Option<&[u8]>): set_property;
            (&str) -> (Option<Bytes>, Option<u32>): get_shared_data;
            (&str, Option<&[u8]>, Option<u32>) -> Result<(), Status>: set_shared_data;
            (&str, Option<u32>) -> Result<(), Status>: remove_shared_data;
            (&str) -> u32: register_shared_queue;
            (&str, &str) -> Option<u32>: resolve_shared_queue;
            (u32) -> Result<Option<Bytes>, Status>: dequeue_shared_queue;
            (u32, Option<&[u8]>) -> Result<(), Status>: enqueue_shared_queue;
            (&str, Vec<(&str, &str)>, Option<&[u8]>, Vec<(&str, &str)>, Duration) -> Result<u32, Status>: dispatch_http_call;
            (&str, &str, &str, Vec<(&str, &[u8])>, Option<&[u8]>, Duration) -> Result<u32, Status>: dispatch_grpc_call;
            (&str, &str, &str, Vec<(&str, &[u8])>) -> Result<u32, Status>: open_grpc_stream;
            () -> Vec<(String, String)>: get_http_call_response_headers get_http_call_response_trailers;
            () -> Vec<(String, Bytes)>: get_http_call_response_headers_bytes get_http_call_response_trailers_bytes
                get_grpc_stream_initial_metadata get_grpc_stream_trailing_metadata;
            (&str) -> Option<String>: get_http_call_response_header get_http_call_response_trailer;
            (&str) -> Option<Bytes>: get_http_call_response_header_bytes get_http_call_response_trailer_bytes
                get_grpc_stream_initial_metadata_value get_grpc_stream_trailing_metadata_value;
            (usize, usize) -> Option<Bytes>: get_http_call_response_body get_grpc_call_response_body;
            (u32): cancel_grpc_call cancel_grpc_stream close_grpc_stream;
            (u32, Option<&[u8]>, bool): send_grpc_stream_message;
            () -> (u32, Option<String>): get_grpc_status;
            (&str, Option<&[u8]>) -> Result<Option<Bytes>, Status>: call_foreign_function;
            (): done;
        }

        fn get_grpc_stream_message(&mut self, _: usize, _: usize) -> Option<Bytes> {
            None
        }
    };
}

/// Those of `RootContext`.
macro_rules! root {
    () => {
        $crate::hooks::uncalled::nothing! {
            () -> Option<Bytes>: get_vm_configuration get_plugin_configuration;
            (Duration): set_tick_period;
        }
    };
}

/// Those of `HttpContext`.
macro_rules! http {
    () => {
        $crate::hooks::uncalled::nothing! {
            () -> Vec<(String, String)>: get_http_request_headers get_http_request_trailers get_http_response_headers get_http_response_trailers;
            () -> Vec<(String, Bytes)>: get_http_request_headers_bytes get_http_request_trailers_bytes
                get_http_response_headers_bytes get_http_response_trailers_bytes;
            (Vec<(&str, &str)>): set_http_request_headers set_http_request_trailers set_http_response_headers set_http_response_trailers;
            (Vec<(&str, &[u8])>): set_http_request_headers_bytes set_http_request_trailers_bytes
                set_http_response_headers_bytes set_http_response_trailers_bytes;
            (&str) -> Option<String>: get_http_request_header get_http_request_trailer get_http_response_header get_http_response_trailer;
            (&str) -> Option<Bytes>: get_http_request_header_bytes get_http_request_trailer_bytes
                get_http_response_header_bytes get_http_response_trailer_bytes;
            (&str, Option<&str>): set_http_request_header set_http_request_trailer set_http_response_header set_http_response_trailer;
            (&str, Option<&[u8]>): set_http_request_header_bytes set_http_request_trailer_bytes
                set_http_response_header_bytes set_http_response_trailer_bytes;
            (&str, &str): add_http_request_header add_http_request_trailer add_http_response_header add_http_response_trailer;
            (&str, &[u8]): add_http_request_header_bytes add_http_request_trailer_bytes
                add_http_response_header_bytes add_http_response_trailer_bytes;
            (&str): remove_http_request_header remove_http_request_trailer remove_http_response_header remove_http_response_trailer;
            (usize, usize) -> Option<Bytes>: get_http_request_body get_http_response_body;
            (usize, usize, &[u8]): set_http_request_body set_http_response_body;
            (): resume_http_request reset_http_request resume_http_response reset_http_response;
            (u32, Vec<(&str, &str)>, Option<&[u8]>): send_http_response;
            (GrpcStatusCode, Option<&str>, Vec<(&str, &[u8])>): send_grpc_response;
        }
    };
}

/// Those of `StreamContext`.
macro_rules! connection {
    () => {
        $crate::hooks::uncalled::nothing! {
            (usize, usize) -> Option<Bytes>: get_downstream_data get_upstream_data;
            (usize, usize, &[u8]): set_downstream_data set_upstream_data;
            (): resume_downstream resume_upstream close_downstream close_upstream;
        }
    };
}

pub(super) use {connection, context, http, nothing, root};

use std::time::SystemTime;

use proxy_wasm::types::Status;

/// What they return.
pub(super) trait Nothing {
    fn nothing() -> Self;
}

macro_rules! default {
    ($(($($parameter:ident)?) $type:ty),+) => {
        $(impl$(<$parameter>)? Nothing for $type {
            fn nothing() -> Self {
                Self::default()
            }
        })+
    };
}

default!((T) Option<T>, (T) Vec<T>, () u32);

impl Nothing for SystemTime {
    fn nothing() -> Self {
        Self::UNIX_EPOCH
    }
}

impl<T> Nothing for Result<T, Status> {
    fn nothing() -> Self {
        Err(Status::InternalFailure)
    }
}

impl<A: Nothing, B: Nothing> Nothing for (A, B) {
    fn nothing() -> Self {
        (A::nothing(), B::nothing())
    }
}
