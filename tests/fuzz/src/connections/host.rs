use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    rc::Rc,
};

use inproxy::abi::{Host, Status, encode_pairs};

use super::record::Record;
use crate::{script::Script, vm::Panicked};

/// The ABI's number of the buffer of what the client sends; behind it that of the server.
const DOWNSTREAM_DATA: u32 = 2;

/// A connection, as Envoy has it.
#[derive(Default)]
pub(super) struct Tcp {
    pub(super) record: Rc<Record>,
    /// What is shown and not let by: of the client, of the server.
    pub(super) buffers: [Vec<u8>; 2],
    /// Whether the filter can reach them.
    pub(super) reach: [bool; 2],
    /// The callbacks of its end come, or have come.
    pub(super) closing: bool,
    /// The filter has closed it.
    closed: bool,
}

/// What is done when the callback has returned.
#[derive(Clone, Copy, Debug)]
pub(super) enum Deferred {
    Resume(u32),
    Close(u32),
}

/// A host of connections that refuses as a script says, and knows what must not be asked of it.
#[derive(Default)]
pub(super) struct TapHost {
    panicked: Panicked,
    pub(super) script: Script,
    obey_once: Cell<bool>,
    tokens: Cell<u32>,
    clock: Cell<u64>,
    ticks: Cell<bool>,
    effective: Cell<u32>,
    connections: RefCell<BTreeMap<u32, Tcp>>,
    pub(super) calls: RefCell<Vec<u32>>,
    deferred: RefCell<Vec<Deferred>>,
}

// === impl TapHost ===

impl TapHost {
    pub(super) fn end(&self) {
        self.calls.borrow_mut().clear();
        self.connections.borrow_mut().clear();
    }

    pub(super) fn opened(&self, context: u32, record: Rc<Record>) {
        self.connections.borrow_mut().insert(context, Tcp { record, ..Tcp::default() });
    }

    pub(super) fn closed(&self, context: u32) {
        self.connections.borrow_mut().remove(&context);
    }

    pub(super) fn with<T>(&self, context: u32, act: impl FnOnce(&mut Tcp) -> T) -> T {
        act(self.connections.borrow_mut().get_mut(&context).expect("the driver knows which connections there are"))
    }

    /// Whether the filter has closed it; then there is nothing more of it.
    pub(super) fn has_closed(&self, context: u32) -> bool {
        self.connections.borrow().get(&context).is_none_or(|tcp| tcp.closed)
    }

    /// What is to become of the connection whose callback runs.
    pub(super) fn record(&self) -> Rc<Record> {
        Rc::clone(&self.connections.borrow()[&self.effective.get()].record)
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

    pub(super) fn enters(&self, context: u32) {
        self.effective.set(context);
    }

    /// The callback has returned: what it has asked for.
    pub(super) fn leaves(&self) -> Vec<Deferred> {
        self.panicked.check();
        self.obey_once.set(false);
        self.effective.set(0);
        self.deferred.take()
    }

    /// Steers the effective connection, which must be there.
    fn steer(&self, what: &str, act: impl FnOnce(&mut Tcp, u32) -> Deferred) -> Status {
        if let Err(refused) = self.script.refuses() {
            return refused;
        }
        let context = self.effective.get();
        if let Some(tcp) = self.connections.borrow_mut().get_mut(&context) {
            assert!(!tcp.closing, "a connection is {what} at its end");
            assert!(!tcp.closed, "a connection is {what} that the filter has closed");
            self.deferred.borrow_mut().push(act(tcp, context));
        }
        Status::OK
    }

    fn within<T>(&self, buffer: u32, act: impl FnOnce(&mut Vec<u8>) -> T) -> Option<T> {
        let direction = buffer.checked_sub(DOWNSTREAM_DATA)? as usize;
        let mut connections = self.connections.borrow_mut();
        let tcp = connections.get_mut(&self.effective.get()).filter(|tcp| *tcp.reach.get(direction).unwrap_or(&false))?;
        tcp.buffers.get_mut(direction).map(act)
    }
}

impl Host for TapHost {
    fn panicked(&self, message: &str) {
        self.panicked.with(message);
    }

    fn log_level(&self) -> Result<u32, Status> {
        Ok(6)
    }

    fn monotonic_clock(&self) -> u64 {
        self.clock.get()
    }

    fn set_tick_period(&self, milliseconds: u32) -> Status {
        let status = self.script.status();
        if status == Status::OK {
            self.ticks.set(milliseconds != 0);
        }
        status
    }

    fn buffer(&self, buffer: u32, start: usize, max: usize) -> Result<Vec<u8>, Status> {
        self.script.refuses()?;
        Ok(self.within(buffer, |bytes| bytes.iter().skip(start).take(max).copied().collect()).unwrap_or_default())
    }

    fn set_buffer(&self, buffer: u32, start: usize, size: usize, bytes: &[u8]) -> Status {
        if let Err(refused) = self.script.refuses() {
            return refused;
        }
        let set = self.within(buffer, |buffer| {
            if start == 0 {
                let size = size.min(buffer.len());
                buffer.splice(..size, bytes.iter().copied());
            } else {
                assert!(start >= buffer.len(), "Envoy changes no buffer in its middle");
                buffer.extend(bytes);
            }
        });
        set.map_or(Status::BAD_ARGUMENT, |()| Status::OK)
    }

    fn header_pairs(&self, _: u32) -> Result<Vec<u8>, Status> {
        self.script.refuses()?;
        let usual: [(&[u8], &[u8]); 1] = [(b":status", b"200")];
        Ok(encode_pairs(usual.into_iter()))
    }

    fn property(&self, path: &[u8]) -> Result<Vec<u8>, Status> {
        if path == b"plugin_root_id" { Ok(b"fuzz_connections".to_vec()) } else { Err(Status::NOT_FOUND) }
    }

    fn continue_stream(&self, _: u32) -> Status {
        self.steer("resumed", |_, context| Deferred::Resume(context))
    }

    fn close_stream(&self, _: u32) -> Status {
        self.steer("closed", |tcp, context| {
            tcp.closed = true;
            Deferred::Close(context)
        })
    }

    fn http_call(&self, _: &[u8], _: &[u8], _: &[u8], _: &[u8], _: u32) -> Result<u32, Status> {
        match self.script.choose(8) {
            1 => Err(Status::BAD_ARGUMENT),
            2 => Err(Status::INTERNAL_FAILURE),
            _ => {
                self.tokens.set(self.tokens.get() + 1);
                self.calls.borrow_mut().push(self.tokens.get());
                Ok(self.tokens.get())
            }
        }
    }

    fn call_status(&self) -> Result<(u32, Vec<u8>), Status> {
        self.script.refuses().map(|()| (u32::from(self.script.byte()), b"message {reason}".to_vec()))
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
