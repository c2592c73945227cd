//! Wakers: one for each place of a stream, made once and used again by the stream that comes after.
//!
//! A waker that outlives its stream may wake the next one in its place, whose future then is polled once in vain.

use std::{
    cell::Cell,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Wake, Waker},
};

use crate::hooks::above;

thread_local! {
    /// Whether anybody of this VM was woken since this was last asked. A thread is a VM, and a waker may wake from another.
    static SINCE: Arc<AtomicBool> = Arc::default();
}

/// Whether the stream of a place was woken.
#[derive(Clone, Debug)]
pub(super) struct Woken {
    woken: Arc<AtomicBool>,
    since: Arc<AtomicBool>,
}

/// Where somebody waits for something of a stream.
#[derive(Default)]
pub(crate) struct Waiting {
    who: Cell<Who>,
    waker: Cell<Option<Waker>>,
}

/// Who waits.
#[derive(Clone, Copy, Debug, Default)]
enum Who {
    #[default]
    Nobody,
    /// The stream's future itself, which needs no waker of its own.
    Stream,
    /// A part of it, or another future, that has one.
    Other,
}

/// Somebody who waited.
#[derive(Debug)]
pub(super) enum Waiter {
    Nobody,
    Stream,
    Other(Waker),
}

/// A waker, and what it sets.
pub(super) fn new() -> (Waker, Woken) {
    let woken = Woken { woken: Arc::default(), since: SINCE.with(Arc::clone) };
    (Waker::from(Arc::new(woken.clone())), woken)
}

/// Whether anybody of this VM was woken since this was last asked.
pub(super) fn woken_since() -> bool {
    SINCE.try_with(|since| since.swap(false, Ordering::Relaxed)).unwrap_or_default()
}

// === impl Woken ===

impl Woken {
    pub(super) fn set(&self) {
        self.since.store(true, Ordering::Relaxed);
        if !self.woken.swap(true, Ordering::Relaxed) {
            above::reason();
        }
    }

    pub(super) fn is_set(&self) -> bool {
        self.woken.load(Ordering::Relaxed)
    }

    /// Whether it was set; forgets it.
    pub(super) fn take(&self) -> bool {
        let was = self.is_set() && self.woken.swap(false, Ordering::Relaxed);
        if was {
            above::no_reason();
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

// === impl Waiting ===

impl Waiting {
    /// Whoever has the waker `waiting` waits from here on, in the place of whoever did; `stream` is that of the stream's own future.
    pub(super) fn set(&self, stream: &Waker, waiting: &Waker) {
        if waiting.will_wake(stream) {
            self.clear();
            self.who.set(Who::Stream);
        } else {
            self.waker.set(Some(waiting.clone()));
            self.who.set(Who::Other);
        }
    }

    pub(super) fn take(&self) -> Waiter {
        match self.who.replace(Who::Nobody) {
            Who::Nobody => Waiter::Nobody,
            Who::Stream => Waiter::Stream,
            Who::Other => self.waker.take().map_or(Waiter::Nobody, Waiter::Other),
        }
    }

    /// Nobody waits any more.
    pub(crate) fn clear(&self) {
        if matches!(self.who.replace(Who::Nobody), Who::Other) {
            drop(self.waker.take());
        }
    }
}
