use inproxy::{
    metrics::{Counter, Family},
    prelude::*,
};

use crate::policy::{Outcome, Verdict};

/// What the filter counts.
#[derive(Debug)]
pub(crate) struct Metrics {
    checks: Family<Counter, 2>,
    requests: Family<Counter, 1>,
    shadows: Family<Counter, 2>,
    cache: Family<Counter, 2>,
}

// === impl Metrics ===

impl Metrics {
    pub(crate) fn new(plugin: &mut Plugin) -> Result<Self> {
        Ok(Self {
            checks: plugin.counter_family("auth.checks", ["check", "outcome"])?,
            requests: plugin.counter_family("auth.requests", ["outcome"])?,
            shadows: plugin.counter_family("auth.shadows", ["rule", "outcome"])?,
            cache: plugin.counter_family("auth.cache", ["check", "outcome"])?,
        })
    }

    /// What a check has said, and whether that is why a request may pass of which it could say nothing.
    pub(crate) fn check(&self, check: &str, outcome: &Outcome, fail_open: bool) {
        let said = if fail_open && outcome.is_err() { "undecided_allowed" } else { said(outcome) };
        self.checks.with([check, said]).increment();
    }

    /// Whether a decision was there already.
    pub(crate) fn kept(&self, check: &str, hit: bool) {
        self.cache.with([check, if hit { "hit" } else { "miss" }]).increment();
    }

    pub(crate) fn request(&self, outcome: &Outcome) {
        self.requests.with([said(outcome)]).increment();
    }

    /// What a rule would have done.
    pub(crate) fn shadow(&self, rule: &str, outcome: &Outcome) {
        let said = said(outcome);
        log::info!("shadow rule {rule}: {said}");
        self.shadows.with([rule, said]).increment();
    }
}

fn said(outcome: &Outcome) -> &'static str {
    match outcome {
        Ok(Verdict::Allow(_)) => "allowed",
        Ok(Verdict::Deny(_)) => "denied",
        Err(_) => "undecided",
    }
}
