//! Wakers: one for each place of a stream, made once and used again by the stream that comes after.
//!
//! A waker that outlives its stream may wake the next one in its place, whose future then is polled once in vain.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::{Wake, Waker},
};

/// How many places were woken and have not run since, on all threads.
static COUNT: AtomicUsize = AtomicUsize::new(0);

/// Whether the stream of a place was woken.
#[derive(Clone, Debug, Default)]
pub(super) struct Woken(Arc<AtomicBool>);

/// Who waits for something.
#[derive(Debug, Default)]
pub(crate) enum Waiter {
    #[default]
    Nobody,
    /// The stream's future itself, which needs no waker of its own.
    Stream,
    /// A part of it, or another future, that has one.
    Other(Waker),
}

/// A waker, and what it sets.
pub(super) fn new() -> (Waker, Woken) {
    let woken = Woken::default();
    (Waker::from(Arc::new(woken.clone())), woken)
}

/// Whether nobody was woken.
pub(super) fn none() -> bool {
    COUNT.load(Ordering::Relaxed) == 0
}

// === impl Woken ===

impl Woken {
    pub(super) fn set(&self) {
        if !self.0.swap(true, Ordering::Relaxed) {
            COUNT.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Whether it was set; forgets it.
    pub(super) fn take(&self) -> bool {
        let was = self.0.swap(false, Ordering::Relaxed);
        if was {
            COUNT.fetch_sub(1, Ordering::Relaxed);
        }
        was
    }
}

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.set();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.set();
    }
}

// === impl Waiter ===

impl Waiter {
    pub(super) fn of(stream: &Waker, waiting: &Waker) -> Self {
        if waiting.will_wake(stream) { Self::Stream } else { Self::Other(waiting.clone()) }
    }

    pub(crate) fn take(&mut self) -> Self {
        std::mem::take(self)
    }
}
