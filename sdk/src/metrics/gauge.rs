use super::refused;
use crate::{HostError, abi};

/// A number that is set: the last one, whichever worker it came from, is what the proxy shows.
///
/// What goes up and down by steps, such as the requests under way, is an [`UpDownCounter`](super::UpDownCounter): all workers share one number, so that none of them could read it, add to it and set it without undoing what another does
/// meanwhile. Give the two different names.
///
/// A filter gets it from [`Plugin::gauge`](crate::Plugin::gauge) or [`Plugin::gauge_family`](crate::Plugin::gauge_family).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gauge {
    pub(super) id: u32,
}

// === impl Gauge ===

impl Gauge {
    /// Sets the number. What the proxy refuses is logged, once for each gauge.
    pub fn set(&self, value: u64) {
        if let Err(status) = abi::record_metric(self.id, value) {
            refused::tell(self.id, "set a gauge", status);
        }
    }

    /// The number that was set last; 0 if none was.
    ///
    /// # Errors
    ///
    /// [`HostError`] if the proxy refuses.
    pub fn value(&self) -> Result<u64, HostError> {
        read(self.id)
    }
}

pub(super) fn read(id: u32) -> Result<u64, HostError> {
    abi::metric(id).map_err(|status| HostError::new("read a gauge", status))
}
