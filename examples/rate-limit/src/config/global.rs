use inproxy::{call::Cluster, config::Duration, prelude::*};

use super::dimension::Source;

/// A service that counts for many proxies, by Envoy's protocol `envoy.service.ratelimit.v3`.
#[config(schema)]
#[derive(Debug)]
pub(crate) struct Settings {
    /// The proxy's cluster of the service; it must speak HTTP/2.
    pub(crate) cluster: Cluster,
    /// The domain of its limits.
    pub(crate) domain: String,
    /// What a request is counted by: each descriptor is a list of keys with their values, from the general to the special. One of which a value is not there is left out; if all are, the request is not counted.
    pub(crate) descriptors: Vec<Vec<Entry>>,
    /// How long to wait for its answer.
    #[serde(default = "twenty_milliseconds")]
    pub(crate) timeout: Duration,
}

/// A part of a descriptor.
#[config(schema)]
#[derive(Debug)]
pub(crate) struct Entry {
    /// Its key, such as `remote_address`.
    pub(crate) key: String,
    /// Its value.
    pub(crate) value: Source,
}

/// As Envoy's own filter has it.
fn twenty_milliseconds() -> Duration {
    Duration::from_millis(20)
}
