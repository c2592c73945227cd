//! Envoy's configuration, as far as a filter needs one: listeners, clusters and wasm modules, written as the JSON that Envoy reads.

mod tcp;

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use serde_json::{Value, json};

pub use self::tcp::TcpListener;
use crate::{
    process::Options,
    tls::{ClientTls, ServerTls},
};

/// Tells a filter that it may hold headers while it reads a body: set whenever `allow_on_headers_stop_iteration` is.
const HOLD_VARIABLE: &str = "INPROXY_ALLOW_ON_HEADERS_STOP_ITERATION";

/// A wasm module with the configuration of one of its filters.
#[derive(Clone, Debug)]
pub struct Module {
    /// The file.
    pub path: PathBuf,
    /// Which filter of the module; any, if it has only one.
    pub root_id: String,
    /// The filter's configuration, usually JSON. `None` sends no bytes at all.
    pub configuration: Option<String>,
    /// Modules with another id never share a VM.
    pub vm_id: String,
    /// What Envoy does when the VM has died.
    pub failure_policy: FailurePolicy,
    /// Sets `allow_on_headers_stop_iteration`, so that bodies are delivered while their headers are held.
    pub hold_headers: bool,
    /// Further variables of the VM's environment.
    pub environment: Vec<(String, String)>,
}

/// What becomes of requests after the VM has died.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailurePolicy {
    /// 503 until a new VM runs.
    Reload,
    /// 503 until Envoy is restarted.
    Closed,
    /// They pass without the filter.
    Open,
}

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

/// Where requests go.
#[derive(Clone, Debug)]
pub struct Cluster {
    /// Its name, which no other cluster has.
    pub name: String,
    /// Its servers; none at all makes every call fail at once.
    pub endpoints: Vec<SocketAddr>,
    /// Speaks HTTP/2 with them, as gRPC needs.
    pub http2: bool,
    /// Its metadata, by namespace.
    pub metadata: Value,
    /// Speaks TLS with them, if set.
    pub tls: Option<ClientTls>,
}

// === impl Module ===

impl Module {
    /// A module with the defaults of generated configurations.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            root_id: String::new(),
            configuration: None,
            vm_id: String::new(),
            failure_policy: FailurePolicy::Reload,
            hold_headers: false,
            environment: Vec::new(),
        }
    }

    /// The `envoy.extensions.filters.http.wasm.v3.Wasm` message.
    pub(crate) fn to_json(&self) -> Value {
        self.to_json_as("http")
    }

    /// The `Wasm` message of HTTP filters, or of network filters, which has the same fields.
    fn to_json_as(&self, kind: &str) -> Value {
        json!({ "@type": format!("type.googleapis.com/envoy.extensions.filters.{kind}.wasm.v3.Wasm"), "config": self.plugin() })
    }

    /// The module as one of the `access_log` of a listener, a connection manager or a TCP proxy.
    fn as_access_logger(&self) -> Value {
        json!({
            "name": "envoy.access_loggers.wasm",
            "typed_config": { "@type": "type.googleapis.com/envoy.extensions.access_loggers.wasm.v3.WasmAccessLog", "config": self.plugin() },
        })
    }

    /// The module as a service of the bootstrap, on the main thread alone.
    fn as_service(&self) -> Value {
        json!({
            "name": "envoy.bootstrap.wasm",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.wasm.v3.WasmService",
                "config": self.plugin(),
                "singleton": true,
            },
        })
    }

    /// The `envoy.extensions.wasm.v3.PluginConfig` message.
    fn plugin(&self) -> Value {
        let mut variables: serde_json::Map<_, _> = self.environment.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
        if self.hold_headers {
            variables.insert(HOLD_VARIABLE.to_owned(), json!("true"));
        }
        let mut config = json!({
            "name": self.root_id,
            "root_id": self.root_id,
            "failure_policy": self.failure_policy.name(),
            "allow_on_headers_stop_iteration": self.hold_headers,
            "vm_config": {
                "vm_id": self.vm_id,
                "runtime": "envoy.wasm.runtime.v8",
                "code": { "local": { "filename": self.path } },
                "environment_variables": { "key_values": variables },
            },
        });
        if let (Some(text), Some(config)) = (&self.configuration, config.as_object_mut()) {
            config.insert("configuration".to_owned(), json!({ "@type": "type.googleapis.com/google.protobuf.StringValue", "value": text }));
        }
        config
    }
}

// === impl FailurePolicy ===

impl FailurePolicy {
    const fn name(self) -> &'static str {
        match self {
            Self::Reload => "FAIL_RELOAD",
            Self::Closed => "FAIL_CLOSED",
            Self::Open => "FAIL_OPEN",
        }
    }
}

// === impl Source ===

impl Source {
    fn to_json(&self, kind: &str) -> Value {
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

// === impl Cluster ===

impl Cluster {
    /// A cluster of these servers.
    pub fn new(name: impl Into<String>, endpoints: impl Into<Vec<SocketAddr>>) -> Self {
        Self { name: name.into(), endpoints: endpoints.into(), http2: false, metadata: json!({}), tls: None }
    }

    pub(crate) fn to_json(&self) -> Value {
        let endpoints: Vec<_> = self.endpoints.iter().map(|endpoint| json!({ "endpoint": { "address": address(*endpoint) } })).collect();
        let protocol =
            if self.http2 { json!({ "http2_protocol_options": {} }) } else { json!({ "http_protocol_options": { "enable_trailers": true } }) };
        let mut cluster = json!({
            "@type": "type.googleapis.com/envoy.config.cluster.v3.Cluster",
            "name": self.name,
            "connect_timeout": "1s",
            "type": "STATIC",
            "metadata": { "filter_metadata": self.metadata },
            "load_assignment": { "cluster_name": self.name, "endpoints": [{ "lb_endpoints": endpoints }] },
            "typed_extension_protocol_options": {
                "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                    "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
                    "explicit_http_config": protocol,
                },
            },
        });
        if let (Some(tls), Some(cluster)) = (&self.tls, cluster.as_object_mut()) {
            cluster.insert("transport_socket".to_owned(), tls.to_json());
        }
        cluster
    }
}

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
