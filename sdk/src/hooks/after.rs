//! What the layer above does at the end of every callback, whichever filter it was for.

use std::cell::Cell;

thread_local! {
    static AFTER: Cell<Option<fn(u32)>> = const { Cell::new(None) };
}

/// From here on `act` runs at the end of every callback, with the id of its context.
pub(crate) fn always(act: fn(u32)) {
    // Fails only while the thread ends.
    let _ = AFTER.try_with(|after| after.set(Some(act)));
}

/// A callback of this context is about to return.
pub(super) fn run(context: u32) {
    if let Some(act) = AFTER.try_with(Cell::get).ok().flatten() {
        act(context);
    }
}
