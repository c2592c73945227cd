//! The host functions that the SDK calls itself, as imports of the module. Only what is called here ends up in the import section.

#[link(wasm_import_module = "env")]
unsafe extern "C" {
    pub(super) fn proxy_log(level: u32, message: *const u8, message_size: usize) -> u32;
    pub(super) fn proxy_get_log_level(return_level: *mut u32) -> u32;
    pub(super) fn proxy_get_current_time_nanoseconds(return_time: *mut u64) -> u32;
    pub(super) safe fn proxy_set_tick_period_milliseconds(period: u32) -> u32;
    pub(super) fn proxy_get_buffer_bytes(buffer: u32, start: usize, max_size: usize, return_data: *mut *mut u8, return_size: *mut usize) -> u32;
    pub(super) fn proxy_set_buffer_bytes(buffer: u32, start: usize, size: usize, data: *const u8, data_size: usize) -> u32;
    pub(super) fn proxy_get_header_map_pairs(map: u32, return_data: *mut *mut u8, return_size: *mut usize) -> u32;
    pub(super) fn proxy_get_header_map_value(map: u32, name: *const u8, name_size: usize, return_data: *mut *mut u8, return_size: *mut usize) -> u32;
    pub(super) fn proxy_add_header_map_value(map: u32, name: *const u8, name_size: usize, value: *const u8, value_size: usize) -> u32;
    pub(super) fn proxy_replace_header_map_value(map: u32, name: *const u8, name_size: usize, value: *const u8, value_size: usize) -> u32;
    pub(super) fn proxy_remove_header_map_value(map: u32, name: *const u8, name_size: usize) -> u32;
    pub(super) fn proxy_get_property(path: *const u8, path_size: usize, return_data: *mut *mut u8, return_size: *mut usize) -> u32;
    pub(super) fn proxy_set_property(path: *const u8, path_size: usize, value: *const u8, value_size: usize) -> u32;
    pub(super) fn proxy_get_shared_data(
        key: *const u8,
        key_size: usize,
        return_data: *mut *mut u8,
        return_size: *mut usize,
        return_cas: *mut u32,
    ) -> u32;
    pub(super) fn proxy_set_shared_data(key: *const u8, key_size: usize, value: *const u8, value_size: usize, cas: u32) -> u32;
    pub(super) fn proxy_register_shared_queue(name: *const u8, name_size: usize, return_id: *mut u32) -> u32;
    pub(super) fn proxy_resolve_shared_queue(vm_id: *const u8, vm_id_size: usize, name: *const u8, name_size: usize, return_id: *mut u32) -> u32;
    pub(super) fn proxy_dequeue_shared_queue(queue: u32, return_data: *mut *mut u8, return_size: *mut usize) -> u32;
    pub(super) fn proxy_enqueue_shared_queue(queue: u32, value: *const u8, value_size: usize) -> u32;
    pub(super) safe fn proxy_continue_stream(stream: u32) -> u32;
    pub(super) safe fn proxy_close_stream(stream: u32) -> u32;
    pub(super) fn proxy_send_local_response(
        status: u32,
        details: *const u8,
        details_size: usize,
        body: *const u8,
        body_size: usize,
        headers: *const u8,
        headers_size: usize,
        grpc_status: i32,
    ) -> u32;
    pub(super) safe fn proxy_set_effective_context(context: u32) -> u32;
    pub(super) fn proxy_define_metric(kind: u32, name: *const u8, name_size: usize, return_id: *mut u32) -> u32;
    pub(super) safe fn proxy_increment_metric(metric: u32, offset: i64) -> u32;
    pub(super) safe fn proxy_record_metric(metric: u32, value: u64) -> u32;
    pub(super) fn proxy_get_metric(metric: u32, return_value: *mut u64) -> u32;
    pub(super) fn proxy_grpc_send(token: u32, message: *const u8, message_size: usize, end_of_stream: bool) -> u32;
    pub(super) safe fn proxy_grpc_cancel(token: u32) -> u32;
    pub(super) safe fn proxy_grpc_close(token: u32) -> u32;
    pub(super) fn proxy_call_foreign_function(
        name: *const u8,
        name_size: usize,
        argument: *const u8,
        argument_size: usize,
        return_data: *mut *mut u8,
        return_size: *mut usize,
    ) -> u32;
    pub(super) fn proxy_get_status(return_code: *mut u32, return_data: *mut *mut u8, return_size: *mut usize) -> u32;
}

#[link(wasm_import_module = "wasi_snapshot_preview1")]
unsafe extern "C" {
    pub(super) fn clock_time_get(clock: u32, precision: u64, return_time: *mut u64) -> u16;
    pub(super) fn random_get(data: *mut u8, size: usize) -> u16;
}
