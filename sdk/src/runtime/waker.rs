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

struct StreamWake {
    index: usize,
}

// === impl StreamWake ===

impl Wake for StreamWake {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // Fails only while the thread ends.
        let _ = READY.try_with(|ready| {
            let mut ready = ready.borrow_mut();
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
    READY.with_borrow_mut(|ready| match ready.iter().position(|ready| ready.index == index) {
        Some(at) => {
            ready.remove(at);
            true
        }
        None => false,
    })
}

/// The places that were woken.
pub(super) fn woken() -> Vec<usize> {
    READY.with_borrow(|ready| ready.iter().map(|ready| ready.index).collect())
}

/// Whether one of the woken places is such a one.
pub(super) fn any(such: impl Fn(usize) -> bool) -> bool {
    READY.with_borrow(|ready| ready.iter().any(|ready| such(ready.index)))
}

/// The places that were woken, as they are; from here on a tick counts as set for them.
pub(super) fn schedule() -> Vec<Ready> {
    READY.with_borrow_mut(|ready| {
        let before = ready.clone();
        for ready in ready {
            ready.scheduled = true;
        }
        before
    })
}
