use std::{collections::BTreeMap, time::Duration};

use super::{Dimensions, Value};

/// How much is granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Amount {
    pub(crate) max: u64,
    /// Within any so long; zero: once, until it is given back.
    pub(crate) valid: Duration,
}

/// The limit of a quota, and other ones for some dimensions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Limit {
    pub(crate) amount: Amount,
    pub(crate) overrides: Vec<Override>,
}

/// Another limit, for requests with these dimensions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Override {
    pub(crate) dimensions: BTreeMap<String, String>,
    pub(crate) amount: Amount,
}

// === impl Limit ===

impl Limit {
    /// The amount of the first override that matches; else its own.
    pub(crate) fn of(&self, dimensions: &Dimensions) -> Amount {
        self.overrides.iter().find(|other| other.matches(dimensions)).map_or(self.amount, |other| other.amount)
    }
}

// === impl Override ===

impl Override {
    /// Every dimension must have its value; one that the request does not have is the empty text. Without any it is for all.
    fn matches(&self, dimensions: &Dimensions) -> bool {
        self.dimensions.iter().all(|(name, text)| dimensions.get(name).map_or(text.is_empty(), |value: &Value| value.is(text)))
    }
}
