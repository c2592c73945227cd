use std::collections::BTreeMap;

use inproxy::{config::Duration, prelude::*};

use crate::quota::{Amount, Limit, Override, TICKS_PER_SECOND};

/// A quota, as Mixer's `memquota` had it.
#[config(schema)]
#[derive(Debug)]
pub(crate) struct Settings {
    /// How much is granted.
    #[serde(alias = "maxAmount")]
    max_amount: u64,
    /// Within any so long; rounded up to whole seconds. Without it, what was granted is in use until its request is over: a limit of requests at the same time.
    #[serde(default, alias = "validDuration")]
    valid_duration: Duration,
    /// Other amounts for some dimensions; the first that matches is taken.
    #[serde(default)]
    overrides: Vec<Exception>,
    /// A request that is sent once more with the value that this header had gets the answer that it got before.
    pub(crate) deduplicate_by: Option<HeaderName>,
    /// For how long such a value is remembered, at least; at most twice as long.
    #[serde(default = "second", alias = "minDeduplicationDuration")]
    pub(crate) min_deduplication_duration: Duration,
}

/// Another amount for some dimensions.
#[config(schema)]
#[derive(Debug)]
struct Exception {
    /// Each of these must have this value; one that a request does not have is the empty text. Without any, it is for all.
    #[serde(default)]
    dimensions: BTreeMap<String, String>,
    #[serde(alias = "maxAmount")]
    max_amount: u64,
    #[serde(default, alias = "validDuration")]
    valid_duration: Duration,
}

/// A quota that cannot be meant.
#[derive(Debug, thiserror::Error)]
pub(crate) enum QuotaError {
    #[error("min_deduplication_duration: must be more than nothing, such as \"1s\"")]
    Deduplication,
    #[error("{0}valid_duration: some windows have no end and others do: a key is counted in one way only")]
    Mixed(String),
    #[error(
        "{0}valid_duration: {1} grants in a window of {2} s are more than the {MOST_GRANTS} that are remembered one by one: take a bucket, or a shorter window"
    )]
    TooMany(String, u64, u64),
    #[error("overrides[{0}].dimensions: there is no dimension {1:?}; there is {2}")]
    Unknown(usize, String, String),
}

/// More would make what is shared too large to be copied for each request.
const MOST_GRANTS: u64 = 1024;

// === impl Settings ===

impl Settings {
    /// The limit.
    pub(crate) fn limit<'a>(&self, dimensions: impl Iterator<Item = &'a String> + Clone) -> Result<Limit, QuotaError> {
        if self.min_deduplication_duration.get().is_zero() {
            return Err(QuotaError::Deduplication);
        }
        let amount = amount(self.max_amount, self.valid_duration, "")?;
        let overrides = self.overrides.iter().enumerate().map(|(place, other)| {
            if let Some(name) = other.dimensions.keys().find(|name| !dimensions.clone().any(|known| known == *name)) {
                let known = dimensions.clone().cloned().collect::<Vec<_>>().join(", ");
                return Err(QuotaError::Unknown(place, name.clone(), if known.is_empty() { "none".to_owned() } else { known }));
            }
            let at = format!("overrides[{place}].");
            if other.valid_duration.get().is_zero() != amount.valid.is_zero() {
                return Err(QuotaError::Mixed(at));
            }
            Ok(Override { dimensions: other.dimensions.clone(), amount: self::amount(other.max_amount, other.valid_duration, &at)? })
        });
        Ok(Limit { amount, overrides: overrides.collect::<Result<_, _>>()? })
    }
}

fn amount(max: u64, valid: Duration, at: &str) -> Result<Amount, QuotaError> {
    let valid = valid.get();
    let seconds = valid.as_secs() + u64::from(valid.subsec_nanos() > 0);
    // A grant for each unit, or one for each tick.
    if max.min(seconds.saturating_mul(TICKS_PER_SECOND)) > MOST_GRANTS {
        return Err(QuotaError::TooMany(at.to_owned(), max, seconds));
    }
    Ok(Amount { max, valid })
}

fn second() -> Duration {
    Duration::from_secs(1)
}
