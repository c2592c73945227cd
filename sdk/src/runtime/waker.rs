//! Wakers that cost nothing to clone: one for each place in the table of streams, made once and used again by the stream that comes after.
//!
//! A waker that outlives its stream may wake the next one in its place, whose future then is polled once in vain.

use std::{
    cell::RefCell,
    sync::Arc,
    task::{Wake, Waker},
};

/// A stream that was woken and has not run since.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ready {
    pub(super) index: usize,
    /// A tick was set that will run it.
    pub(super) scheduled: bool,
}

thread_local! {
    static READY: RefCell<Vec<Ready>> = const { RefCell::new(Vec::new()) };
}

/// Nobody is woken while the thread ends.
fn with<T: Default>(act: impl FnOnce(&mut Vec<Ready>) -> T) -> T {
    READY.try_with(|ready| act(&mut ready.borrow_mut())).unwrap_or_default()
}

struct StreamWake {
    index: usize,
}

// === impl StreamWake ===

impl Wake for StreamWake {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        with(|ready| {
            if !ready.iter().any(|ready| ready.index == self.index) {
                ready.push(Ready { index: self.index, scheduled: false });
            }
        });
    }
}

/// The waker of a place in the table.
pub(super) fn new(index: usize) -> Waker {
    Waker::from(Arc::new(StreamWake { index }))
}

/// Whether the stream at this place was woken; forgets it.
pub(super) fn take(index: usize) -> bool {
    with(|ready| match ready.iter().position(|ready| ready.index == index) {
        Some(at) => {
            ready.remove(at);
            true
        }
        None => false,
    })
}

/// The places that were woken.
pub(super) fn woken() -> Vec<usize> {
    with(|ready| ready.iter().map(|ready| ready.index).collect())
}

/// Whether one of the woken places is such a one.
pub(super) fn any(such: impl Fn(usize) -> bool) -> bool {
    with(|ready| ready.iter().any(|ready| such(ready.index)))
}

/// The places that were woken, as they are; from here on a tick counts as set for them.
pub(super) fn schedule() -> Vec<Ready> {
    with(|ready| {
        let before = ready.clone();
        for ready in ready {
            ready.scheduled = true;
        }
        before
    })
}
