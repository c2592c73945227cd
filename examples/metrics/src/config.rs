//! What the operator writes.

pub(crate) mod attribute;
pub(crate) mod expiry;
pub(crate) mod istio;
pub(crate) mod metric;
pub(crate) mod shown;

use inproxy::{envoy::cel::Expression, prelude::*};

use self::{attribute::Attribute, expiry::Expiry, istio::Istio, metric::Metric};

/// The configuration of both filters.
#[config(schema)]
#[derive(Debug, Default)]
pub struct Settings {
    /// Metrics of your own, of each request, as Mixer's Prometheus adapter had them.
    #[serde(default)]
    pub(crate) metrics: Vec<Metric>,
    /// Istio's standard metrics, and what is otherwise about them; without it there are none.
    pub(crate) istio: Option<Istio>,
    /// Attributes that are made of others, for labels: what kind of request it is, what class of answer.
    #[serde(default)]
    pub(crate) attributes: Vec<Attribute>,
    /// Which requests are not counted.
    #[serde(default)]
    pub(crate) exclude: Exclude,
    /// How many label sets the metrics with the same labels may have in the whole proxy. What comes beyond is counted in one more, whose labels are all `__overflow__`.
    #[serde(default = "thousand")]
    pub(crate) label_sets: usize,
    /// Refused: Envoy keeps a metric as long as it runs.
    #[expect(dead_code, reason = "it is there to be refused with the reason")]
    pub(crate) metrics_expiration_policy: Option<Expiry>,
}

/// Which requests are not counted.
#[config(schema)]
#[derive(Debug)]
pub(crate) struct Exclude {
    /// Those with these user agents: a text, `prefix*` or `*suffix`.
    #[serde(default = "probes")]
    pub(crate) user_agents: Vec<String>,
    /// Those for which an expression in CEL is true.
    pub(crate) when: Option<Expression>,
}

// === impl Exclude ===

impl Default for Exclude {
    fn default() -> Self {
        Self { user_agents: probes(), when: None }
    }
}

/// Kubernetes' health checks, and Prometheus itself: what Mixer's rules left out.
fn probes() -> Vec<String> {
    ["kube-probe*", "Prometheus*"].map(str::to_owned).into()
}

/// What the names of metrics begin with.
fn prefix() -> String {
    "istio".to_owned()
}

const fn thousand() -> usize {
    1000
}
