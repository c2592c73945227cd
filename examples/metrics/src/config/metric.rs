use std::collections::BTreeMap;

use inproxy::{envoy::cel::Expression, prelude::*};

use super::shown::Shown;

/// A metric of one's own. Everything of it that is evaluated is so when the request is over.
#[config(schema)]
#[derive(Debug)]
pub(crate) struct Metric {
    /// What its name begins with, before a `_`.
    #[serde(default = "super::prefix")]
    pub(crate) namespace: String,
    /// Its name, which is made one of Prometheus': a `/` at its beginning is dropped, and so is each `-`; `.`, `/` and spaces become `_`.
    pub(crate) name: String,
    /// What is made of the values.
    pub(crate) kind: Kind,
    /// What is counted, set or observed: a number, a text that is one, or a duration, which counts in seconds. 1 unless set.
    pub(crate) value: Option<Shown>,
    /// What values are multiplied by: Envoy's metrics are whole numbers. For a duration of milliseconds 1000.
    #[serde(default = "one")]
    pub(crate) scale: u32,
    /// Labels, each with an expression in CEL. What cannot be evaluated is `unknown`.
    #[serde(default)]
    pub(crate) labels: BTreeMap<String, Shown>,
    /// The buckets of a distribution, before they are multiplied by `scale`; `cargo inproxy stats` tells Envoy of them. Envoy's own unless set.
    pub(crate) buckets: Option<Buckets>,
    /// For which requests there is a value, by an expression in CEL; all unless set.
    pub(crate) when: Option<Expression>,
}

/// What is made of the values.
#[config(schema)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum Kind {
    /// They are added.
    Counter,
    /// The last one counts.
    Gauge,
    /// How often which were observed.
    Distribution,
}

/// The upper bounds of a distribution's buckets.
#[config(schema)]
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Buckets {
    /// `offset + width × i`, for i from 0 to `num_finite_buckets`.
    #[serde(rename = "linear_buckets")]
    Linear {
        /// One less than there are bounds.
        num_finite_buckets: u16,
        /// From one to the next.
        width: f64,
        /// The first.
        offset: f64,
    },
    /// `scale × growth_factor^i`, for i from 0 to `num_finite_buckets`.
    #[serde(rename = "exponential_buckets")]
    Exponential {
        /// One less than there are bounds.
        num_finite_buckets: u16,
        /// From one to the next.
        growth_factor: f64,
        /// The first.
        scale: f64,
    },
    /// These.
    #[serde(rename = "explicit_buckets")]
    Explicit {
        /// Going up.
        bounds: Vec<f64>,
    },
}

const fn one() -> u32 {
    1
}
