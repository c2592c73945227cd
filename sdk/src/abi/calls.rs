//! One safe function per host function.

use std::{ptr, slice};

use super::{BufferType, MapType, MetricType, Status, StreamType, sys};

/// Writes one line to the proxy's log.
pub(crate) fn log(level: u32, message: &str) -> Result<(), Status> {
    // SAFETY: pointer and length are those of a live slice, which the host only reads.
    Status::from_raw(unsafe { sys::proxy_log(level, message.as_ptr(), message.len()) }).ok()
}

/// The level of the proxy's `wasm` logger; 6 is "off".
pub(crate) fn log_level() -> Result<u32, Status> {
    let mut level = 0;
    // SAFETY: the host writes one u32 to a live local.
    Status::from_raw(unsafe { sys::proxy_get_log_level(&raw mut level) }).ok()?;
    Ok(level)
}

/// Sets the tick of the root context that the effective context belongs to; zero stops it.
pub(crate) fn set_tick_period(milliseconds: u32) -> Result<(), Status> {
    Status::from_raw(sys::proxy_set_tick_period_milliseconds(milliseconds)).ok()
}

/// Up to `max` bytes of a buffer from `start` on; fewer if the buffer is shorter.
pub(crate) fn buffer(buffer: BufferType, start: usize, max: usize) -> Result<Vec<u8>, Status> {
    // SAFETY: `receive` passes two live locals for the host to write to.
    unsafe { receive(|data, size| sys::proxy_get_buffer_bytes(buffer as u32, start, max, data, size)) }
}

/// All `size` bytes of a buffer; fewer are an error, since half of it must not pass for the whole.
pub(crate) fn whole_buffer(buffer_type: BufferType, size: usize) -> Result<Vec<u8>, Status> {
    if size == 0 {
        return Ok(Vec::new());
    }
    exact_buffer(buffer_type, 0, size)
}

/// `size` bytes of a buffer from `start` on; fewer are an error.
pub(crate) fn exact_buffer(buffer_type: BufferType, start: usize, size: usize) -> Result<Vec<u8>, Status> {
    buffer(buffer_type, start, size).and_then(|bytes| if bytes.len() == size { Ok(bytes) } else { Err(Status::RESULT_MISMATCH) })
}

/// Replaces `size` bytes of a buffer from `start` on by `bytes`.
pub(crate) fn replace_buffer(buffer: BufferType, start: usize, size: usize, bytes: &[u8]) -> Result<(), Status> {
    // SAFETY: pointer and length are those of a live slice, which the host only reads.
    Status::from_raw(unsafe { sys::proxy_set_buffer_bytes(buffer as u32, start, size, bytes.as_ptr(), bytes.len()) }).ok()
}

/// All pairs of a map, in the format that [`Pairs`](super::Pairs) reads.
pub(crate) fn header_pairs(map: MapType) -> Result<Vec<u8>, Status> {
    // SAFETY: `receive` passes two live locals for the host to write to.
    unsafe { receive(|data, size| sys::proxy_get_header_map_pairs(map as u32, data, size)) }
}

/// The first value of a name.
pub(crate) fn header(map: MapType, name: &[u8]) -> Result<Vec<u8>, Status> {
    // SAFETY: the name is a live slice; `receive` passes two live locals for the host to write to.
    unsafe { receive(|data, size| sys::proxy_get_header_map_value(map as u32, name.as_ptr(), name.len(), data, size)) }
}

/// Adds a value behind those that a name has.
pub(crate) fn add_header(map: MapType, name: &[u8], value: &[u8]) -> Result<(), Status> {
    // SAFETY: both are live slices, which the host only reads.
    Status::from_raw(unsafe { sys::proxy_add_header_map_value(map as u32, name.as_ptr(), name.len(), value.as_ptr(), value.len()) }).ok()
}

/// Puts one value in the place of all that a name has.
pub(crate) fn replace_header(map: MapType, name: &[u8], value: &[u8]) -> Result<(), Status> {
    // SAFETY: both are live slices, which the host only reads.
    Status::from_raw(unsafe { sys::proxy_replace_header_map_value(map as u32, name.as_ptr(), name.len(), value.as_ptr(), value.len()) }).ok()
}

/// Removes all values of a name.
pub(crate) fn remove_header(map: MapType, name: &[u8]) -> Result<(), Status> {
    // SAFETY: the name is a live slice, which the host only reads.
    Status::from_raw(unsafe { sys::proxy_remove_header_map_value(map as u32, name.as_ptr(), name.len()) }).ok()
}

