//! Ticks: how tasks run that wait for a time, or that were woken in a callback that is not theirs.
//!
//! The proxy has one timer for each root context, which comes again and again. It is set to the time that is next, anew at each tick.

use std::{cell::RefCell, time::Duration};

use super::{StreamId, places, timers};
use crate::abi::{self, needs};

/// How soon a task runs that was woken elsewhere: the shortest period that the proxy has.
const SOON: u64 = MILLISECOND;

const MILLISECOND: u64 = Duration::from_millis(1).as_nanos() as u64;

thread_local! {
    /// The root contexts whose tick is set, and when it comes, in nanoseconds of the monotonic clock. Setting it again would start its time anew.
    static ARMED: RefCell<Vec<(u32, u64)>> = const { RefCell::new(Vec::new()) };
}

/// Runs the tasks of this root context that were woken, or whose time has come; to be called in its tick.
pub(crate) fn tick(root: u32) {
    armed(|armed| armed.retain(|(other, _)| *other != root));
    timers::fire(root, abi::monotonic_clock());
    run_woken(root);
    match timers::next(root) {
        Some(at) => no_later_than(root, at),
        // Whoever is woken again, by itself or by another, has the tick set again when this callback ends.
        None => set_period(0),
    }
}

/// Runs the tasks of this root context that were woken; to be called in a callback of it.
pub(crate) fn run_woken(root: u32) {
    for place in places::woken() {
        if let Some(id) = StreamId::at(place).filter(|_| place.root.get() == root) {
            id.run_from_root();
        }
    }
}

/// Has the root context, or one of whose streams a callback runs, ticked at this time at the latest.
pub(super) fn no_later_than(root: u32, at: u64) {
    needs!("tick");
    let now = abi::monotonic_clock();
    let earlier = armed(|armed| armed.iter().any(|(other, due)| *other == root && *due <= at.max(now)));
    if earlier {
        return;
    }
    armed(|armed| {
        armed.retain(|(other, _)| *other != root);
        armed.push((root, at));
    });
    // Never too early, at which nobody's time would have come, and never at once, which would be "stop".
    set_period(u32::try_from(at.saturating_sub(now).div_ceil(MILLISECOND)).unwrap_or(u32::MAX).max(1));
}

/// Sets a tick for each root context that has woken tasks; to be called at the end of every callback.
pub(super) fn arm(context: u32) {
    let mut moved = false;
    for place in places::woken() {
        if StreamId::at(place).is_none() {
            place.woken.take();
            continue;
        }
        let root = place.root.get();
        let soon = abi::monotonic_clock().saturating_add(SOON);
        if armed(|armed| armed.iter().any(|(other, due)| *other == root && *due <= soon)) {
            continue;
        }
        moved = true;
        match abi::set_effective_context(root) {
            Ok(()) => no_later_than(root, soon),
            Err(status) => log::error!("a stream cannot be woken: the proxy answered {status}"),
        }
    }
    // At the end of a stream the proxy may not know it any more, and nothing else will be called for it.
    if moved {
        let _ = abi::set_effective_context(context);
    }
}

/// A root context is gone, and its tick with it.
pub(super) fn forget(root: u32) {
    armed(|armed| armed.retain(|(other, _)| *other != root));
}

fn set_period(milliseconds: u32) {
    if let Err(status) = abi::set_tick_period(milliseconds) {
        log::error!("the tick of the plugin could not be set: the proxy answered {status}");
    }
}

/// Nothing is set while the thread ends.
fn armed<T: Default>(act: impl FnOnce(&mut Vec<(u32, u64)>) -> T) -> T {
    ARMED.try_with(|armed| act(&mut armed.borrow_mut())).unwrap_or_default()
}
