use std::time::Duration;

use super::Grant;

/// What was granted to a request that has an id, so that it gets the same again when it is sent once more. Refusals are remembered too.
///
/// Mixer had two tables, and emptied the older one each so often; an id so lived between one and two of these times. The same comes of numbering the times.
#[derive(Clone, Copy, PartialEq, prost::Message)]
pub(crate) struct Remembered {
    #[prost(uint64, tag = "1")]
    amount: u64,
    /// Until when the grant holds, in milliseconds since the epoch.
    #[prost(uint64, tag = "2")]
    until: u64,
    /// The number of the time in which it was made.
    #[prost(uint64, tag = "3")]
    generation: u64,
}

// === impl Remembered ===

impl Remembered {
    pub(crate) fn new(grant: Grant, now: Duration, generation: Duration) -> Self {
        Self { amount: grant.amount, until: milliseconds(now.saturating_add(grant.valid)), generation: number(now, generation) }
    }

    /// What was granted, with what is left of its time; `None` if it was too long ago.
    pub(crate) fn replay(&self, now: Duration, generation: Duration) -> Option<Grant> {
        let recent = number(now, generation) <= self.generation.saturating_add(1);
        recent.then(|| Grant { amount: self.amount, valid: Duration::from_millis(self.until.saturating_sub(milliseconds(now))) })
    }
}

fn number(now: Duration, generation: Duration) -> u64 {
    u64::try_from(now.as_millis() / generation.as_millis().max(1)).unwrap_or(u64::MAX)
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
