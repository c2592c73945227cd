//! What the layer above wants to be told of, whichever filter it is for. What it never asked for is not in the module.

use std::{
    cell::Cell,
    sync::atomic::{AtomicUsize, Ordering},
};

use super::CallToken;

/// Whom to tell.
struct Above {
    after: Cell<Option<fn(u32)>>,
    tick: Cell<Option<fn(u32)>>,
    gone: Cell<Option<fn(u32)>>,
    call: Cell<Option<fn(CallToken, Sizes)>>,
}

/// How much there is of the answer of a call-out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sizes {
    pub(crate) headers: usize,
    pub(crate) body: usize,
    pub(crate) trailers: usize,
}

thread_local! {
    static ABOVE: Above = const { Above { after: Cell::new(None), tick: Cell::new(None), gone: Cell::new(None), call: Cell::new(None) } };
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

/// From here on `act` runs when a call-out was answered that was sent from a root context.
pub(crate) fn on_call(act: fn(CallToken, Sizes)) {
    ABOVE.with(|above| above.call.set(Some(act)));
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

pub(super) fn call(token: CallToken, sizes: Sizes) {
    if let Some(act) = ABOVE.with(|above| above.call.get()) {
        act(token, sizes);
    }
}
