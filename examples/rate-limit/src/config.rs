//! What the operator writes.

pub(crate) mod bucket;
pub(crate) mod dimension;
pub(crate) mod global;
pub(crate) mod quota;

use std::collections::BTreeMap;

use inproxy::{config::Match, envoy::cel::Expression, prelude::*};

use self::dimension::Source;

/// The filter's configuration.
#[config(schema)]
#[derive(Debug, Default)]
pub struct Settings {
    /// All that match a request are asked, in this order.
    #[serde(default)]
    pub(crate) limits: Vec<Limit>,
    /// Which headers tell clients of their limits.
    #[serde(default)]
    pub(crate) headers: Headers,
    /// The status of what is refused.
    #[serde(default = "too_many_requests")]
    pub(crate) status: u16,
    /// The body of what is refused.
    #[serde(default = "rate_limited")]
    pub(crate) body: String,
}

/// How much of what is granted to whom.
#[config(schema)]
#[derive(Debug)]
pub(crate) struct Limit {
    /// What logs, metrics and the shared counts call it; different for each.
    pub(crate) name: String,
    /// Which requests count, by host, route, method and path; all, if it is not there.
    pub(crate) r#match: Option<Match>,
    /// Which of these, by an expression in CEL. If it cannot be evaluated, `fail_open` says what becomes of the request.
    pub(crate) when: Option<Expression>,
    /// What tells requests apart, by name; without any, all requests are counted together.
    #[serde(default)]
    pub(crate) dimensions: BTreeMap<String, Source>,
    /// For how much a request counts: a whole number, by an expression in CEL; 1 unless set.
    pub(crate) amount: Option<Expression>,
    /// Counted here, as Mixer's `memquota` did.
    pub(crate) quota: Option<quota::Settings>,
    /// Counted here, by a token bucket.
    pub(crate) bucket: Option<bucket::Settings>,
    /// Counted by a service, for many proxies.
    pub(crate) global: Option<global::Settings>,
    /// For how many different keys at the same time there is room, about: one for each so many clients, paths, or what the dimensions are. Rounded up to a multiple of eight.
    #[serde(default = "keys")]
    pub(crate) keys: u32,
    /// Whether a request passes that cannot be counted: because there is no room for its key, because other workers were first at each attempt, because the service that counts does not answer.
    #[serde(default = "yes")]
    pub(crate) fail_open: bool,
    /// It refuses nothing: what it would refuse is counted and logged.
    #[serde(default)]
    pub(crate) shadow: bool,
    /// How many of a hundred requests that it would refuse are refused; the others pass, and count as those of a shadow.
    #[serde(default = "all")]
    pub(crate) enforced_percent: u8,
}

/// Which headers tell clients of their limits.
#[config(schema)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Headers {
    /// `x-ratelimit-limit`, `x-ratelimit-remaining` and `x-ratelimit-reset`, of the limit of which the least is left; `retry-after` when refused.
    #[default]
    XRatelimit,
    /// Only `retry-after`, when refused.
    RetryAfter,
    /// None.
    None,
}

fn too_many_requests() -> u16 {
    429
}

fn rate_limited() -> String {
    "rate_limited".to_owned()
}

fn keys() -> u32 {
    8192
}

fn all() -> u8 {
    100
}

fn yes() -> bool {
    true
}
