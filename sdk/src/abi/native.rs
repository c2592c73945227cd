//! The host side when there is no wasm engine: the `proxy_*` symbols, forwarded to a [`Host`] installed in this thread.

mod locals;
pub(super) mod symbols;
pub mod vm;

use std::{
    any::Any,
    cell::RefCell,
    hash::{BuildHasher, Hasher, RandomState},
    panic::{AssertUnwindSafe, catch_unwind},
    rc::Rc,
    sync::OnceLock,
    time::Instant,
};

pub use self::locals::Vm;
pub(crate) use self::locals::{Local, Swap};
use super::Status;

/// What a proxy offers to a filter, as safe methods.
///
/// On wasm the host functions are imports of the module. In a native build this crate defines those symbols itself and forwards each call to the host
/// that [`enter`] installed in the current thread, so that a filter crate builds, links and runs as ordinary Rust. Every method has a default that
/// answers as a proxy without that facility would.
///
/// Enumerations arrive as the ABI's numbers, paths and pair lists as the ABI's bytes.
#[allow(unused_variables, reason = "the names of the defaults' parameters are documentation")]
pub trait Host {
    /// `proxy_log`: one line, at a level from 0 (trace) to 5 (critical).
    fn log(&self, level: u32, message: &[u8]) -> Status {
        Status::OK
    }

    /// `proxy_get_log_level`: the lowest level that the proxy keeps; 6 for none.
    fn log_level(&self) -> Result<u32, Status> {
        Ok(2)
    }

    /// A variable of the VM's environment.
    fn environment(&self, name: &str) -> Option<String> {
        None
    }

    /// A panic reached the boundary of a callback: the VM is dead, and must not be called again.
    fn panicked(&self, message: &str) {}

    /// `proxy_get_current_time_nanoseconds`: wall-clock time since the epoch.
    fn current_time(&self) -> Result<u64, Status> {
        Err(Status::UNIMPLEMENTED)
    }

    /// WASI's monotonic clock, in nanoseconds: by default that of this process.
    fn monotonic_clock(&self) -> u64 {
        static START: OnceLock<Instant> = OnceLock::new();
        #[expect(clippy::disallowed_methods, reason = "this runs in a process of its own, not in a proxy")]
        let now = Instant::now();
        u64::try_from(now.duration_since(*START.get_or_init(|| now)).as_nanos()).unwrap_or(u64::MAX)
    }

    /// WASI's random numbers; whether there are any. By default they are those that hash tables are seeded with, which is good enough for jitter, and for nothing secret.
    fn random(&self, bytes: &mut [u8]) -> bool {
        for bytes in bytes.chunks_mut(8) {
            let random = RandomState::new().build_hasher().finish().to_le_bytes();
            bytes.iter_mut().zip(random).for_each(|(byte, random)| *byte = random);
        }
        true
    }

    /// `proxy_set_tick_period_milliseconds`; 0 stops the tick.
    fn set_tick_period(&self, milliseconds: u32) -> Status {
        Status::UNIMPLEMENTED
    }

    /// `proxy_get_buffer_bytes`: at most `max` bytes from `start` on.
    fn buffer(&self, buffer: u32, start: usize, max: usize) -> Result<Vec<u8>, Status> {
        Err(Status::NOT_FOUND)
    }

    /// `proxy_set_buffer_bytes`: puts `bytes` in the place of `size` bytes from `start` on.
    fn set_buffer(&self, buffer: u32, start: usize, size: usize, bytes: &[u8]) -> Status {
        Status::BAD_ARGUMENT
    }

    /// `proxy_get_header_map_pairs`.
    fn header_pairs(&self, map: u32) -> Result<Vec<u8>, Status> {
        Ok(Vec::new())
    }

    /// `proxy_set_header_map_pairs`.
    fn set_header_pairs(&self, map: u32, pairs: &[u8]) -> Status {
        Status::BAD_ARGUMENT
    }

    /// `proxy_get_header_map_value`.
    fn header(&self, map: u32, name: &[u8]) -> Result<Vec<u8>, Status> {
        Err(Status::BAD_ARGUMENT)
    }

    /// `proxy_add_header_map_value`.
    fn add_header(&self, map: u32, name: &[u8], value: &[u8]) -> Status {
        Status::BAD_ARGUMENT
    }

    /// `proxy_replace_header_map_value`.
    fn replace_header(&self, map: u32, name: &[u8], value: &[u8]) -> Status {
        Status::BAD_ARGUMENT
    }

    /// `proxy_remove_header_map_value`.
    fn remove_header(&self, map: u32, name: &[u8]) -> Status {
        Status::BAD_ARGUMENT
    }

    /// `proxy_get_property`.
    fn property(&self, path: &[u8]) -> Result<Vec<u8>, Status> {
        Err(Status::NOT_FOUND)
    }

    /// `proxy_set_property`.
    fn set_property(&self, path: &[u8], value: &[u8]) -> Status {
        Status::NOT_FOUND
    }

    /// `proxy_get_shared_data`: the value and its compare-and-swap number.
    fn shared_data(&self, key: &[u8]) -> Result<(Vec<u8>, u32), Status> {
        Err(Status::NOT_FOUND)
    }

    /// `proxy_set_shared_data`; a `cas` of 0 sets unconditionally.
    fn set_shared_data(&self, key: &[u8], value: &[u8], cas: u32) -> Status {
        Status::INTERNAL_FAILURE
    }

    /// `proxy_register_shared_queue`.
    fn register_queue(&self, name: &[u8]) -> Result<u32, Status> {
        Err(Status::INTERNAL_FAILURE)
    }

