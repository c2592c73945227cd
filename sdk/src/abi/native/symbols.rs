//! The 37 symbols of the ABI, so that a native build links. Each translates pointers into slices and forwards to the installed [`Host`].

use std::{ptr, slice};

use super::{super::Status, Host, LocalReply, installed};

/// Runs `call` on the installed host; a thread without one answers as a host that implements nothing.
///
/// The answer is "internal failure", which the `proxy-wasm` crate can represent, not "unimplemented", which it cannot.
fn forward(call: impl FnOnce(&dyn Host) -> Status) -> u32 {
    installed().map_or(Status::INTERNAL_FAILURE, |host| call(host.as_ref())).as_raw()
}

/// The slice that a caller passed as pointer and length.
///
/// # Safety
///
/// `data` is null, or valid for reads of `size` bytes while the result lives.
unsafe fn bytes<'a>(data: *const u8, size: usize) -> &'a [u8] {
    if data.is_null() || size == 0 {
        return &[];
    }
    // SAFETY: the caller's promise.
    unsafe { slice::from_raw_parts(data, size) }
}

/// Hands bytes to the caller as a buffer of its own, as a host does through `proxy_on_memory_allocate`.
///
/// # Safety
///
/// Both pointers are null or valid for writes.
unsafe fn give(result: Result<Vec<u8>, Status>, return_data: *mut *mut u8, return_size: *mut usize) -> Status {
    let bytes = match result {
        Ok(bytes) => bytes,
        Err(status) => return status,
    };
    let size = bytes.len();
    let data = if size == 0 { ptr::null_mut() } else { Box::into_raw(bytes.into_boxed_slice()).cast() };
    // SAFETY: the caller's promise.
    unsafe {
        put(data, return_data);
        put(size, return_size);
    }
    Status::OK
}

/// Hands one value to the caller.
///
/// # Safety
///
/// The pointer is null or valid for writes.
unsafe fn put<T>(value: T, to: *mut T) {
    if !to.is_null() {
        // SAFETY: the caller's promise.
        unsafe { to.write(value) };
    }
}

/// As [`put`], for a call that may fail.
///
/// # Safety
///
/// The pointer is null or valid for writes.
unsafe fn put_ok<T>(result: Result<T, Status>, to: *mut T) -> Status {
    match result {
        Ok(value) => {
            // SAFETY: the caller's promise.
            unsafe { put(value, to) };
            Status::OK
        }
        Err(status) => status,
    }
}

#[unsafe(no_mangle)]
pub(in crate::abi) unsafe extern "C" fn proxy_log(level: u32, message: *const u8, message_size: usize) -> u32 {
    // SAFETY: pointer and length come from the caller as the ABI says.
    let message = unsafe { bytes(message, message_size) };
    forward(|host| host.log(level, message))
}

#[unsafe(no_mangle)]
pub(in crate::abi) unsafe extern "C" fn proxy_get_log_level(return_level: *mut u32) -> u32 {
    forward(|host| {
        // SAFETY: the caller passes a place for the result.
        unsafe { put_ok(host.log_level(), return_level) }
    })
}

#[unsafe(no_mangle)]
pub(in crate::abi) unsafe extern "C" fn proxy_get_current_time_nanoseconds(return_time: *mut u64) -> u32 {
    forward(|host| {
        // SAFETY: the caller passes a place for the result.
        unsafe { put_ok(host.current_time(), return_time) }
    })
}

#[unsafe(no_mangle)]
pub(in crate::abi) extern "C" fn proxy_set_tick_period_milliseconds(period: u32) -> u32 {
    forward(|host| host.set_tick_period(period))
}

#[unsafe(no_mangle)]
pub(in crate::abi) unsafe extern "C" fn proxy_get_buffer_bytes(
    buffer: u32,
    start: usize,
    max_size: usize,
    return_data: *mut *mut u8,
    return_size: *mut usize,
) -> u32 {
    forward(|host| {
        // SAFETY: the caller passes places for the result.
        unsafe { give(host.buffer(buffer, start, max_size), return_data, return_size) }
    })
}

