use inproxy::{config::Duration, prelude::*};

use crate::bucket::Fill;

/// A token bucket, as Envoy's local rate limit has it.
#[config(schema)]
#[derive(Debug)]
pub(crate) struct Settings {
    /// How many tokens it can hold, and holds at first.
    max_tokens: u64,
    /// How many are put in each time.
    #[serde(default = "one")]
    tokens_per_fill: u64,
    /// How often.
    fill_interval: Duration,
}

/// A bucket that cannot be meant.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BucketError {
    #[error("fill_interval: must be at least \"1ms\"")]
    Interval,
    #[error("tokens_per_fill: a bucket that is never filled refuses for ever: write at least 1")]
    Nothing,
}

// === impl Settings ===

impl Settings {
    pub(crate) fn fill(&self) -> Result<Fill, BucketError> {
        let fill = Fill { max_tokens: self.max_tokens, tokens_per_fill: self.tokens_per_fill, fill_interval: self.fill_interval.get() };
        match fill {
            fill if fill.fill_interval.as_millis() == 0 => Err(BucketError::Interval),
            fill if fill.tokens_per_fill == 0 => Err(BucketError::Nothing),
            fill => Ok(fill),
        }
    }
}

fn one() -> u64 {
    1
}
