//! The first refusal by the proxy that a call without a result could not tell its caller.

use std::cell::Cell;

use crate::{Error, abi::vm_local};

vm_local! {
    static FAULT: Cell<Option<Error>> = Cell::new(None);
    /// Whether there is one: most callbacks ask only this.
    static PENDING: Cell<bool> = Cell::new(false);
}

/// Keeps `error` until the running user code has returned; then its stream ends by the error policy. While the thread ends nothing is kept.
pub(crate) fn record(error: Error) {
    if !PENDING.get() && FAULT.try_with(|fault| fault.set(Some(error))).is_ok() {
        PENDING.set(true);
    }
}

/// What was recorded since the last call.
pub(crate) fn take() -> Option<Error> {
    if !PENDING.replace(false) {
        return None;
    }
    FAULT.try_with(Cell::take).ok().flatten()
}

/// Whether something was recorded since the last [`take`].
pub(crate) fn pending() -> bool {
    PENDING.get()
}
