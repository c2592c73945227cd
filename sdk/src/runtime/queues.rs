//! Who waits for messages of which queue. A filter that waits for none has nothing of this in its module.

use std::{cell::RefCell, collections::BTreeMap, task::Waker};

use super::{Wakers, ticks};
use crate::{
    abi::{needs, vm_local},
    hooks::above,
};

vm_local! {
    static WAITING: RefCell<BTreeMap<u32, Wakers>> = RefCell::new(BTreeMap::new());
}

/// Has a waker woken when a message has come into a queue.
pub(crate) fn wait(queue: u32, waker: &Waker) {
    needs!("queue_ready");
    above::on_queue(ready);
    WAITING.with_borrow_mut(|waiting| waiting.entry(queue).or_default().wait(waker));
}

/// A message has come, in a callback of this root context.
fn ready(root: u32, queue: u32) {
    let waiting = WAITING.with_borrow_mut(|waiting| waiting.remove(&queue));
    if let Some(waiting) = waiting {
        waiting.wake();
    }
    ticks::run_woken(root);
}
