//! The first refusal by the proxy that a call without a result could not tell its caller.

use std::cell::RefCell;

use crate::Error;

thread_local! {
    static FAULT: RefCell<Option<Error>> = const { RefCell::new(None) };
}

/// Keeps `error` until the running user code has returned; then its stream ends by the error policy. While the thread ends nothing is kept.
pub(crate) fn record(error: Error) {
    let _ = FAULT.try_with(|fault| {
        fault.borrow_mut().get_or_insert(error);
    });
}

/// What was recorded since the last call.
pub(crate) fn take() -> Option<Error> {
    FAULT.try_with(RefCell::take).ok().flatten()
}

/// Whether something was recorded since the last [`take`].
pub(crate) fn pending() -> bool {
    FAULT.try_with(|fault| fault.borrow().is_some()).unwrap_or(false)
}