#[unsafe(no_mangle)]
pub(in crate::abi) unsafe extern "C" fn proxy_set_buffer_bytes(buffer: u32, start: usize, size: usize, data: *const u8, data_size: usize) -> u32 {
    // SAFETY: pointer and length come from the caller as the ABI says.
    let data = unsafe { bytes(data, data_size) };
    forward(|host| host.set_buffer(buffer, start, size, data))
}

#[unsafe(no_mangle)]
pub(in crate::abi) unsafe extern "C" fn proxy_get_header_map_pairs(map: u32, return_data: *mut *mut u8, return_size: *mut usize) -> u32 {
    forward(|host| {
        // SAFETY: the caller passes places for the result.
        unsafe { give(host.header_pairs(map), return_data, return_size) }
    })
}

#[unsafe(no_mangle)]
pub(in crate::abi) unsafe extern "C" fn proxy_set_header_map_pairs(map: u32, data: *const u8, data_size: usize) -> u32 {
    // SAFETY: pointer and length come from the caller as the ABI says.
    let data = unsafe { bytes(data, data_size) };
    forward(|host| host.set_header_pairs(map, data))
}

#[unsafe(no_mangle)]
pub(in crate::abi) unsafe extern "C" fn proxy_get_header_map_value(
    map: u32,
    name: *const u8,
    name_size: usize,
    return_data: *mut *mut u8,
    return_size: *mut usize,
) -> u32 {
    // SAFETY: pointer and length come from the caller as the ABI says.
    let name = unsafe { bytes(name, name_size) };
    forward(|host| {
        // SAFETY: the caller passes places for the result.
        unsafe { give(host.header(map, name), return_data, return_size) }
    })
}

#[unsafe(no_mangle)]
pub(in crate::abi) unsafe extern "C" fn proxy_remove_header_map_value(map: u32, name: *const u8, name_size: usize) -> u32 {
    // SAFETY: pointer and length come from the caller as the ABI says.
    let name = unsafe { bytes(name, name_size) };
    forward(|host| host.remove_header(map, name))
}

#[unsafe(no_mangle)]
pub(in crate::abi) unsafe extern "C" fn proxy_replace_header_map_value(
    map: u32,
    name: *const u8,
    name_size: usize,
    value: *const u8,
    value_size: usize,
) -> u32 {
    // SAFETY: pointer and length come from the caller as the ABI says.
    let name = unsafe { bytes(name, name_size) };
    // SAFETY: pointer and length come from the caller as the ABI says.
    let value = unsafe { bytes(value, value_size) };
    forward(|host| host.replace_header(map, name, value))
}

#[unsafe(no_mangle)]
pub(in crate::abi) unsafe extern "C" fn proxy_add_header_map_value(
    map: u32,
    name: *const u8,
    name_size: usize,
    value: *const u8,
    value_size: usize,
) -> u32 {
    // SAFETY: pointer and length come from the caller as the ABI says.
    let name = unsafe { bytes(name, name_size) };
    // SAFETY: pointer and length come from the caller as the ABI says.
    let value = unsafe { bytes(value, value_size) };
    forward(|host| host.add_header(map, name, value))
}

#[unsafe(no_mangle)]
pub(in crate::abi) unsafe extern "C" fn proxy_get_property(
    path: *const u8,
    path_size: usize,
    return_data: *mut *mut u8,
    return_size: *mut usize,
) -> u32 {
    // SAFETY: pointer and length come from the caller as the ABI says.
    let path = unsafe { bytes(path, path_size) };
    forward(|host| {
        // SAFETY: the caller passes places for the result.
        unsafe { give(host.property(path), return_data, return_size) }
    })
}

