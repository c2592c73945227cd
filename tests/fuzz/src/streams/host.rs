use std::{
    cell::{Cell, RefCell, RefMut},
    collections::BTreeMap,
};

use inproxy::abi::{Host, LocalReply, Status, encode_pairs};

use crate::{script::Script, vm::Panicked};

/// A call that was not answered yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Call {
    Http(u32),
    Grpc(u32),
    GrpcStream(u32),
}

/// What the proxy knows of a stream.
#[derive(Debug, Default)]
struct Seen {
    /// It was answered by the filter, or reset.
    over: bool,
    /// Only to be logged.
    closing: bool,
    /// By direction: it went on, as far as it has come.
    let_go: [bool; 2],
    /// By direction: resumed from within its own callback.
    resumed_within: [bool; 2],
    /// By direction: the filter has the headers.
    owned: [bool; 2],
    /// By direction: it was paused at the headers, and not resumed since.
    at_headers: [bool; 2],
}

/// A host that answers as a script says, and knows what Envoy does not survive.
#[derive(Default)]
pub(super) struct WildHost {
    panicked: Panicked,
    pub(super) script: Script,
    obey_once: Cell<bool>,
    /// `allow_on_headers_stop_iteration` is not set: behind headers that are held nothing is shown.
    portable: Cell<bool>,
    tokens: Cell<u32>,
    clock: Cell<u64>,
    ticks: Cell<bool>,
    /// The context whose callback runs, and the direction that it is of.
    running: Cell<(u32, Option<usize>)>,
    effective: Cell<u32>,
    streams: RefCell<BTreeMap<u32, Seen>>,
    calls: RefCell<Vec<Call>>,
}

// === impl WildHost ===

impl WildHost {
    pub(super) fn end(&self) {
        self.calls.borrow_mut().clear();
        self.streams.borrow_mut().clear();
    }

    fn answer(&self, usual: &[u8]) -> Result<Vec<u8>, Status> {
        self.script.refuses()?;
        Ok(if self.script.choose(3) == 1 { self.script.some_bytes() } else { usual.to_vec() })
    }

    fn sent(&self, call: fn(u32) -> Call, failures: [Status; 2]) -> Result<u32, Status> {
        match self.script.choose(8) {
            at @ 1..=2 => Err(failures[usize::from(at) - 1]),
            _ => {
                self.tokens.set(self.tokens.get() + 1);
                self.calls.borrow_mut().push(call(self.tokens.get()));
                Ok(self.tokens.get())
            }
        }
    }

    pub(super) fn begin(&self, script: &[u8]) {
        self.script.begin(script);
        self.portable.set(self.script.choose(4) == 1);
    }

    /// The filter has the headers of a direction, or has let them go. Whose stream it is: that whose turn it is, unless it says so.
    pub(super) fn owns(&self, stream: Option<u32>, direction: usize, owns: bool) -> u32 {
        let context = stream.unwrap_or(self.effective.get());
        if let Some(seen) = self.streams.borrow_mut().get_mut(&context) {
            seen.owned[direction] = owns;
        }
        context
    }

    /// Whether the next piece of a direction waits behind its headers, and is not shown.
    pub(super) fn waits(&self, context: u32, direction: usize) -> bool {
        self.portable.get() && self.streams.borrow().get(&context).is_some_and(|seen| seen.at_headers[direction])
    }

    pub(super) fn calls(&self) -> Vec<Call> {
        self.calls.borrow().clone()
    }

    pub(super) fn answered(&self, call: Call) {
        self.calls.borrow_mut().retain(|other| *other != call);
    }

    /// The next effective context is taken, as the dispatcher demands.
    pub(super) fn obey_once(&self) {
        self.obey_once.set(true);
    }

    /// Time passes; whether it is time for a tick.
    pub(super) fn pass(&self, milliseconds: u64) -> bool {
        self.clock.set(self.clock.get() + milliseconds * 1_000_000);
        self.ticks.get()
    }

