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
use crate::abi::vm_local;

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
    before: Cell<Option<&'static Place>>,
    /// The next free place, if this one is free.
    free: Cell<Option<&'static Place>>,
}

/// The place of a VM that was made last.
struct Last(Cell<Option<&'static Place>>);

vm_local! {
    static LAST: Last = Last(Cell::new(None));
    /// A free place.
    static FREE: Cell<Option<&'static Place>> = Cell::new(None);
}

/// A place for a new stream.
pub(super) fn take() -> &'static Place {
    match FREE.get() {
        Some(place) => {
            FREE.set(place.free.take());
            place
        }
        None => Place::another(),
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
    iter::successors(LAST.with(|last| last.0.get()), |place| place.before.get())
}

// === impl Place ===

impl Place {
    #[cold]
    fn another() -> &'static Self {
        // Once for each place, and not for each stream.
        super::listen();
        let place = Self::spare().unwrap_or_else(Self::leak);
        place.before.set(LAST.with(|last| last.0.replace(Some(place))));
        place
    }

    fn leak() -> &'static Self {
        let (waker, woken) = waker::new();
        Box::leak(Box::new(Self {
            generation: Cell::new(0),
            context: Cell::new(0),
            root: Cell::new(0),
            fail: Cell::new(None),
            task: Cell::new(None),
            calls: Cell::new(0),
            exchange: Exchange::default(),
            waker,
            woken,
            before: Cell::new(None),
            free: Cell::new(None),
        }))
    }

    /// In a module there is none.
    #[cfg(target_family = "wasm")]
    const fn spare() -> Option<&'static Self> {
        None
    }

    /// One that a VM has left which is gone.
    #[cfg(not(target_family = "wasm"))]
    fn spare() -> Option<&'static Self> {
        let place = SPARE.take()?;
        SPARE.set(place.before.take());
        Some(place)
    }
}

#[cfg(not(target_family = "wasm"))]
thread_local! {
    /// What the VMs that are gone have left to those that come after them in this thread.
    static SPARE: Cell<Option<&'static Place>> = const { Cell::new(None) };
}

// === impl Last ===

#[cfg(not(target_family = "wasm"))]
impl crate::abi::Swap for Last {
    fn swap_with(&self, other: &Self) {
        self.0.swap(&other.0);
    }

    fn end(&self) {
        let mut next = self.0.take();
        while let Some(place) = next {
            next = place.before.take();
            place.free.take();
            // Nobody waits for its stream any more, nor is anybody told.
            place.woken.take();
            if super::StreamId::at(place).is_none() {
                place.before.set(SPARE.replace(Some(place)));
            }
        }
    }
}
