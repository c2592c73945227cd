//! What the arguments of each function are.

/// What an argument is, and so how two hosts' are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Each VM lays out its memory as it likes.
    Pointer,
    /// A number that means the same to all: an enum, a count, a length, a flag.
    Number,
    /// The same in 64 bits.
    Long,
    /// A number that only says which one: these are told apart, and what they are is each proxy's own.
    Context,
    Token,
    Queue,
    Metric,
    Version,
}

/// The callbacks and host functions of the ABI, with a letter for each argument. What is not here (WASI) has only pointers, or none that matter.
const FUNCTIONS: &[(&str, &str)] = &[
    ("proxy_on_context_create", "cc"),
    ("proxy_on_vm_start", "cn"),
    ("proxy_on_configure", "cn"),
    ("proxy_on_tick", "c"),
    ("proxy_on_queue_ready", "cq"),
    ("proxy_on_request_headers", "cnn"),
    ("proxy_on_request_body", "cnn"),
    ("proxy_on_request_trailers", "cn"),
    ("proxy_on_response_headers", "cnn"),
    ("proxy_on_response_body", "cnn"),
    ("proxy_on_response_trailers", "cn"),
    ("proxy_on_new_connection", "c"),
    ("proxy_on_downstream_data", "cnn"),
    ("proxy_on_upstream_data", "cnn"),
    ("proxy_on_downstream_connection_close", "cn"),
    ("proxy_on_upstream_connection_close", "cn"),
    ("proxy_on_http_call_response", "ctnnn"),
    ("proxy_on_grpc_receive_initial_metadata", "ctn"),
    ("proxy_on_grpc_receive", "ctn"),
    ("proxy_on_grpc_receive_trailing_metadata", "ctn"),
    ("proxy_on_grpc_close", "ctn"),
    ("proxy_on_log", "c"),
    ("proxy_on_done", "c"),
    ("proxy_on_delete", "c"),
    ("proxy_log", "npn"),
    ("proxy_get_log_level", "p"),
    ("proxy_get_current_time_nanoseconds", "p"),
    ("proxy_set_tick_period_milliseconds", "n"),
    ("proxy_get_buffer_bytes", "nnnpp"),
    ("proxy_get_buffer_status", "npp"),
    ("proxy_set_buffer_bytes", "nnnpn"),
    ("proxy_get_header_map_size", "np"),
    ("proxy_get_header_map_pairs", "npp"),
    ("proxy_set_header_map_pairs", "npn"),
    ("proxy_get_header_map_value", "npnpp"),
    ("proxy_add_header_map_value", "npnpn"),
    ("proxy_replace_header_map_value", "npnpn"),
    ("proxy_remove_header_map_value", "npn"),
    ("proxy_get_property", "pnpp"),
    ("proxy_set_property", "pnpn"),
    ("proxy_get_shared_data", "pnppp"),
    ("proxy_set_shared_data", "pnpnv"),
    ("proxy_register_shared_queue", "pnp"),
    ("proxy_resolve_shared_queue", "pnpnp"),
    ("proxy_dequeue_shared_queue", "qpp"),
    ("proxy_enqueue_shared_queue", "qpn"),
    ("proxy_continue_stream", "n"),
    ("proxy_close_stream", "n"),
    ("proxy_send_local_response", "npnpnpnn"),
    ("proxy_http_call", "pnpnpnpnnp"),
    ("proxy_grpc_call", "pnpnpnpnpnnp"),
    ("proxy_grpc_stream", "pnpnpnpnp"),
    ("proxy_grpc_send", "tpnn"),
    ("proxy_grpc_cancel", "t"),
    ("proxy_grpc_close", "t"),
    ("proxy_get_status", "ppp"),
    ("proxy_set_effective_context", "c"),
    ("proxy_done", ""),
    ("proxy_call_foreign_function", "pnpnpp"),
    ("proxy_define_metric", "npnp"),
    ("proxy_get_metric", "mp"),
    ("proxy_record_metric", "ml"),
    ("proxy_increment_metric", "ml"),
];

/// What the arguments of a function are.
pub(super) fn kinds(name: &str) -> Vec<Kind> {
    let letters = FUNCTIONS.iter().find(|(known, _)| *known == name).map_or("", |(_, letters)| letters);
    let kind = |letter| match letter {
        'n' => Kind::Number,
        'l' => Kind::Long,
        'c' => Kind::Context,
        't' => Kind::Token,
        'q' => Kind::Queue,
        'm' => Kind::Metric,
        'v' => Kind::Version,
        _ => Kind::Pointer,
    };
    letters.chars().map(kind).collect()
}
