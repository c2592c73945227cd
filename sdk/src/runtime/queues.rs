//! Who waits for messages of which queue. A filter that waits for none has nothing of this in its module.

use std::{cell::RefCell, collections::BTreeMap, task::Waker};

use super::ticks;
use crate::{abi::needs, hooks::above};

thread_local! {
    static WAITING: RefCell<BTreeMap<u32, Vec<Waker>>> = const { RefCell::new(BTreeMap::new()) };
}

/// Has a waker woken when a message has come into a queue.
pub(crate) fn wait(queue: u32, waker: &Waker) {
    needs!("queue_ready");
    above::on_queue(ready);
    WAITING.with_borrow_mut(|waiting| {
        let waiting = waiting.entry(queue).or_default();
        if !waiting.iter().any(|other| other.will_wake(waker)) {
            waiting.push(waker.clone());
        }
    });
}

/// A message has come, in a callback of this root context.
fn ready(root: u32, queue: u32) {
    let waiting = WAITING.with_borrow_mut(|waiting| waiting.remove(&queue));
    waiting.into_iter().flatten().for_each(Waker::wake);
    ticks::run_woken(root);
}
