use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use serde_json::{Value, json};

use super::{Module, Source, address, seconds};

/// A TCP listener with its network filters, in front of a [TCP proxy](https://www.envoyproxy.io/docs/envoy/v1.40.0/configuration/listeners/network_filters/tcp_proxy_filter).
#[derive(Clone, Debug)]
pub struct TcpListener {
    /// Its name, which no other listener has.
    pub name: String,
    /// Where it listens; port 0 picks a free one.
    pub address: SocketAddr,
    /// The network filters, in the order in which a connection meets them. The TCP proxy comes behind them.
    pub filters: Vec<Source>,
    /// What is told of connections that are over.
    pub access_loggers: Vec<Module>,
    /// The cluster that all connections go to.
    pub cluster: String,
    /// How long a connection may be idle.
    pub idle_timeout: Duration,
    /// How many bytes Envoy buffers for a direction of a connection before it reads no more.
    pub buffer_limit: u32,
    /// Where it writes a line of JSON for each connection that is over, with `status`, which is 0, `details` and `flags`.
    pub access_log: Option<PathBuf>,
    /// Hands each connection to the worker that has the fewest.
    pub balanced: bool,
}

// === impl TcpListener ===

impl TcpListener {
    /// A listener on a free loopback port.
    pub fn new(name: impl Into<String>, cluster: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            filters: Vec::new(),
            access_loggers: Vec::new(),
            cluster: cluster.into(),
            idle_timeout: Duration::from_secs(60),
            buffer_limit: 1 << 20,
            access_log: None,
            balanced: false,
        }
    }

    /// Adds a network filter behind those that are there.
    #[must_use]
    pub fn with_filter(mut self, filter: Source) -> Self {
        self.filters.push(filter);
        self
    }

    pub(crate) fn to_json(&self) -> Value {
        let mut filters: Vec<_> = self.filters.iter().map(|filter| filter.to_json("network")).collect();
        let mut proxy = json!({
            "@type": "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy",
            "stat_prefix": self.name,
            "cluster": self.cluster,
            "idle_timeout": seconds(self.idle_timeout),
        });
        let logs = self.access_loggers.iter().map(Module::as_access_logger).chain(self.access_log.as_deref().map(access_log));
        if let Some(proxy) = proxy.as_object_mut() {
            proxy.insert("access_log".to_owned(), json!(logs.collect::<Vec<_>>()));
        }
        filters.push(json!({ "name": "envoy.filters.network.tcp_proxy", "typed_config": proxy }));
        let mut listener = json!({
            "@type": "type.googleapis.com/envoy.config.listener.v3.Listener",
            "name": self.name,
            "address": address(self.address),
            "per_connection_buffer_limit_bytes": self.buffer_limit,
            "filter_chains": [{ "filters": filters }],
        });
        if let (true, Some(listener)) = (self.balanced, listener.as_object_mut()) {
            listener.insert("connection_balance_config".to_owned(), json!({ "exact_balance": {} }));
        }
        listener
    }
}

fn access_log(path: &Path) -> Value {
    let line = json!({ "status": 0, "details": "%CONNECTION_TERMINATION_DETAILS%", "flags": "%RESPONSE_FLAGS%", "local": "%DOWNSTREAM_LOCAL_CLOSE_REASON%" });
    json!({
        "name": "envoy.access_loggers.file",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog",
            "path": path,
            "log_format": { "json_format": line },
        },
    })
}
