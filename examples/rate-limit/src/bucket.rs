//! A token bucket, as Envoy's local rate limit has it: it is filled at fixed times, and each request takes some.

use std::time::Duration;

/// How a bucket is filled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fill {
    /// How many it can hold.
    pub(crate) max_tokens: u64,
    /// How many are put in each time.
    pub(crate) tokens_per_fill: u64,
    /// How often; not zero.
    pub(crate) fill_interval: Duration,
}

/// What is in a bucket. It has bytes, so that all workers can share it.
#[derive(Clone, Copy, PartialEq, prost::Message)]
pub(crate) struct Bucket {
    #[prost(uint64, tag = "1")]
    tokens: u64,
    /// When it was last filled, in milliseconds since the epoch.
    #[prost(uint64, tag = "2")]
    filled: u64,
}

/// What a bucket says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Taken {
    /// Whether there were enough.
    pub(crate) granted: bool,
    pub(crate) left: u64,
    /// How long until it is filled again.
    pub(crate) next_fill: Duration,
}

// === impl Bucket ===

impl Bucket {
    /// A full one.
    pub(crate) fn full(fill: &Fill, now: Duration) -> Self {
        Self { tokens: fill.max_tokens, filled: milliseconds(now) }
    }

    /// Takes some tokens, or none if there are not enough.
    pub(crate) fn take(&mut self, tokens: u64, fill: &Fill, now: Duration) -> Taken {
        let interval = milliseconds(fill.fill_interval).max(1);
        // A clock that was set back fills nothing.
        let fills = milliseconds(now).saturating_sub(self.filled) / interval;
        self.tokens = self.tokens.saturating_add(fills.saturating_mul(fill.tokens_per_fill)).min(fill.max_tokens);
        self.filled = self.filled.saturating_add(fills.saturating_mul(interval));
        let granted = tokens <= self.tokens;
        if granted {
            self.tokens -= tokens;
        }
        let next_fill = self.filled.saturating_add(interval).saturating_sub(milliseconds(now));
        Taken { granted, left: self.tokens, next_fill: Duration::from_millis(next_fill) }
    }
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// §4.31
    #[test]
    fn a_burst_empties_it_and_time_fills_it() {
        let fill = Fill { max_tokens: 20, tokens_per_fill: 10, fill_interval: Duration::from_secs(1) };
        let mut bucket = Bucket::full(&fill, Duration::ZERO);
        let mut burst = |at: u64| (0..30).filter(|_| bucket.take(1, &fill, Duration::from_millis(at)).granted).count();
        assert_eq!([burst(0), burst(1500), burst(1900), burst(2000), burst(60_000)], [20, 10, 0, 10, 20]);
    }
}
