use std::{cell::Cell, fmt, rc::Rc};

use super::{gauge, refused};
use crate::{HostError, abi};

/// A number that goes up and down by steps, summed over all workers: requests under way, entries of a cache. In the proxy it is a gauge.
///
/// Envoy's gauges do not stop at zero: 0 less 1 is 2⁶⁴ − 1. So it takes back only what it has added itself, and each worker what that worker has added, so that the sum is never below zero, whoever is first. Clones count as one. When the
/// last of them is dropped, as with the filter when another configuration comes, what it still has is taken back. (One of a [`Family`](super::Family) is kept with its label set until the VM ends.) Only what a VM has when it
/// traps stays in the proxy.
///
/// A filter gets it from [`Plugin::up_down_counter`](crate::Plugin::up_down_counter) or [`Plugin::up_down_counter_family`](crate::Plugin::up_down_counter_family).
///
/// # Examples
///
/// ```
/// use inproxy::{metrics::UpDownCounter, prelude::*};
///
/// struct InFlight {
///     requests: UpDownCounter,
/// }
///
/// impl HttpFilter for InFlight {
///     async fn handle(&self, request: Request, next: Next) -> Result<Response> {
///         // Until the response's headers are here, or whatever ends this before.
///         let _under_way = self.requests.hold();
///         Ok(next.run(request).await)
///     }
/// }
/// ```
#[derive(Clone)]
pub struct UpDownCounter {
    share: Rc<Share>,
}

/// Takes back what [`UpDownCounter::hold`] has added, when it is dropped.
#[derive(Debug)]
#[must_use = "it takes back at once what was added, unless it is kept"]
pub struct UpDownGuard {
    counter: UpDownCounter,
}

/// What of the number is this one's.
struct Share {
    id: u32,
    count: Cell<u64>,
}

// === impl UpDownCounter ===

impl UpDownCounter {
    pub(super) fn new(id: u32) -> Self {
        Self { share: Rc::new(Share { id, count: Cell::new(0) }) }
    }

    /// Adds one.
    pub fn increment(&self) {
        self.add(1);
    }

    /// Takes one back, if there is one that it has added.
    pub fn decrement(&self) {
        self.sub(1);
    }

    /// Adds `count`; more than `i64::MAX` in all is not added. What the proxy refuses is logged, once for each metric.
    pub fn add(&self, count: u64) {
        let share = &*self.share;
        let Some(sum) = share.count.get().checked_add(count).filter(|sum| i64::try_from(*sum).is_ok()) else { return };
        if share.change(count.cast_signed()) {
            share.count.set(sum);
        }
    }

    /// Takes `count` back, or all that it has added, if that is less.
    pub fn sub(&self, count: u64) {
        let share = &*self.share;
        let less = count.min(share.count.get());
        if share.change(-less.cast_signed()) {
            share.count.set(share.count.get() - less);
        }
    }

    /// Adds one, until what is returned is dropped.
    pub fn hold(&self) -> UpDownGuard {
        self.increment();
        UpDownGuard { counter: self.clone() }
    }

    /// The sum of what all workers have.
    ///
    /// # Errors
    ///
    /// [`HostError`] if the proxy refuses.
    pub fn value(&self) -> Result<u64, HostError> {
        gauge::read(self.share.id)
    }
}

impl fmt::Debug for UpDownCounter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UpDownCounter").field("id", &self.share.id).finish_non_exhaustive()
    }
}

// === impl UpDownGuard ===

impl Drop for UpDownGuard {
    fn drop(&mut self) {
        self.counter.decrement();
    }
}

// === impl Share ===

impl Share {
    /// Whether the number was changed.
    fn change(&self, by: i64) -> bool {
        if by == 0 {
            return false;
        }
        let changed = abi::increment_metric(self.id, by);
        if let Err(status) = changed {
            refused::tell(self.id, "change an up-down counter", status);
        }
        changed.is_ok()
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let left = self.count.get();
        if left > 0 {
            let _ = abi::increment_metric(self.id, -left.cast_signed());
        }
    }
}