    pub(super) fn opened(&self, context: u32) {
        self.streams.borrow_mut().insert(context, Seen::default());
    }

    pub(super) fn closing(&self, context: u32) {
        self.streams.borrow_mut().entry(context).or_default().closing = true;
    }

    pub(super) fn closed(&self, context: u32) {
        self.streams.borrow_mut().remove(&context);
    }

    pub(super) fn is_over(&self, context: u32) -> bool {
        self.streams.borrow().get(&context).is_none_or(|seen| seen.over)
    }

    pub(super) fn is_let_go(&self, context: u32, direction: usize) -> bool {
        self.streams.borrow().get(&context).is_some_and(|seen| seen.let_go[direction])
    }

    pub(super) fn enters(&self, context: u32, direction: Option<usize>) {
        self.running.set((context, direction));
        self.effective.set(context);
        if let (Some(direction), Some(seen)) = (direction, self.streams.borrow_mut().get_mut(&context)) {
            seen.resumed_within[direction] = false;
            seen.let_go[direction] = false;
        }
    }

    pub(super) fn leaves(&self) {
        self.panicked.check();
        self.obey_once.set(false);
        self.running.set((0, None));
    }

    /// What a callback of a direction has returned.
    pub(super) fn returned(&self, context: u32, direction: usize, at_headers: bool, action: u32) {
        assert!(action < 2, "a callback has returned {action}");
        if let Some(seen) = self.streams.borrow_mut().get_mut(&context) {
            assert!(!(action == 0 && seen.resumed_within[direction]), "resumed by a call, and by what the callback returned");
            assert!(
                action == 1 || at_headers || seen.over || !seen.owned[direction],
                "what is behind headers goes on, and the filter has these still"
            );
            seen.at_headers[direction] = action == 1 && (at_headers || seen.at_headers[direction]) && !seen.let_go[direction];
            // Until more comes, what has come is let go.
            seen.let_go[direction] |= action == 0;
        }
    }

    pub(super) fn must_not_wait(&self, context: u32, direction: usize) {
        let streams = self.streams.borrow();
        let seen = &streams[&context];
        assert!(self.script.has_refused() || seen.over || seen.let_go[direction], "a stream waits for ever in direction {direction}: {seen:?}");
    }

    /// The stream that a call acts on, which must be one that Envoy can act on.
    fn acts(&self, what: &str) -> Option<RefMut<'_, Seen>> {
        let seen = RefMut::filter_map(self.streams.borrow_mut(), |streams| streams.get_mut(&self.effective.get())).ok()?;
        assert!(!seen.closing, "{what} when the stream is only logged");
        assert!(!seen.over, "{what} behind an answer or a reset");
        Some(seen)
    }
}

impl Host for WildHost {
    fn panicked(&self, message: &str) {
        self.panicked.with(message);
    }

    fn log_level(&self) -> Result<u32, Status> {
        Ok(6)
    }

    fn environment(&self, _: &str) -> Option<String> {
        Some((!self.portable.get()).to_string())
    }

    fn current_time(&self) -> Result<u64, Status> {
        self.script.refuses().map(|()| self.clock.get())
    }

    fn monotonic_clock(&self) -> u64 {
        self.clock.get()
    }

    fn random(&self, bytes: &mut [u8]) -> bool {
        bytes.fill(self.script.byte());
        true
    }

    fn set_tick_period(&self, milliseconds: u32) -> Status {
        let status = self.script.status();
        if status == Status::OK {
            self.ticks.set(milliseconds != 0);
        }
        status
    }

    fn buffer(&self, _: u32, _: usize, max: usize) -> Result<Vec<u8>, Status> {
        self.answer(&vec![b'x'; max.min(64)])
    }

    fn set_buffer(&self, _: u32, _: usize, _: usize, _: &[u8]) -> Status {
        self.script.status()
    }

