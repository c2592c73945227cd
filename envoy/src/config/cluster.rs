use std::net::SocketAddr;

use serde_json::{Value, json};

use super::address;
use crate::tls::ClientTls;

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