#[unsafe(no_mangle)]
pub(in crate::abi) unsafe extern "C" fn proxy_set_property(path: *const u8, path_size: usize, value: *const u8, value_size: usize) -> u32 {
    // SAFETY: pointer and length come from the caller as the ABI says.
    let path = unsafe { bytes(path, path_size) };
    // SAFETY: pointer and length come from the caller as the ABI says.
    let value = unsafe { bytes(value, value_size) };
    forward(|host| host.set_property(path, value))
}

#[unsafe(no_mangle)]
pub(in crate::abi) unsafe extern "C" fn proxy_get_shared_data(
    key: *const u8,
    key_size: usize,
    return_data: *mut *mut u8,
    return_size: *mut usize,
    return_cas: *mut u32,
) -> u32 {
    // SAFETY: pointer and length come from the caller as the ABI says.
    let key = unsafe { bytes(key, key_size) };
    forward(|host| match host.shared_data(key) {
        Ok((value, cas)) => {
            // SAFETY: the caller passes places for the results.
            unsafe {
                put(cas, return_cas);
                give(Ok(value), return_data, return_size)
            }
        }
        Err(status) => status,
    })
}

#[unsafe(no_mangle)]
pub(in crate::abi) unsafe extern "C" fn proxy_set_shared_data(key: *const u8, key_size: usize, value: *const u8, value_size: usize, cas: u32) -> u32 {
    // SAFETY: pointer and length come from the caller as the ABI says.
    let key = unsafe { bytes(key, key_size) };
    // SAFETY: pointer and length come from the caller as the ABI says.
    let value = unsafe { bytes(value, value_size) };
    forward(|host| host.set_shared_data(key, value, cas))
}

#[unsafe(no_mangle)]
pub(in crate::abi) unsafe extern "C" fn proxy_register_shared_queue(name: *const u8, name_size: usize, return_id: *mut u32) -> u32 {
    // SAFETY: pointer and length come from the caller as the ABI says.
    let name = unsafe { bytes(name, name_size) };
    forward(|host| {
        // SAFETY: the caller passes a place for the result.
        unsafe { put_ok(host.register_queue(name), return_id) }
    })
}

#[unsafe(no_mangle)]
pub(in crate::abi) unsafe extern "C" fn proxy_resolve_shared_queue(
    vm_id: *const u8,
    vm_id_size: usize,
    name: *const u8,
    name_size: usize,
    return_id: *mut u32,
) -> u32 {
    // SAFETY: pointer and length come from the caller as the ABI says.
    let vm_id = unsafe { bytes(vm_id, vm_id_size) };
    // SAFETY: pointer and length come from the caller as the ABI says.
    let name = unsafe { bytes(name, name_size) };
    forward(|host| {
        // SAFETY: the caller passes a place for the result.
        unsafe { put_ok(host.resolve_queue(vm_id, name), return_id) }
    })
}

#[unsafe(no_mangle)]
pub(in crate::abi) unsafe extern "C" fn proxy_dequeue_shared_queue(queue: u32, return_data: *mut *mut u8, return_size: *mut usize) -> u32 {
    forward(|host| {
        // SAFETY: the caller passes places for the result.
        unsafe { give(host.dequeue(queue), return_data, return_size) }
    })
}

#[unsafe(no_mangle)]
pub(in crate::abi) unsafe extern "C" fn proxy_enqueue_shared_queue(queue: u32, value: *const u8, value_size: usize) -> u32 {
    // SAFETY: pointer and length come from the caller as the ABI says.
    let value = unsafe { bytes(value, value_size) };
    forward(|host| host.enqueue(queue, value))
}

#[unsafe(no_mangle)]
pub(in crate::abi) extern "C" fn proxy_continue_stream(stream: u32) -> u32 {
    forward(|host| host.continue_stream(stream))
}

#[unsafe(no_mangle)]
pub(in crate::abi) extern "C" fn proxy_close_stream(stream: u32) -> u32 {
    forward(|host| host.close_stream(stream))
}

