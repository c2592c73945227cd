//! Envoy's configuration, as far as a filter needs one: listeners, clusters and wasm modules, written as the JSON that Envoy reads.

mod cluster;
mod listener;
mod module;
mod tcp;

use std::{net::SocketAddr, path::Path, time::Duration};

use serde_json::{Value, json};

pub use self::cluster::Cluster;
pub use self::listener::{Listener, Route, RouteMatch, Source};
pub use self::module::{FailurePolicy, Module};
pub use self::tcp::TcpListener;
use crate::process::Options;

/// The bootstrap of an Envoy that has its listeners and clusters from files.
pub(crate) fn bootstrap(listeners: &Path, clusters: &Path, options: &Options) -> Value {
    json!({
        "node": { "id": "inproxy", "cluster": "inproxy", "metadata": options.node_metadata },
        "stats_flush_interval": seconds(options.stats_flush_interval),
        "bootstrap_extensions": options.services.iter().map(Module::as_service).collect::<Vec<_>>(),
        "stats_config": options.stats.to_json(),
        "admin": { "address": address(SocketAddr::from(([127, 0, 0, 1], 0))) },
        "dynamic_resources": { "lds_config": from_file(listeners), "cds_config": from_file(clusters) },
    })
}

/// A file of resources, as Envoy reads it.
pub(crate) fn discovery_response(version: u64, resources: &[Value]) -> Value {
    json!({ "version_info": version.to_string(), "resources": resources })
}

fn from_file(path: &Path) -> Value {
    json!({
        "path_config_source": { "path": path, "watched_directory": { "path": path.parent().unwrap_or(path) } },
        "resource_api_version": "V3",
    })
}

fn address(address: SocketAddr) -> Value {
    json!({ "socket_address": { "address": address.ip().to_string(), "port_value": address.port() } })
}

fn seconds(duration: Duration) -> String {
    format!("{}s", duration.as_secs_f64())
}