    fn header_pairs(&self, _: u32) -> Result<Vec<u8>, Status> {
        let usual: [(&[u8], &[u8]); 4] = [(b":method", b"POST"), (b":status", b"200"), (b"content-length", b"10"), (b"grpc-status", b"0")];
        self.answer(&encode_pairs(usual.into_iter()))
    }

    fn header(&self, _: u32, name: &[u8]) -> Result<Vec<u8>, Status> {
        self.answer(if name == b":status" { b"200" } else { b"value" })
    }

    fn add_header(&self, _: u32, _: &[u8], _: &[u8]) -> Status {
        self.script.status()
    }

    fn replace_header(&self, _: u32, _: &[u8], _: &[u8]) -> Status {
        self.script.status()
    }

    fn remove_header(&self, _: u32, _: &[u8]) -> Status {
        self.script.status()
    }

    fn property(&self, path: &[u8]) -> Result<Vec<u8>, Status> {
        if path == b"plugin_root_id" { Ok(b"fuzz_streams".to_vec()) } else { self.answer(b"text") }
    }

    fn shared_data(&self, _: &[u8]) -> Result<(Vec<u8>, u32), Status> {
        self.answer(&[0; 8]).map(|value| (value, 1))
    }

    fn set_shared_data(&self, _: &[u8], _: &[u8], _: u32) -> Status {
        self.script.status()
    }

    fn continue_stream(&self, stream: u32) -> Status {
        self.script.refuses().err().unwrap_or_else(|| {
            if let Some(mut seen) = self.acts("resumed") {
                let direction = stream as usize;
                seen.let_go[direction] = true;
                seen.at_headers[direction] = false;
                seen.resumed_within[direction] |= self.running.get() == (self.effective.get(), Some(direction));
            }
            Status::OK
        })
    }

    fn close_stream(&self, _: u32) -> Status {
        self.script.refuses().err().unwrap_or_else(|| {
            if let Some(mut seen) = self.acts("reset") {
                seen.over = true;
            }
            Status::OK
        })
    }

    fn send_local_response(&self, reply: LocalReply<'_>) -> Status {
        self.script.refuses().err().unwrap_or_else(|| {
            assert!((200..600).contains(&reply.status), "an answer with status {}", reply.status);
            if let Some(mut seen) = self.acts("answered") {
                seen.over = true;
            }
            Status::OK
        })
    }

    fn http_call(&self, _: &[u8], _: &[u8], _: &[u8], _: &[u8], _: u32) -> Result<u32, Status> {
        self.sent(Call::Http, [Status::BAD_ARGUMENT, Status::INTERNAL_FAILURE])
    }

    fn grpc_call(&self, _: &[u8], _: &[u8], _: &[u8], _: &[u8], _: &[u8], _: u32) -> Result<u32, Status> {
        self.sent(Call::Grpc, [Status::PARSE_FAILURE, Status::INTERNAL_FAILURE])
    }

    fn grpc_stream(&self, _: &[u8], _: &[u8], _: &[u8], _: &[u8]) -> Result<u32, Status> {
        self.sent(Call::GrpcStream, [Status::PARSE_FAILURE, Status::INTERNAL_FAILURE])
    }

    fn grpc_send(&self, _: u32, _: &[u8], _: bool) -> Status {
        self.script.status()
    }

    fn grpc_cancel(&self, _: u32) -> Status {
        self.script.status()
    }

    fn grpc_close(&self, _: u32) -> Status {
        self.script.status()
    }

    fn call_status(&self) -> Result<(u32, Vec<u8>), Status> {
        self.answer(b"message {reason}").map(|message| (u32::from(self.script.byte()), message))
    }

    fn set_effective_context(&self, context: u32) -> Status {
        if !self.obey_once.take()
            && let Err(status) = self.script.refuses()
        {
            return status;
        }
        self.effective.set(context);
        Status::OK
    }
}