#[unsafe(no_mangle)]
pub(in crate::abi) unsafe extern "C" fn proxy_send_local_response(
    status: u32,
    details: *const u8,
    details_size: usize,
    body: *const u8,
    body_size: usize,
    headers: *const u8,
    headers_size: usize,
    grpc_status: i32,
) -> u32 {
    // SAFETY: pointer and length come from the caller as the ABI says.
    let details = unsafe { bytes(details, details_size) };
    // SAFETY: pointer and length come from the caller as the ABI says.
    let body = unsafe { bytes(body, body_size) };
    // SAFETY: pointer and length come from the caller as the ABI says.
    let headers = unsafe { bytes(headers, headers_size) };
    forward(|host| host.send_local_response(LocalReply { status, details, body, headers, grpc_status }))
}

#[unsafe(no_mangle)]
pub(in crate::abi) unsafe extern "C" fn proxy_http_call(
    upstream: *const u8,
    upstream_size: usize,
    headers: *const u8,
    headers_size: usize,
    body: *const u8,
    body_size: usize,
    trailers: *const u8,
    trailers_size: usize,
    timeout: u32,
    return_token: *mut u32,
) -> u32 {
    // SAFETY: pointer and length come from the caller as the ABI says.
    let upstream = unsafe { bytes(upstream, upstream_size) };
    // SAFETY: pointer and length come from the caller as the ABI says.
    let headers = unsafe { bytes(headers, headers_size) };
    // SAFETY: pointer and length come from the caller as the ABI says.
    let body = unsafe { bytes(body, body_size) };
    // SAFETY: pointer and length come from the caller as the ABI says.
    let trailers = unsafe { bytes(trailers, trailers_size) };
    forward(|host| {
        // SAFETY: the caller passes a place for the result.
        unsafe { put_ok(host.http_call(upstream, headers, body, trailers, timeout), return_token) }
    })
}

#[unsafe(no_mangle)]
pub(in crate::abi) unsafe extern "C" fn proxy_grpc_call(
    upstream: *const u8,
    upstream_size: usize,
    service: *const u8,
    service_size: usize,
    method: *const u8,
    method_size: usize,
    metadata: *const u8,
    metadata_size: usize,
    message: *const u8,
    message_size: usize,
    timeout: u32,
    return_token: *mut u32,
) -> u32 {
    // SAFETY: pointer and length come from the caller as the ABI says.
    let upstream = unsafe { bytes(upstream, upstream_size) };
    // SAFETY: pointer and length come from the caller as the ABI says.
    let service = unsafe { bytes(service, service_size) };
    // SAFETY: pointer and length come from the caller as the ABI says.
    let method = unsafe { bytes(method, method_size) };
    // SAFETY: pointer and length come from the caller as the ABI says.
    let metadata = unsafe { bytes(metadata, metadata_size) };
    // SAFETY: pointer and length come from the caller as the ABI says.
    let message = unsafe { bytes(message, message_size) };
    forward(|host| {
        // SAFETY: the caller passes a place for the result.
        unsafe { put_ok(host.grpc_call(upstream, service, method, metadata, message, timeout), return_token) }
    })
}

#[unsafe(no_mangle)]
pub(in crate::abi) unsafe extern "C" fn proxy_grpc_stream(
    upstream: *const u8,
    upstream_size: usize,
    service: *const u8,
    service_size: usize,
    method: *const u8,
    method_size: usize,
    metadata: *const u8,
    metadata_size: usize,
    return_token: *mut u32,
) -> u32 {
    // SAFETY: pointer and length come from the caller as the ABI says.
    let upstream = unsafe { bytes(upstream, upstream_size) };
    // SAFETY: pointer and length come from the caller as the ABI says.
    let service = unsafe { bytes(service, service_size) };
    // SAFETY: pointer and length come from the caller as the ABI says.
    let method = unsafe { bytes(method, method_size) };
    // SAFETY: pointer and length come from the caller as the ABI says.
    let metadata = unsafe { bytes(metadata, metadata_size) };
    forward(|host| {
        // SAFETY: the caller passes a place for the result.
        unsafe { put_ok(host.grpc_stream(upstream, service, method, metadata), return_token) }
    })
}