/// A property by its path, whose segments are separated by NUL.
pub(crate) fn property(path: &[u8]) -> Result<Vec<u8>, Status> {
    // SAFETY: the path is a live slice; `receive` passes two live locals for the host to write to.
    unsafe { receive(|data, size| sys::proxy_get_property(path.as_ptr(), path.len(), data, size)) }
}

/// Puts filter state under `wasm.` and the name, for the effective stream.
pub(crate) fn set_property(name: &[u8], value: &[u8]) -> Result<(), Status> {
    // SAFETY: both are live slices, which the host only reads.
    Status::from_raw(unsafe { sys::proxy_set_property(name.as_ptr(), name.len(), value.as_ptr(), value.len()) }).ok()
}

/// What the VMs of one `vm_id` share under a key, and the number of its last change.
pub(crate) fn shared_data(key: &[u8]) -> Result<(Vec<u8>, u32), Status> {
    let mut cas = 0;
    // SAFETY: the key is a live slice; `receive` passes two live locals for the host to write to, and the number goes to a third.
    let value = unsafe { receive(|data, size| sys::proxy_get_shared_data(key.as_ptr(), key.len(), data, size, &raw mut cas)) }?;
    Ok((value, cas))
}

/// Sets what is shared under a key, if `cas` is 0, or the number of its last change, or there is nothing yet.
pub(crate) fn set_shared_data(key: &[u8], value: &[u8], cas: u32) -> Result<(), Status> {
    // SAFETY: both are live slices, which the host only reads.
    Status::from_raw(unsafe { sys::proxy_set_shared_data(key.as_ptr(), key.len(), value.as_ptr(), value.len(), cas) }).ok()
}

/// The id of the queue of this name, which is made if there is none. From now on this VM's root context hears of its messages, and no other.
pub(crate) fn register_queue(name: &[u8]) -> Result<u32, Status> {
    let mut id = 0;
    // SAFETY: the name is a live slice, which the host only reads; it writes one u32 to a live local.
    Status::from_raw(unsafe { sys::proxy_register_shared_queue(name.as_ptr(), name.len(), &raw mut id) }).ok()?;
    Ok(id)
}

/// The id of the queue that somebody has registered; an empty `vm_id` is the VM's own.
pub(crate) fn resolve_queue(vm_id: &[u8], name: &[u8]) -> Result<u32, Status> {
    let mut id = 0;
    // SAFETY: both are live slices, which the host only reads; it writes one u32 to a live local.
    Status::from_raw(unsafe { sys::proxy_resolve_shared_queue(vm_id.as_ptr(), vm_id.len(), name.as_ptr(), name.len(), &raw mut id) }).ok()?;
    Ok(id)
}

/// The oldest message of a queue, which is taken out of it.
pub(crate) fn dequeue(queue: u32) -> Result<Vec<u8>, Status> {
    // SAFETY: `receive` passes two live locals for the host to write to.
    unsafe { receive(|data, size| sys::proxy_dequeue_shared_queue(queue, data, size)) }
}

/// Puts a message behind those of a queue.
pub(crate) fn enqueue(queue: u32, message: &[u8]) -> Result<(), Status> {
    // SAFETY: pointer and length are those of a live slice, which the host only reads.
    Status::from_raw(unsafe { sys::proxy_enqueue_shared_queue(queue, message.as_ptr(), message.len()) }).ok()
}

/// Whether the response that is here is the upstream's, and not one that the proxy or another filter gives in its place; as far as the proxy says.
pub(crate) fn is_of_the_upstream() -> bool {
    property(b"response\0code_details").map_or(true, |details| details == b"via_upstream")
}

/// Lets a direction of the effective stream go on.
pub(crate) fn continue_stream(stream: StreamType) -> Result<(), Status> {
    Status::from_raw(sys::proxy_continue_stream(stream as u32)).ok()
}

/// Resets the effective stream.
pub(crate) fn close_stream(stream: StreamType) -> Result<(), Status> {
    Status::from_raw(sys::proxy_close_stream(stream as u32)).ok()
}

/// Answers the effective stream's request; `headers` in the format of [`encode_pairs`](super::encode_pairs).
pub(crate) fn send_local_response(status: u16, details: &[u8], body: &[u8], headers: &[u8], grpc_status: i32) -> Result<(), Status> {
    // SAFETY: all three are live slices, which the host only reads.
    Status::from_raw(unsafe {
        sys::proxy_send_local_response(
            u32::from(status),
            details.as_ptr(),
            details.len(),
            body.as_ptr(),
            body.len(),
            headers.as_ptr(),
            headers.len(),
            grpc_status,
        )
    })
    .ok()
}

