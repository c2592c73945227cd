use inproxy::{
    metrics::{Counter, Family},
    prelude::*,
};

/// What the filter counts.
#[derive(Debug)]
pub(crate) struct Metrics(Family<Counter, 2>);

/// What became of a request at a limit.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Said {
    Granted,
    Limited,
    /// It would have been limited, but the limit does not enforce.
    ShadowLimited,
    /// It could not be counted, and was refused.
    Undecided,
    /// It could not be counted, and has passed.
    UndecidedAllowed,
}

// === impl Metrics ===

impl Metrics {
    pub(crate) fn new(plugin: &mut Plugin) -> Result<Self> {
        Ok(Self(plugin.counter_family("rate_limit.requests", ["limit", "outcome"])?))
    }

    pub(crate) fn count(&self, limit: &str, said: Said) {
        let said = match said {
            Said::Granted => "granted",
            Said::Limited => "limited",
            Said::ShadowLimited => "shadow_limited",
            Said::Undecided => "undecided",
            Said::UndecidedAllowed => "undecided_allowed",
        };
        self.0.with([limit, said]).increment();
    }
}
