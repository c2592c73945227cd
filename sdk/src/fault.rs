//! The first refusal by the proxy that a call without a result could not tell its caller.

use std::cell::RefCell;

use crate::Error;

thread_local! {
    static FAULT: RefCell<Option<Error>> = const { RefCell::new(None) };
}

/// Keeps `error` until the running user code has returned; then its stream ends by the error policy.
pub(crate) fn record(error: Error) {
    FAULT.with_borrow_mut(|fault| {
        fault.get_or_insert(error);
    });
}

/// What was recorded since the last call.
pub(crate) fn take() -> Option<Error> {
    FAULT.take()
}

/// Whether something was recorded since the last [`take`].
pub(crate) fn pending() -> bool {
    FAULT.with_borrow(Option::is_some)
}
