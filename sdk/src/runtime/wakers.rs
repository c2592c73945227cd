use std::{cell::RefCell, task::Waker};

/// All who wait for the same thing, each once however often it was polled.
///
/// Wakers of streams are those of places, which are used again: so there are no more of them than streams were open at once.
#[derive(Debug, Default)]
pub(crate) struct Wakers(RefCell<Vec<Waker>>);

// === impl Wakers ===

impl Wakers {
    /// Has a waker woken the next time.
    pub(crate) fn wait(&self, waker: &Waker) {
        let mut waiting = self.0.borrow_mut();
        if !waiting.iter().any(|other| other.will_wake(waker)) {
            waiting.push(waker.clone());
        }
    }

    /// Wakes all; nobody waits any more.
    pub(crate) fn wake(&self) {
        self.0.take().into_iter().for_each(Waker::wake);
    }
}
