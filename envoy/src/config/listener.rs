use std::{net::SocketAddr, path::PathBuf, time::Duration};

use serde_json::{Value, json};

use super::{Module, address, from_file, seconds};
use crate::tls::ServerTls;

/// Where a listener has a filter from.
#[derive(Clone, Debug)]
pub enum Source {
    /// From the listener's own configuration.
    Inline(Module),
    /// From a file that [`Delivery`](crate::Delivery) writes, and that can be changed while Envoy runs.
    Discovered {
        /// The name under which it is looked up.
        name: String,
        /// The file.
        file: PathBuf,
    },
    /// Any other filter, as Envoy's JSON.
    Other(Value),
}

/// A route to a cluster, for the requests that it matches.
#[derive(Clone, Debug)]
pub struct Route {
    /// Its name.
    pub name: String,
    /// Which requests it takes.
    pub matches: RouteMatch,
    /// The cluster that they go to.
    pub cluster: String,
}

/// Which requests a route takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RouteMatch {
    /// Those with this header, of this value.
    Header {
        /// Its name.
        name: String,
        /// Its value.
        value: String,
    },
    /// Those whose path begins so.
    Path {
        /// How.
        prefix: String,
    },
    /// Those with this filter state, which is this text.
    FilterState {
        /// Its key.
        key: String,
        /// Its value.
        value: String,
    },
}

/// An HTTP listener with its filters and its routes.
#[derive(Clone, Debug)]
pub struct Listener {
    /// Its name, which no other listener has.
    pub name: String,
    /// Where it listens; port 0 picks a free one.
    pub address: SocketAddr,
    /// The filters, in the order in which a request meets them. The router comes behind them.
    pub filters: Vec<Source>,
    /// What is told of requests that are over.
    pub access_loggers: Vec<Module>,
    /// The cluster that all requests go to.
    pub cluster: String,
    /// How long a request may take to be received and to pass the filters. A trap in a filter that waits for a call-out would otherwise hang it.
    pub request_timeout: Duration,
    /// How long a stream may be idle.
    pub stream_idle_timeout: Duration,
    /// How long the cluster may take for a response.
    pub route_timeout: Duration,
    /// How many bytes Envoy buffers for a direction of a stream.
    pub buffer_limit: u32,
    /// Routes to other clusters, which come before the one that takes the rest.
    pub routes: Vec<Route>,
    /// The name of the route that takes the rest.
    pub route: String,
    /// The metadata of that route, by namespace.
    pub route_metadata: Value,
    /// Where it writes a line of JSON for each request that is over, with `status`, `details` and `flags`.
    pub access_log: Option<PathBuf>,
    /// Answers every request itself with 200 and no body, and asks no cluster.
    pub direct_response: bool,
    /// Hands each connection to the worker that has the fewest.
    pub balanced: bool,
    /// Takes only TLS, if set.
    pub tls: Option<ServerTls>,
}

// === impl Source ===

impl Source {
    pub(super) fn to_json(&self, kind: &str) -> Value {
        match self {
            Self::Inline(module) => json!({ "name": format!("envoy.filters.{kind}.wasm"), "typed_config": module.to_json_as(kind) }),
            Self::Discovered { name, file } => json!({
                "name": name,
                "config_discovery": {
                    "config_source": from_file(file),
                    "type_urls": [format!("type.googleapis.com/envoy.extensions.filters.{kind}.wasm.v3.Wasm")],
                },
            }),
            Self::Other(filter) => filter.clone(),
        }
    }
}

// === impl Route ===

impl Route {
    fn to_json(&self) -> Value {
        let matches = match &self.matches {
            RouteMatch::Header { name, value } => json!({ "prefix": "/", "headers": [{ "name": name, "string_match": { "exact": value } }] }),
            RouteMatch::Path { prefix } => json!({ "prefix": prefix }),
            RouteMatch::FilterState { key, value } => json!({ "prefix": "/", "filter_state": [{ "key": key, "string_match": { "exact": value } }] }),
        };
        json!({ "name": self.name, "match": matches, "route": { "cluster": self.cluster } })
    }
}

