//! Timers: who is to be woken when, by root context. A filter that waits for no time has nothing of this in its module: it is reached only through [`USED`].

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    task::Waker,
};

use super::ticks;
use crate::abi::vm_local;

/// A timer that was set; it is taken away when this is dropped.
#[derive(Debug)]
pub(crate) struct Timer(Key);

/// The root context, the time in nanoseconds of the monotonic clock, and a number that tells timers of one time apart.
type Key = (u32, u64, u64);

/// What a tick has to do about timers.
#[derive(Clone, Copy)]
struct Use {
    fire: fn(u32, u64),
    next: fn(u32) -> Option<u64>,
}

vm_local! {
    /// There once a timer was set.
    static USED: Cell<Option<Use>> = Cell::new(None);
    static TIMERS: RefCell<BTreeMap<Key, Waker>> = RefCell::new(BTreeMap::new());
    static SET: Cell<u64> = Cell::new(0);
}

/// Wakes whoever waits for a time up to `now`, of one root context.
pub(super) fn fire(root: u32, now: u64) {
    if let Some(used) = USED.get() {
        (used.fire)(root, now);
    }
}

/// The next time that somebody waits for, of one root context.
pub(super) fn next(root: u32) -> Option<u64> {
    USED.get().and_then(|used| (used.next)(root))
}

// === impl Timer ===

impl Timer {
    /// Has a waker woken at a time, in a task of this root context, whose turn it is.
    pub(crate) fn set(root: u32, at: u64, waker: Waker) -> Self {
        USED.set(Some(Use { fire: fire_due, next: next_due }));
        let key = (root, at, SET.replace(SET.get() + 1));
        TIMERS.with_borrow_mut(|timers| timers.insert(key, waker));
        ticks::no_later_than(root, at);
        Self(key)
    }

    /// Whether its time has not come yet.
    pub(crate) fn is_set(&self) -> bool {
        TIMERS.with_borrow(|timers| timers.contains_key(&self.0))
    }

    /// Puts another waker in the place of its own.
    pub(crate) fn wakes(&self, waker: &Waker) {
        let old = TIMERS.with_borrow_mut(|timers| timers.get_mut(&self.0).map(|old| std::mem::replace(old, waker.clone())));
        // Dropped when nothing is borrowed any more.
        drop(old);
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        let waker = TIMERS.try_with(|timers| timers.borrow_mut().remove(&self.0));
        drop(waker);
    }
}

fn fire_due(root: u32, now: u64) {
    loop {
        let due = TIMERS.with_borrow_mut(|timers| {
            let key = timers.range((root, 0, 0)..=(root, now, u64::MAX)).next().map(|(key, _)| *key)?;
            timers.remove(&key)
        });
        match due {
            Some(waker) => waker.wake(),
            None => return,
        }
    }
}

fn next_due(root: u32) -> Option<u64> {
    TIMERS.with_borrow(|timers| timers.range((root, 0, 0)..=(root, u64::MAX, u64::MAX)).next().map(|((_, at, _), _)| *at))
}
