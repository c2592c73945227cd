//! Ticks: how tasks run that wait for a time, or that were woken in a callback that is not theirs.
//!
//! The proxy has one timer for each root context, which comes again and again. It is set to the time that is next, anew at each tick.

use std::{cell::RefCell, time::Duration};

use super::{StreamId, places, timers, waker};
use crate::{
    abi::{self, needs, vm_local},
    hooks::above,
};

/// How soon a task runs that was woken elsewhere: the shortest period that the proxy has.
const SOON: u64 = MILLISECOND;

const MILLISECOND: u64 = Duration::from_millis(1).as_nanos() as u64;

/// In the place of its time, of a tick that the proxy has refused: somebody waits for it, so that it is set again at the end of a callback.
const REFUSED: u64 = u64::MAX;

vm_local! {
    /// The root contexts whose tick is set, and when it comes, in nanoseconds of the monotonic clock. Setting it again would start its time anew.
    static ARMED: RefCell<Vec<(u32, u64)>> = RefCell::new(Vec::new());
}

/// Runs the tasks of this root context that were woken, or whose time has come; to be called in its tick.
pub(crate) fn tick(root: u32) {
    forget(root);
    timers::fire(root, abi::monotonic_clock());
    run_woken(root);
    // What was set meanwhile may be gone already, and with it the reason for the tick.
    match timers::next(root) {
        Some(at) => set(root, at),
        // Whoever is woken again, by itself or by another, has the tick set again when this callback ends.
        None => stop(root),
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
    if !comes_by(root, at) {
        set(root, at);
    }
}

/// Whether the tick is set for this time, or an earlier one.
fn comes_by(root: u32, at: u64) -> bool {
    armed(|armed| armed.iter().any(|(other, due)| *other == root && *due <= at))
}

/// Sets a tick for each root context that has woken tasks, or whose tick was refused; to be called at the end of every callback.
pub(super) fn arm(context: u32) {
    let refused = armed(|armed| armed.iter().filter(|(_, due)| *due == REFUSED).map(|(root, _)| *root).collect::<Vec<_>>());
    // Once for each time that somebody is woken: who was woken before has the tick set already.
    if !waker::woken_since() && refused.is_empty() {
        return;
    }
    let soon = abi::monotonic_clock().saturating_add(SOON);
    let mut moved = false;
    let mut set_soon = |root| {
        if comes_by(root, soon) {
            return;
        }
        moved = true;
        match abi::set_effective_context(root) {
            Ok(()) => set(root, soon),
            Err(status) => cannot_set(root, status),
        }
    };
    refused.into_iter().for_each(&mut set_soon);
    for place in places::woken() {
        if StreamId::at(place).is_none() {
            place.woken.take();
            continue;
        }
        set_soon(place.root.get());
    }
    // At the end of a stream the proxy may not know it any more, and nothing else will be called for it.
    if moved {
        let _ = abi::set_effective_context(context);
    }
}

/// A root context is gone, and its tick with it.
pub(super) fn forget(root: u32) {
    armed(|armed| {
        armed.retain(|(other, due)| {
            if *other == root && *due == REFUSED {
                above::no_reason();
            }
            *other != root
        });
    });
}

/// Sets the tick of the effective root context; what the proxy refuses is set again when a callback ends.
fn set(root: u32, at: u64) {
    needs!("tick");
    forget(root);
    let wait = at.saturating_sub(abi::monotonic_clock());
    // Never too early, at which nobody's time would have come, and never at once, which would be "stop".
    let period = u32::try_from(wait.div_ceil(MILLISECOND)).unwrap_or(u32::MAX).max(1);
    match abi::set_tick_period(period) {
        Ok(()) => armed(|armed| armed.push((root, at))),
        Err(status) => cannot_set(root, status),
    }
}

#[cold]
fn cannot_set(root: u32, status: abi::Status) {
    log::error!("the tick of the plugin could not be set: the proxy answered {status}");
    forget(root);
    above::reason();
    armed(|armed| armed.push((root, REFUSED)));
}

fn stop(root: u32) {
    forget(root);
    if let Err(status) = abi::set_tick_period(0) {
        log::error!("the tick of the plugin could not be stopped: the proxy answered {status}");
    }
}

/// Nothing is set while the thread ends.
fn armed<T: Default>(act: impl FnOnce(&mut Vec<(u32, u64)>) -> T) -> T {
    ARMED.try_with(|armed| act(&mut armed.borrow_mut())).unwrap_or_default()
}
