//! gRPC calls, as host functions.

use std::time::Duration;

use super::{Status, calls::receive, sys};

/// What opens a call or a stream.
#[derive(Clone, Copy, Debug)]
pub(crate) struct GrpcTarget<'a> {
    pub(crate) cluster: &'a str,
    pub(crate) service: &'a str,
    pub(crate) method: &'a str,
    pub(crate) metadata: &'a [(&'a [u8], &'a [u8])],
}

/// Sends a unary call; what comes of it is told under the returned token to the context whose callback runs now.
///
/// This goes through `proxy-wasm`, whose dispatcher routes by tokens that it was told of. It panics on a status other than 0, 4 and 10; to a cluster in the form that is used here Envoy returns no other.
pub(crate) fn grpc_call(target: GrpcTarget<'_>, message: &[u8], timeout_ms: u32) -> Result<u32, Status> {
    let GrpcTarget { service, method, .. } = target;
    let timeout = Duration::from_millis(u64::from(timeout_ms));
    let sent = as_text(&grpc_service(target.cluster), |cluster| {
        proxy_wasm::hostcalls::dispatch_grpc_call(cluster, service, method, metadata(target.metadata), Some(message), timeout)
    });
    sent.map_err(|status| Status::from_raw(status as u32))
}

/// Opens a stream; as [`grpc_call`].
pub(crate) fn grpc_stream(target: GrpcTarget<'_>) -> Result<u32, Status> {
    let GrpcTarget { service, method, .. } = target;
    let opened = as_text(&grpc_service(target.cluster), |cluster| {
        proxy_wasm::hostcalls::open_grpc_stream(cluster, service, method, metadata(target.metadata))
    });
    opened.map_err(|status| Status::from_raw(status as u32))
}

/// Sends a message on a stream.
pub(crate) fn grpc_send(token: u32, message: &[u8]) -> Result<(), Status> {
    // SAFETY: pointer and length are those of a live slice, which the host only reads.
    Status::from_raw(unsafe { sys::proxy_grpc_send(token, message.as_ptr(), message.len(), false) }).ok()
}

/// Says that nothing more is sent on a stream.
pub(crate) fn grpc_close(token: u32) -> Result<(), Status> {
    Status::from_raw(sys::proxy_grpc_close(token)).ok()
}

/// Cancels a call, or resets a stream.
pub(crate) fn grpc_cancel(token: u32) -> Result<(), Status> {
    Status::from_raw(sys::proxy_grpc_cancel(token)).ok()
}

/// Status and message of the gRPC call that ended last.
pub(crate) fn grpc_status() -> Result<(u32, Vec<u8>), Status> {
    let mut code = 0;
    // SAFETY: the code is a live local; `receive` passes two others for the host to write to.
    let message = unsafe { receive(|data, size| sys::proxy_get_status(&raw mut code, data, size)) }?;
    Ok((code, message))
}

/// A serialized `envoy.config.core.v3.GrpcService` with `envoy_grpc.cluster_name`. Envoy reads whatever it is given as such a message first, and only then as the name of a cluster:
/// some names are messages too, and make it abort.
fn grpc_service(cluster: &str) -> Vec<u8> {
    /// Field 1, a length and as many bytes: both messages have the like.
    const FIELD: u8 = 0x0a;
    let mut name = vec![FIELD];
    varint(&mut name, cluster.len());
    name.extend_from_slice(cluster.as_bytes());
    let mut service = vec![FIELD];
    varint(&mut service, name.len());
    service.append(&mut name);
    service
}

fn varint(out: &mut Vec<u8>, mut number: usize) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn metadata<'a>(pairs: &[(&'a [u8], &'a [u8])]) -> Vec<(&'a str, &'a [u8])> {
    // SAFETY: names were validated, and are ASCII; besides, `proxy-wasm` 0.2.5 (pinned) only copies their bytes.
    pairs.iter().map(|(name, value)| (unsafe { std::str::from_utf8_unchecked(name) }, *value)).collect()
}

/// Hands bytes to a function that takes a text.
fn as_text<T>(bytes: &[u8], run: impl FnOnce(&str) -> T) -> T {
    // SAFETY: `proxy-wasm` 0.2.5 (pinned) takes the upstream as `&str`, but only hands its bytes to the proxy; nothing looks at them as text, and nothing keeps them.
    run(unsafe { std::str::from_utf8_unchecked(bytes) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_is_a_message_of_envoys() {
        assert_eq!(grpc_service("auth"), b"\x0a\x06\x0a\x04auth");
        let long = "c".repeat(200);
        assert_eq!(grpc_service(&long), [b"\x0a\xcb\x01\x0a\xc8\x01", long.as_bytes()].concat());
    }
}
