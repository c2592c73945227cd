//! The seam to the proxy: the `proxy_*` functions, declared with raw statuses and wrapped in bounds-checked, safe calls.
//!
//! This is the only module with `unsafe` code, and the only one that knows whether the host is a wasm engine or a [`Host`] that was
//! installed in this process. Everything above it is ordinary Rust.
//!
//! The `proxy-wasm` crate declares the same functions, but with an enum as the result, so that a status outside that enum is undefined
//! behaviour, and panics on most statuses that Envoy really returns. Declaring an import twice is harmless; both declarations link to one symbol.
//! The functions and their meaning are those of the [Proxy-Wasm ABI 0.2.1](https://github.com/proxy-wasm/spec/tree/main/abi-versions/v0.2.1).

#![allow(unsafe_code)]

#[cfg(all(any(target_family = "wasm", test), feature = "allocator"))]
mod allocator;
mod calls;
mod environment;
mod grpc;
#[cfg(target_family = "wasm")]
mod imports;
mod locals;
#[cfg(not(target_family = "wasm"))]
mod native;
mod needs;
mod pairs;
mod reads;
mod status;
mod system;
mod types;

#[cfg(target_family = "wasm")]
use self::imports as sys;
#[cfg(not(target_family = "wasm"))]
use self::native::symbols as sys;

#[cfg(not(target_family = "wasm"))]
pub use self::native::{Host, LocalReply, Vm, enter, installed, vm};
#[cfg(not(target_family = "wasm"))]
pub(crate) use self::native::{Local, Swap};
pub use self::pairs::{Pairs, encode_pairs};
pub use self::status::Status;

pub(crate) use self::calls::{
    buffer, close_stream, continue_stream, define_metric, dequeue, enqueue, exact_buffer, foreign_function, header_pairs, http_call,
    increment_metric, is_of_the_upstream, log, log_level, metric, property, record_metric, register_queue, replace_buffer, resolve_queue,
    send_local_response, set_property, set_shared_data, set_tick_period, shared_data, whole_buffer,
};
pub(crate) use self::environment::variable;
pub(crate) use self::grpc::{GrpcTarget, grpc_call, grpc_cancel, grpc_close, grpc_send, grpc_status, grpc_stream};
pub(crate) use self::locals::vm_local;
pub(crate) use self::needs::{needs, response_body_is_there};
pub(crate) use self::reads::{Value, header};
pub(crate) use self::system::{monotonic_clock, random, wall_clock};
pub(crate) use self::types::{BufferType, MapType, MetricType, StreamType};

/// Runs one callback of the proxy.
///
/// In a wasm engine a panic ends the VM, and the proxy's failure policy answers. Natively it must not cross the `extern "C"` frame of the dispatcher,
/// where it would abort the process: it is caught here and reported to the [`Host`], which treats the VM as dead.
#[cfg(target_family = "wasm")]
pub(crate) fn callback<T>(_when_dead: T, run: impl FnOnce() -> T) -> T {
    reads::forget();
    run()
}

/// Runs one callback of the proxy; a panic ends the VM, not the process.
#[cfg(not(target_family = "wasm"))]
pub(crate) fn callback<T>(when_dead: T, run: impl FnOnce() -> T) -> T {
    reads::forget();
    native::callback(when_dead, run)
}

/// Adds a value behind those that a name has.
pub(crate) fn add_header(map: MapType, name: &[u8], value: &[u8]) -> Result<(), Status> {
    reads::forget();
    calls::add_header(map, name, value)
}

/// Puts one value in the place of all that a name has.
pub(crate) fn replace_header(map: MapType, name: &[u8], value: &[u8]) -> Result<(), Status> {
    reads::forget();
    calls::replace_header(map, name, value)
}

/// Removes all values of a name.
pub(crate) fn remove_header(map: MapType, name: &[u8]) -> Result<(), Status> {
    reads::forget();
    calls::remove_header(map, name)
}

/// Makes a context the one that calls act on, until the running callback returns.
pub(crate) fn set_effective_context(context: u32) -> Result<(), Status> {
    reads::forget();
    calls::set_effective_context(context)
}
