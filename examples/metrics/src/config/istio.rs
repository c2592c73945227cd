use std::collections::BTreeMap;

use inproxy::{envoy::cel::Expression, prelude::*};

/// Istio's standard metrics: the fields are those of its `stats` plugin.
#[config(schema)]
#[derive(Debug)]
pub(crate) struct Istio {
    /// Metrics beside the standard ones, or in the place of one of the same name, of HTTP and gRPC requests.
    #[serde(default)]
    pub(crate) definitions: Vec<Definition>,
    /// What is otherwise about the metrics' labels, one after the other.
    #[serde(default)]
    pub(crate) metrics: Vec<Customization>,
    /// Whether `destination_service` is `unknown` where the cluster does not tell of a service, and not the request's host.
    #[serde(default)]
    pub(crate) disable_host_header_fallback: bool,
    /// What the metrics' names begin with, before a `_`.
    #[serde(default = "super::prefix")]
    pub(crate) stat_prefix: String,
    /// On whose side the proxy is. Unless set, the source's for a listener whose traffic goes out, and else the destination's.
    pub(crate) reporter: Option<Reporter>,
    /// Whether workloads tell each other who they are in the headers `x-envoy-peer-metadata` and `x-envoy-peer-metadata-id`. Clients outside the mesh can make them up. Without it, the filter looks where Istio's own exchange leaves
    /// them.
    #[serde(default)]
    pub(crate) metadata_exchange: bool,
}

/// On whose side the proxy is.
#[config(schema)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Reporter {
    /// The client's.
    Source,
    /// The server's.
    Destination,
}

/// A metric of HTTP and gRPC requests, with the standard labels.
#[config(schema)]
#[derive(Debug)]
pub(crate) struct Definition {
    /// Its name, without the prefix.
    pub(crate) name: String,
    /// What is counted of a request: an expression in CEL, a whole number.
    pub(crate) value: Expression,
    /// What is made of it.
    #[serde(default)]
    pub(crate) r#type: Type,
}

/// What is made of values.
#[config(schema)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum Type {
    /// They are added.
    #[default]
    Counter,
    /// The last one counts.
    Gauge,
    /// How often which were observed.
    Histogram,
}

/// What is otherwise about the labels of metrics.
#[config(schema)]
#[derive(Clone, Debug, Default)]
pub(crate) struct Customization {
    /// Which metric, by its name without the prefix; all, if it is empty.
    #[serde(default)]
    pub(crate) name: String,
    /// Labels, each with an expression in CEL. What cannot be evaluated is `unknown`; one that is no expression removes the label.
    #[serde(default)]
    pub(crate) dimensions: BTreeMap<String, String>,
    /// Labels that it does not have. They go before `dimensions` come.
    #[serde(default)]
    pub(crate) tags_to_remove: Vec<String>,
    /// Whether it is not counted at all.
    #[serde(default)]
    pub(crate) drop: bool,
}