#[unsafe(no_mangle)]
pub(in crate::abi) unsafe extern "C" fn proxy_grpc_send(token: u32, message: *const u8, message_size: usize, end_stream: bool) -> u32 {
    // SAFETY: pointer and length come from the caller as the ABI says.
    let message = unsafe { bytes(message, message_size) };
    forward(|host| host.grpc_send(token, message, end_stream))
}

#[unsafe(no_mangle)]
pub(in crate::abi) extern "C" fn proxy_grpc_cancel(token: u32) -> u32 {
    forward(|host| host.grpc_cancel(token))
}

#[unsafe(no_mangle)]
pub(in crate::abi) extern "C" fn proxy_grpc_close(token: u32) -> u32 {
    forward(|host| host.grpc_close(token))
}

#[unsafe(no_mangle)]
pub(in crate::abi) unsafe extern "C" fn proxy_get_status(return_code: *mut u32, return_data: *mut *mut u8, return_size: *mut usize) -> u32 {
    forward(|host| match host.call_status() {
        Ok((code, message)) => {
            // SAFETY: the caller passes places for the results.
            unsafe {
                put(code, return_code);
                give(Ok(message), return_data, return_size)
            }
        }
        Err(status) => status,
    })
}

#[unsafe(no_mangle)]
pub(in crate::abi) extern "C" fn proxy_set_effective_context(context: u32) -> u32 {
    forward(|host| host.set_effective_context(context))
}

#[unsafe(no_mangle)]
pub(in crate::abi) extern "C" fn proxy_done() -> u32 {
    forward(|host| host.done())
}

#[unsafe(no_mangle)]
pub(in crate::abi) unsafe extern "C" fn proxy_call_foreign_function(
    name: *const u8,
    name_size: usize,
    argument: *const u8,
    argument_size: usize,
    return_data: *mut *mut u8,
    return_size: *mut usize,
) -> u32 {
    // SAFETY: pointer and length come from the caller as the ABI says.
    let name = unsafe { bytes(name, name_size) };
    // SAFETY: pointer and length come from the caller as the ABI says.
    let argument = unsafe { bytes(argument, argument_size) };
    forward(|host| {
        // SAFETY: the caller passes places for the result.
        unsafe { give(host.foreign_function(name, argument), return_data, return_size) }
    })
}

#[unsafe(no_mangle)]
pub(in crate::abi) unsafe extern "C" fn proxy_define_metric(kind: u32, name: *const u8, name_size: usize, return_id: *mut u32) -> u32 {
    // SAFETY: pointer and length come from the caller as the ABI says.
    let name = unsafe { bytes(name, name_size) };
    forward(|host| {
        // SAFETY: the caller passes a place for the result.
        unsafe { put_ok(host.define_metric(kind, name), return_id) }
    })
}

#[unsafe(no_mangle)]
pub(in crate::abi) unsafe extern "C" fn proxy_get_metric(metric: u32, return_value: *mut u64) -> u32 {
    forward(|host| {
        // SAFETY: the caller passes a place for the result.
        unsafe { put_ok(host.metric(metric), return_value) }
    })
}

#[unsafe(no_mangle)]
pub(in crate::abi) extern "C" fn proxy_record_metric(metric: u32, value: u64) -> u32 {
    forward(|host| host.record_metric(metric, value))
}

#[unsafe(no_mangle)]
pub(in crate::abi) extern "C" fn proxy_increment_metric(metric: u32, offset: i64) -> u32 {
    forward(|host| host.increment_metric(metric, offset))
}
