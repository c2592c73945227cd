//! Where the runtime keeps what it knows of a stream.
//!
//! A place is made when no other is free, and used again by the streams that come after: there are as many as streams were open at once. Places are never given
//! back, so that a handle is a plain reference, which tells by the place's generation whether the place is still its own.

use std::{cell::Cell, iter, task::Waker};

use super::{
    Fail, Task,
    exchange::Exchange,
    waker::{self, Woken},
};

pub(super) struct Place {
    /// Counts up when a stream opens here and when it closes: odd while there is one. A handle would have to outlive two thousand million streams of its place to be taken for a later one's.
    pub(super) generation: Cell<u32>,
    pub(super) context: Cell<u32>,
    pub(super) root: Cell<u32>,
    pub(super) fail: Cell<Option<Fail>>,
    pub(super) task: Cell<Option<Task>>,
    /// How many call-outs of the stream are on their way.
    pub(super) calls: Cell<usize>,
    pub(super) exchange: Exchange,
    pub(super) waker: Waker,
    pub(super) woken: Woken,
    /// The place that was made before this one.
    before: Option<&'static Place>,
    /// The next free place, if this one is free.
    free: Cell<Option<&'static Place>>,
}

thread_local! {
    /// The place that was made last.
    static LAST: Cell<Option<&'static Place>> = const { Cell::new(None) };
    /// A free place.
    static FREE: Cell<Option<&'static Place>> = const { Cell::new(None) };
}

/// A place for a new stream.
pub(super) fn take() -> &'static Place {
    match FREE.get() {
        Some(place) => {
            FREE.set(place.free.take());
            place
        }
        None => Place::leak(),
    }
}

/// Takes back the place of a stream that is over.
pub(super) fn give_back(place: &'static Place) {
    place.free.set(FREE.replace(Some(place)));
}

/// The places whose stream was woken and has not run since.
pub(super) fn woken() -> impl Iterator<Item = &'static Place> {
    all().filter(|place| place.woken.is_set())
}

/// All places.
pub(super) fn all() -> impl Iterator<Item = &'static Place> {
    iter::successors(LAST.get(), |place| place.before)
}

// === impl Place ===

impl Place {
    #[cold]
    fn leak() -> &'static Self {
        // Once for each place, and not for each stream.
        super::listen();
        let (waker, woken) = waker::new();
        let place: &'static Self = Box::leak(Box::new(Self {
            generation: Cell::new(0),
            context: Cell::new(0),
            root: Cell::new(0),
            fail: Cell::new(None),
            task: Cell::new(None),
            calls: Cell::new(0),
            exchange: Exchange::default(),
            waker,
            woken,
            before: LAST.get(),
            free: Cell::new(None),
        }));
        LAST.set(Some(place));
        place
    }
}