    /// `proxy_resolve_shared_queue`.
    fn resolve_queue(&self, vm_id: &[u8], name: &[u8]) -> Result<u32, Status> {
        Err(Status::NOT_FOUND)
    }

    /// `proxy_dequeue_shared_queue`.
    fn dequeue(&self, queue: u32) -> Result<Vec<u8>, Status> {
        Err(Status::NOT_FOUND)
    }

    /// `proxy_enqueue_shared_queue`.
    fn enqueue(&self, queue: u32, value: &[u8]) -> Status {
        Status::NOT_FOUND
    }

    /// `proxy_continue_stream`.
    fn continue_stream(&self, stream: u32) -> Status {
        Status::OK
    }

    /// `proxy_close_stream`.
    fn close_stream(&self, stream: u32) -> Status {
        Status::OK
    }

    /// `proxy_send_local_response`.
    fn send_local_response(&self, reply: LocalReply<'_>) -> Status {
        Status::OK
    }

    /// `proxy_http_call`: the token under which the answer comes.
    fn http_call(&self, upstream: &[u8], headers: &[u8], body: &[u8], trailers: &[u8], timeout_ms: u32) -> Result<u32, Status> {
        Err(Status::INTERNAL_FAILURE)
    }

    /// `proxy_grpc_call`: the token under which the answer comes.
    fn grpc_call(&self, upstream: &[u8], service: &[u8], method: &[u8], metadata: &[u8], message: &[u8], timeout_ms: u32) -> Result<u32, Status> {
        Err(Status::INTERNAL_FAILURE)
    }

    /// `proxy_grpc_stream`: the token of the stream.
    fn grpc_stream(&self, upstream: &[u8], service: &[u8], method: &[u8], metadata: &[u8]) -> Result<u32, Status> {
        Err(Status::INTERNAL_FAILURE)
    }

    /// `proxy_grpc_send`.
    fn grpc_send(&self, token: u32, message: &[u8], end_of_stream: bool) -> Status {
        Status::NOT_FOUND
    }

    /// `proxy_grpc_cancel`.
    fn grpc_cancel(&self, token: u32) -> Status {
        Status::NOT_FOUND
    }

    /// `proxy_grpc_close`.
    fn grpc_close(&self, token: u32) -> Status {
        Status::NOT_FOUND
    }

    /// `proxy_get_status`: code and message of the last call-out.
    fn call_status(&self) -> Result<(u32, Vec<u8>), Status> {
        Err(Status::NOT_FOUND)
    }

    /// `proxy_set_effective_context`.
    fn set_effective_context(&self, context: u32) -> Status {
        Status::OK
    }

    /// `proxy_done`.
    fn done(&self) -> Status {
        Status::NOT_FOUND
    }

    /// `proxy_call_foreign_function`.
    fn foreign_function(&self, name: &[u8], argument: &[u8]) -> Result<Vec<u8>, Status> {
        Err(Status::NOT_FOUND)
    }

    /// `proxy_define_metric`: 0 counter, 1 gauge, 2 histogram.
    fn define_metric(&self, kind: u32, name: &[u8]) -> Result<u32, Status> {
        Err(Status::INTERNAL_FAILURE)
    }

    /// `proxy_get_metric`.
    fn metric(&self, id: u32) -> Result<u64, Status> {
        Err(Status::NOT_FOUND)
    }

    /// `proxy_record_metric`.
    fn record_metric(&self, id: u32, value: u64) -> Status {
        Status::NOT_FOUND
    }

    /// `proxy_increment_metric`.
    fn increment_metric(&self, id: u32, offset: i64) -> Status {
        Status::NOT_FOUND
    }
}

/// The arguments of `proxy_send_local_response`.
#[derive(Clone, Copy, Debug)]
pub struct LocalReply<'a> {
    /// The HTTP status code.
    pub status: u32,
    /// What the proxy logs as `response_code_details`.
    pub details: &'a [u8],
    /// The body.
    pub body: &'a [u8],
    /// Additional headers, as encoded pairs.
    pub headers: &'a [u8],
    /// The gRPC status for gRPC requests; -1 derives it from the HTTP status.
    pub grpc_status: i32,
}

thread_local! {
    static HOST: RefCell<Option<Rc<dyn Host>>> = const { RefCell::new(None) };
}

/// Installs a host in this thread while `run` runs, then puts back the one that was there.
///
/// A thread is one VM: the dispatcher of `proxy-wasm` and the SDK keep their state in thread locals. [`Vm`] makes several of one.
pub fn enter<T>(host: Rc<dyn Host>, run: impl FnOnce() -> T) -> T {
    struct Restore(Option<Rc<dyn Host>>);
    impl Drop for Restore {
        fn drop(&mut self) {
            let previous = self.0.take();
            HOST.with(|host| host.replace(previous));
        }
    }
    locals::take_out();
    let _restore = Restore(HOST.with(|slot| slot.replace(Some(host))));
    run()
}

/// The host of this thread.
pub fn installed() -> Option<Rc<dyn Host>> {
    HOST.try_with(|host| host.borrow().clone()).ok().flatten()
}

pub(super) fn callback<T>(when_dead: T, run: impl FnOnce() -> T) -> T {
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(value) => value,
        Err(payload) => {
            if let Some(host) = installed() {
                host.panicked(panic_message(payload.as_ref()));
            }
            when_dead
        }
    }
}

fn panic_message(payload: &(dyn Any + Send)) -> &str {
    if let Some(message) = payload.downcast_ref::<&str>() {
        message
    } else if let Some(message) = payload.downcast_ref::<String>() {
        message
    } else {
        "a panic without a message"
    }
}