// === impl Listener ===

impl Listener {
    /// A listener on a free loopback port.
    pub fn new(name: impl Into<String>, cluster: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            filters: Vec::new(),
            access_loggers: Vec::new(),
            cluster: cluster.into(),
            request_timeout: Duration::from_secs(30),
            stream_idle_timeout: Duration::from_secs(60),
            route_timeout: Duration::from_secs(15),
            buffer_limit: 1 << 20,
            routes: Vec::new(),
            route: String::new(),
            route_metadata: json!({}),
            access_log: None,
            direct_response: false,
            balanced: false,
            tls: None,
        }
    }

    /// Adds a filter behind those that are there.
    #[must_use]
    pub fn with_filter(mut self, filter: Source) -> Self {
        self.filters.push(filter);
        self
    }

    pub(crate) fn to_json(&self) -> Value {
        let mut filters: Vec<_> = self.filters.iter().map(|filter| filter.to_json("http")).collect();
        filters.push(json!({
            "name": "envoy.filters.http.router",
            "typed_config": { "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router" },
        }));
        let mut route = json!({
            "name": self.route,
            "match": { "prefix": "/" },
            "metadata": { "filter_metadata": self.route_metadata },
        });
        let (action, what) = if self.direct_response {
            ("direct_response", json!({ "status": 200 }))
        } else {
            ("route", json!({ "cluster": self.cluster, "timeout": seconds(self.route_timeout) }))
        };
        if let Some(route) = route.as_object_mut() {
            route.insert(action.to_owned(), what);
        }
        let routes: Vec<_> = self.routes.iter().map(Route::to_json).chain([route]).collect();
        let mut manager = json!({
            "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
            "stat_prefix": self.name,
            "http_filters": filters,
            "request_timeout": seconds(self.request_timeout),
            "stream_idle_timeout": seconds(self.stream_idle_timeout),
            "http_protocol_options": { "enable_trailers": true },
            "route_config": {
                "name": self.name,
                "validate_clusters": false,
                "virtual_hosts": [{
                    "name": "all",
                    "domains": ["*"],
                    "routes": routes,
                }],
            },
        });
        let mut logs: Vec<_> = self.access_loggers.iter().map(Module::as_access_logger).collect();
        if let Some(path) = &self.access_log {
            let line = json!({ "status": "%RESPONSE_CODE%", "details": "%RESPONSE_CODE_DETAILS%", "flags": "%RESPONSE_FLAGS%" });
            logs.push(json!({
                "name": "envoy.access_loggers.file",
                "typed_config": {
                    "@type": "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog",
                    "path": path,
                    "log_format": { "json_format": line },
                },
            }));
        }
        if let Some(manager) = manager.as_object_mut() {
            manager.insert("access_log".to_owned(), json!(logs));
        }
        let mut listener = json!({
            "@type": "type.googleapis.com/envoy.config.listener.v3.Listener",
            "name": self.name,
            "address": address(self.address),
            "per_connection_buffer_limit_bytes": self.buffer_limit,
            "filter_chains": [{
                "filters": [{ "name": "envoy.filters.network.http_connection_manager", "typed_config": manager }],
            }],
        });
        if let (true, Some(listener)) = (self.balanced, listener.as_object_mut()) {
            listener.insert("connection_balance_config".to_owned(), json!({ "exact_balance": {} }));
        }
        if let Some(tls) = &self.tls
            && let Some(chain) = listener.pointer_mut("/filter_chains/0").and_then(Value::as_object_mut)
        {
            chain.insert("transport_socket".to_owned(), tls.to_json());
        }
        if let (Some(true), Some(listener)) = (self.tls.as_ref().map(|tls| tls.inspect), listener.as_object_mut()) {
            let inspector = json!({
                "name": "envoy.filters.listener.tls_inspector",
                "typed_config": { "@type": "type.googleapis.com/envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector" },
            });
            listener.insert("listener_filters".to_owned(), json!([inspector]));
        }
        listener
    }
}
