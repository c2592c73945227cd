//! Ticks: how streams run that were woken in a callback that is not theirs.

use std::cell::RefCell;

use super::{StreamId, places};
use crate::abi::{self, needs};

/// How soon such a stream runs.
const SOON_MS: u32 = 1;

thread_local! {
    /// The root contexts whose tick is set. Setting it again would start its time anew.
    static ARMED: RefCell<Vec<u32>> = const { RefCell::new(Vec::new()) };
}

/// Runs the streams of this root context that were woken; to be called in its tick.
pub(crate) fn tick(root: u32) {
    armed(|armed| armed.retain(|other| *other != root));
    for place in places::woken() {
        if let Some(id) = StreamId::at(place).filter(|_| place.root.get() == root) {
            id.run_from_root();
        }
    }
    // Whoever is woken again, by itself or by another, has the tick set again when this callback ends.
    if let Err(status) = abi::set_tick_period(0) {
        log::error!("the tick of the plugin could not be stopped: the proxy answered {status}");
    }
}

/// Sets a tick for each root context that has woken streams; to be called at the end of every callback.
pub(super) fn arm(context: u32) {
    let mut moved = false;
    for place in places::woken() {
        if StreamId::at(place).is_none() {
            place.woken.take();
            continue;
        }
        let root = place.root.get();
        if armed(|armed| armed.contains(&root)) {
            continue;
        }
        moved = true;
        needs!("tick");
        match abi::set_effective_context(root).and_then(|()| abi::set_tick_period(SOON_MS)) {
            Ok(()) => armed(|armed| armed.push(root)),
            Err(status) => log::error!("a stream cannot be woken: the proxy answered {status}"),
        }
    }
    // At the end of a stream the proxy may not know it any more, and nothing else will be called for it.
    if moved {
        let _ = abi::set_effective_context(context);
    }
}

/// Nothing is set while the thread ends.
fn armed<T: Default>(act: impl FnOnce(&mut Vec<u32>) -> T) -> T {
    ARMED.try_with(|armed| act(&mut armed.borrow_mut())).unwrap_or_default()
}
