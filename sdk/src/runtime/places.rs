//! Where the runtime keeps what it knows of a stream.
//!
//! A place is made when no other is free, and used again by the streams that come after: there are as many as streams were open at once. Places are never given
//! back, so that a handle is a plain reference, which tells by the stream's number whether the place is still its own.

use std::{
    cell::{Cell, RefCell},
    task::Waker,
};

use super::{
    Fail, Task,
    exchange::Exchange,
    waker::{self, Woken},
};

pub(super) struct Place {
    /// Which stream has it, by the number that no other stream of the VM ever has; 0 if none.
    pub(super) number: Cell<u64>,
    pub(super) context: Cell<u32>,
    pub(super) root: Cell<u32>,
    pub(super) fail: Cell<Option<Fail>>,
    pub(super) task: Cell<Option<Task>>,
    /// How many call-outs of the stream are on their way.
    pub(super) calls: Cell<usize>,
    pub(super) exchange: RefCell<Exchange>,
    pub(super) waker: Waker,
    pub(super) woken: Woken,
}

struct Places {
    all: Vec<&'static Place>,
    free: Vec<&'static Place>,
    last_number: u64,
}

thread_local! {
    static PLACES: RefCell<Places> = const { RefCell::new(Places { all: Vec::new(), free: Vec::new(), last_number: 0 }) };
}

/// A place for a new stream, and its number.
pub(super) fn take() -> (&'static Place, u64) {
    PLACES.with_borrow_mut(|places| {
        let place = places.free.pop().unwrap_or_else(|| {
            let place = Place::leak();
            places.all.push(place);
            place
        });
        places.last_number += 1;
        (place, places.last_number)
    })
}

/// Takes back the place of a stream that is over. While the thread ends it is not needed any more.
pub(super) fn give_back(place: &'static Place) {
    let _ = PLACES.try_with(|places| places.borrow_mut().free.push(place));
}

/// The places whose stream was woken and has not run since.
pub(super) fn woken() -> Vec<&'static Place> {
    PLACES.try_with(|places| places.borrow().all.iter().copied().filter(|place| place.woken.is_set()).collect()).unwrap_or_default()
}

// === impl Place ===

impl Place {
    fn leak() -> &'static Self {
        let (waker, woken) = waker::new();
        Box::leak(Box::new(Self {
            number: Cell::new(0),
            context: Cell::new(0),
            root: Cell::new(0),
            fail: Cell::new(None),
            task: Cell::new(None),
            calls: Cell::new(0),
            exchange: RefCell::new(Exchange::default()),
            waker,
            woken,
        }))
    }
}