/// Makes a context the one that calls act on, until the running callback returns.
pub(crate) fn set_effective_context(context: u32) -> Result<(), Status> {
    Status::from_raw(sys::proxy_set_effective_context(context)).ok()
}

/// Calls a function that is the proxy's own.
pub(crate) fn foreign_function(name: &str, argument: &[u8]) -> Result<Vec<u8>, Status> {
    // SAFETY: both are live slices, which the host only reads; `receive` passes two live locals for it to write to.
    unsafe { receive(|data, size| sys::proxy_call_foreign_function(name.as_ptr(), name.len(), argument.as_ptr(), argument.len(), data, size)) }
}

/// The id under which a metric is recorded.
pub(crate) fn define_metric(kind: MetricType, name: &str) -> Result<u32, Status> {
    let mut id = 0;
    // SAFETY: the name is a live slice, which the host only reads; it writes one u32 to a live local.
    Status::from_raw(unsafe { sys::proxy_define_metric(kind as u32, name.as_ptr(), name.len(), &raw mut id) }).ok()?;
    Ok(id)
}

/// Adds to a counter or gauge.
pub(crate) fn increment_metric(id: u32, offset: i64) -> Result<(), Status> {
    Status::from_raw(sys::proxy_increment_metric(id, offset)).ok()
}

/// Sets a gauge, or records a value in a histogram.
pub(crate) fn record_metric(id: u32, value: u64) -> Result<(), Status> {
    Status::from_raw(sys::proxy_record_metric(id, value)).ok()
}

/// The value of a counter or gauge.
pub(crate) fn metric(id: u32) -> Result<u64, Status> {
    let mut value = 0;
    // SAFETY: the host writes one u64 to a live local.
    Status::from_raw(unsafe { sys::proxy_get_metric(id, &raw mut value) }).ok()?;
    Ok(value)
}

/// Calls a host function that answers with bytes, and takes them over without a copy.
///
/// # Safety
///
/// `call` must hand its two pointers to a host function that writes either nothing or a buffer that it got from this module's
/// `proxy_on_memory_allocate`, with the size it asked for.
pub(super) unsafe fn receive(call: impl FnOnce(*mut *mut u8, *mut usize) -> u32) -> Result<Vec<u8>, Status> {
    let (mut data, mut size) = (ptr::null_mut::<u8>(), 0_usize);
    let status = Status::from_raw(call(&raw mut data, &raw mut size));
    let bytes = if data.is_null() || size == 0 {
        Vec::new()
    } else {
        // SAFETY: `proxy_on_memory_allocate` of `proxy-wasm` 0.2.5 leaks a boxed slice of the size it was asked for, and the host hands over just that
        // buffer; this reclaims it.
        unsafe { Box::from_raw(ptr::from_mut(slice::from_raw_parts_mut(data, size))) }.into_vec()
    };
    status.ok().map(|()| bytes)
}

/// Sends a call-out to a cluster; the answer comes under the returned token to the context whose callback runs now.
///
/// This goes through `proxy-wasm`, whose dispatcher routes answers by tokens that it was told of. It panics on a status other than 0, 2 and 10; Envoy returns no other.
pub(crate) fn http_call(cluster: &str, headers: &[(&[u8], &[u8])], body: &[u8], trailers: &[(&[u8], &[u8])], timeout_ms: u32) -> Result<u32, Status> {
    let (headers, trailers) = (as_text(headers), as_text(trailers));
    let body = (!body.is_empty()).then_some(body);
    let timeout = std::time::Duration::from_millis(u64::from(timeout_ms));
    proxy_wasm::hostcalls::dispatch_http_call(cluster, headers, body, trailers, timeout).map_err(|status| Status::from_raw(status as u32))
}

/// Names and values as `proxy-wasm` takes them.
fn as_text<'a>(pairs: &[(&'a [u8], &'a [u8])]) -> Vec<(&'a str, &'a str)> {
    // SAFETY: `proxy-wasm` 0.2.5 (pinned) takes header names and values as `&str`, but only copies their bytes into the serialized map; nothing looks at them
    // as text, and nothing keeps them.
    let text = |bytes| unsafe { std::str::from_utf8_unchecked(bytes) };
    pairs.iter().map(|(name, value)| (text(name), text(value))).collect()
}
