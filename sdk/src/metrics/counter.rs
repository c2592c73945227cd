use super::refused;
use crate::{HostError, abi};

/// A number that only grows, summed over all workers.
///
/// A filter gets it once, from [`Plugin::counter`](crate::Plugin::counter), or with labels from [`Plugin::counter_family`](crate::Plugin::counter_family). Each change is one call of the proxy, and none fails: what the proxy refuses is
/// logged, once for each counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counter {
    pub(super) id: u32,
}

// === impl Counter ===

impl Counter {
    /// Adds one.
    pub fn increment(&self) {
        self.add(1);
    }

    /// Adds `count`; zero does nothing, and so does more than `i64::MAX`, which the proxy cannot take.
    pub fn add(&self, count: u64) {
        if let Ok(count @ 1..) = i64::try_from(count)
            && let Err(status) = abi::increment_metric(self.id, count)
        {
            refused::tell(self.id, "increment a counter", status);
        }
    }

    /// The number, as all workers have counted it since the proxy was started.
    ///
    /// # Errors
    ///
    /// [`HostError`] if the proxy refuses.
    pub fn value(&self) -> Result<u64, HostError> {
        abi::metric(self.id).map_err(|status| HostError::new("read a counter", status))
    }
}
