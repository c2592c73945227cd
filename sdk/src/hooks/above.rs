//! What the layer above wants to be told of, whichever filter it is for. What it never asked for is not in the module.

use std::{
    cell::Cell,
    sync::atomic::{AtomicUsize, Ordering},
};

use super::CallToken;
use crate::abi::vm_local;

/// Whom to tell.
struct Above {
    after: Cell<Option<fn(u32)>>,
    tick: Cell<Option<fn(u32)>>,
    gone: Cell<Option<fn(u32)>>,
    queue: Cell<Option<OnQueue>>,
    call: Cell<Option<OnCall>>,
    grpc: Cell<Option<OnGrpc>>,
}

/// Is told of a message, by the ids of the root context and of the queue.
pub(crate) type OnQueue = fn(u32, u32);

/// Is told of an answer, and in a callback of which root context.
pub(crate) type OnCall = fn(u32, CallToken, Sizes);

/// Is told of an event of a gRPC call, and in a callback of which root context, if it is in one.
pub(crate) type OnGrpc = fn(u32, GrpcEvent, Option<u32>);

/// What has come of a gRPC call.
#[derive(Clone, Copy, Debug)]
pub(crate) enum GrpcEvent {
    /// A unary call is over: its status, and the size of its message.
    Result {
        status: u32,
        size: usize,
    },
    InitialMetadata,
    Message {
        size: usize,
    },
    TrailingMetadata,
    Close {
        status: u32,
    },
}

/// How much there is of the answer of a call-out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sizes {
    pub(crate) headers: usize,
    pub(crate) body: usize,
    pub(crate) trailers: usize,
}

vm_local! {
    static ABOVE: Above = Above { after: Cell::new(None), tick: Cell::new(None), gone: Cell::new(None), queue: Cell::new(None), call: Cell::new(None), grpc: Cell::new(None) };
}

// === impl Above ===

#[cfg(not(target_family = "wasm"))]
impl crate::abi::Swap for Above {
    fn swap_with(&self, other: &Self) {
        let Self { after, tick, gone, queue, call, grpc } = self;
        after.swap(&other.after);
        tick.swap(&other.tick);
        gone.swap(&other.gone);
        queue.swap(&other.queue);
        call.swap(&other.call);
        grpc.swap(&other.grpc);
    }
}

/// How many reasons to act after a callback there are, on all threads. Nearly always none, so that this number is all that most callbacks look at.
static REASONS: AtomicUsize = AtomicUsize::new(0);

/// From here on `act` runs at the end of every callback that finds a reason, with the id of its context.
pub(crate) fn on_reason(act: fn(u32)) {
    ABOVE.with(|above| above.after.set(Some(act)));
}

/// From here on `act` runs at every tick, with the id of the root context.
pub(crate) fn on_tick(act: fn(u32)) {
    ABOVE.with(|above| above.tick.set(Some(act)));
}

/// From here on `act` runs when a root context is gone, with its id.
pub(crate) fn on_gone(act: fn(u32)) {
    ABOVE.with(|above| above.gone.set(Some(act)));
}

/// From here on `act` runs when a message has come into a queue, with the ids of the root context and the queue.
pub(crate) fn on_queue(act: OnQueue) {
    ABOVE.with(|above| above.queue.set(Some(act)));
}

/// From here on `act` runs when a call-out was answered that was sent from a root context.
pub(crate) fn on_call(act: OnCall) {
    ABOVE.with(|above| above.call.set(Some(act)));
}

/// From here on `act` runs when something has come of a gRPC call.
pub(crate) fn on_grpc(act: OnGrpc) {
    ABOVE.with(|above| above.grpc.set(Some(act)));
}

/// There is one reason more.
pub(crate) fn reason() {
    REASONS.fetch_add(1, Ordering::Relaxed);
}

/// There is one reason less.
pub(crate) fn no_reason() {
    REASONS.fetch_sub(1, Ordering::Relaxed);
}

/// A callback of this context is about to return.
pub(super) fn after(context: u32) {
    if REASONS.load(Ordering::Relaxed) != 0
        && let Some(act) = ABOVE.with(|above| above.after.get())
    {
        act(context);
    }
}

pub(super) fn tick(root: u32) {
    if let Some(act) = ABOVE.with(|above| above.tick.get()) {
        act(root);
    }
}

pub(super) fn gone(root: u32) {
    if let Some(act) = ABOVE.with(|above| above.gone.get()) {
        act(root);
    }
}

pub(super) fn queue(root: u32, queue: u32) {
    if let Some(act) = ABOVE.with(|above| above.queue.get()) {
        act(root, queue);
    }
}

pub(super) fn call(root: u32, token: CallToken, sizes: Sizes) {
    if let Some(act) = ABOVE.with(|above| above.call.get()) {
        act(root, token, sizes);
    }
}

pub(super) fn grpc(token: u32, event: GrpcEvent, root: Option<u32>) {
    if let Some(act) = ABOVE.with(|above| above.grpc.get()) {
        act(token, event, root);
    }
}

/// The callbacks of `Context` for gRPC: each is handed to the method `grpc` of the type.
macro_rules! grpc_callbacks {
    () => {
        fn on_grpc_call_response(&mut self, token: u32, status: u32, size: usize) {
            self.grpc(token, $crate::hooks::above::GrpcEvent::Result { status, size });
        }

        fn on_grpc_stream_initial_metadata(&mut self, token: u32, _: u32) {
            self.grpc(token, $crate::hooks::above::GrpcEvent::InitialMetadata);
        }

        fn on_grpc_stream_message(&mut self, token: u32, size: usize) {
            self.grpc(token, $crate::hooks::above::GrpcEvent::Message { size });
        }

        fn on_grpc_stream_trailing_metadata(&mut self, token: u32, _: u32) {
            self.grpc(token, $crate::hooks::above::GrpcEvent::TrailingMetadata);
        }

        fn on_grpc_stream_close(&mut self, token: u32, status: u32) {
            self.grpc(token, $crate::hooks::above::GrpcEvent::Close { status });
        }
    };
}

pub(super) use grpc_callbacks;
