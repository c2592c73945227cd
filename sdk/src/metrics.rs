//! Counters in the proxy's statistics.

use crate::{
    abi::{self, MetricType},
    error::{HostError, Result},
};

/// A number that only grows, summed over all workers. It appears as `wasmcustom.<name>` in Envoy's
/// [statistics](https://www.envoyproxy.io/docs/envoy/v1.40.0/operations/admin#get--stats).
///
/// A filter gets it once, from [`Plugin::counter`](crate::Plugin::counter).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counter {
    id: u32,
}

// === impl Counter ===

impl Counter {
    pub(crate) fn define(name: &str) -> Result<Self> {
        let id = abi::define_metric(MetricType::Counter, name).map_err(|status| HostError::new("define a counter", status))?;
        Ok(Self { id })
    }

    /// Adds one.
    pub fn increment(&self) {
        self.add(1);
    }

    /// Adds `count`; zero does nothing, and so does more than `i64::MAX`, which the proxy cannot take.
    pub fn add(&self, count: u64) {
        if let Ok(count @ 1..) = i64::try_from(count)
            && let Err(status) = abi::increment_metric(self.id, count)
        {
            log::warn!("a counter was not incremented: the proxy answered {status}");
        }
    }
}
