use std::cell::RefCell;

use crate::{
    HostError,
    abi::{Status, vm_local},
};

/// How many metrics are remembered; what others are refused is not logged.
const MOST: usize = 256;

vm_local! {
    static REFUSED: RefCell<Vec<u32>> = RefCell::new(Vec::new());
}

/// Tells of a change of a metric that the proxy refused, once for each metric: a request must not suffer from it, nor fill the log.
#[cold]
pub(super) fn tell(id: u32, call: &'static str, status: Status) {
    // While the thread ends there is nobody to tell.
    let is_new = REFUSED.try_with(|refused| {
        let Ok(mut refused) = refused.try_borrow_mut() else { return false };
        let is_new = refused.len() < MOST && !refused.contains(&id);
        if is_new {
            refused.push(id);
        }
        is_new
    });
    if is_new == Ok(true) {
        log::warn!("{}; further refusals for this metric are not logged", HostError::new(call, status));
    }
}
