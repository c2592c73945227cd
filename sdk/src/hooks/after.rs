//! What the layer above does at the end of a callback, whichever filter it was for.

use std::{
    cell::Cell,
    sync::atomic::{AtomicUsize, Ordering},
};

thread_local! {
    static AFTER: Cell<Option<fn(u32)>> = const { Cell::new(None) };
}

/// How many reasons to act there are, on all threads. Nearly always none, so that this number is all that most callbacks look at.
static REASONS: AtomicUsize = AtomicUsize::new(0);

/// From here on `act` runs at the end of every callback that finds a reason, with the id of its context.
pub(crate) fn always(act: fn(u32)) {
    AFTER.set(Some(act));
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
pub(super) fn run(context: u32) {
    if REASONS.load(Ordering::Relaxed) != 0
        && let Some(act) = AFTER.get()
    {
        act(context);
    }
}
