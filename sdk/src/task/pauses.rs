use std::time::Duration;

use crate::random;

/// The pauses before what failed is tried again: a second at first, half a minute at most, and each between a half and the whole of that, so that not all workers come at once.
#[derive(Debug)]
pub(crate) struct Pauses(Duration);

// === impl Pauses ===

impl Default for Pauses {
    fn default() -> Self {
        Self(Duration::from_secs(1))
    }
}

impl Pauses {
    /// The next one.
    pub(crate) fn next(&mut self) -> Duration {
        let half = self.0 / 2;
        self.0 = (self.0 * 2).min(Duration::from_secs(30));
        half + random::duration(half)
    }
}
