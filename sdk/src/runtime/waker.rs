//! Wakers that cost nothing to clone: one for each place in the table of streams, made once and used again by the stream that comes after.
//!
//! A waker that outlives its stream may wake the next one in its place, whose future then is polled once in vain.

use std::{
    cell::RefCell,
    sync::Arc,
    task::{Wake, Waker},
};

thread_local! {
    /// The places that were woken and have not run since.
    static READY: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
}

struct StreamWake {
    index: usize,
}

/// Nobody is woken while the thread ends.
fn with<T: Default>(act: impl FnOnce(&mut Vec<usize>) -> T) -> T {
    READY.try_with(|ready| act(&mut ready.borrow_mut())).unwrap_or_default()
}

// === impl StreamWake ===

impl Wake for StreamWake {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        with(|ready| {
            if !ready.contains(&self.index) {
                ready.push(self.index);
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
    with(|ready| match ready.iter().position(|ready| *ready == index) {
        Some(at) => {
            ready.remove(at);
            true
        }
        None => false,
    })
}

/// The places that were woken.
pub(super) fn woken() -> Vec<usize> {
    with(|ready| ready.clone())
}

/// Whether no place was woken.
pub(super) fn none() -> bool {
    !with(|ready| !ready.is_empty())
}
