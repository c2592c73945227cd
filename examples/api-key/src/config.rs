use std::time::Duration;

use inproxy::{call::Cluster, prelude::*};

/// The filter's configuration.
#[config(schema)]
#[derive(Debug)]
pub struct Settings {
    /// The request header that carries the key.
    #[serde(default = "x_api_key")]
    pub(crate) header: HeaderName,
    /// The request header in which the upstream finds the consumer's name.
    #[serde(default = "x_consumer")]
    pub(crate) consumer_header: HeaderName,
    /// What `www-authenticate` names as the realm.
    #[serde(default)]
    pub(crate) realm: String,
    /// Consumers whose keys are known here.
    #[serde(default)]
    pub(crate) consumers: Vec<Consumer>,
    /// Who is asked about other keys.
    pub(crate) authority: Option<Authority>,
}

/// A consumer and its key.
#[config(schema)]
pub(crate) struct Consumer {
    /// What the upstream gets in place of the key.
    pub(crate) name: String,
    /// What the client sends.
    pub(crate) key: String,
}

// ANCHOR: schema
/// A service that knows keys: asked with a `GET` that carries the key in `x-api-key`, it answers 200 with the consumer's name in `x-consumer`, or 401, 403 or 404.
#[config(schema)]
#[derive(Debug)]
pub(crate) struct Authority {
    /// Who is asked.
    pub(crate) cluster: Cluster,
    /// With which path.
    #[serde(default = "slash")]
    pub(crate) path: String,
    /// How long it may take, in milliseconds.
    #[serde(default = "timeout_ms")]
    timeout_ms: u64,
}
// ANCHOR_END: schema

// === impl Consumer ===

/// Without the key.
impl std::fmt::Debug for Consumer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Consumer").field("name", &self.name).finish_non_exhaustive()
    }
}

// === impl Authority ===

impl Authority {
    pub(crate) fn timeout(&self) -> Duration {
        Duration::from_millis(self.timeout_ms)
    }
}

fn x_api_key() -> HeaderName {
    HeaderName::from_static("x-api-key")
}

fn x_consumer() -> HeaderName {
    HeaderName::from_static("x-consumer")
}

fn slash() -> String {
    "/".to_owned()
}

fn timeout_ms() -> u64 {
    200
}
