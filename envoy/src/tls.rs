//! TLS, as listeners and clusters have it: Envoy's [`DownstreamTlsContext` and `UpstreamTlsContext`](https://www.envoyproxy.io/docs/envoy/v1.40.0/api-v3/extensions/transport_sockets/tls/v3/tls.proto).

use std::fmt;

use serde_json::{Value, json};

/// A certificate and its private key, as PEM.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyPair {
    /// The certificate, and those between it and the authority.
    pub certificate: String,
    /// The private key.
    pub key: String,
}

/// TLS with clients.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerTls {
    /// What clients are shown.
    pub certificate: KeyPair,
    /// The authorities, as PEM, that clients' certificates must come from. Without them no client is asked for a certificate, whatever [`require`](Self::require) says.
    pub trusted: Option<String>,
    /// Whether a certificate of another authority is taken too: `ACCEPT_UNTRUSTED`.
    pub accept_untrusted: bool,
    /// Whether a client without a certificate is refused.
    pub require: bool,
    /// Whether the listener reads which host a client names in the handshake, for `connection.requested_server_name`: `envoy.filters.listener.tls_inspector`.
    pub inspect: bool,
}

/// TLS with servers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientTls {
    /// What a server is shown that asks for it.
    pub certificate: Option<KeyPair>,
    /// The authorities, as PEM, that servers' certificates must come from.
    pub trusted: String,
    /// The host that is named in the handshake; none if empty.
    pub server_name: String,
}

// === impl KeyPair ===

impl KeyPair {
    fn to_json(&self) -> Value {
        json!({ "certificate_chain": { "inline_string": self.certificate }, "private_key": { "inline_string": self.key } })
    }
}

/// Without the key.
impl fmt::Debug for KeyPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyPair").field("certificate", &self.certificate).finish_non_exhaustive()
    }
}

// === impl ServerTls ===

impl ServerTls {
    pub(crate) fn to_json(&self) -> Value {
        socket(&json!({
            "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
            "common_tls_context": common(Some(&self.certificate), self.trusted.as_deref(), self.accept_untrusted),
            "require_client_certificate": self.require,
        }))
    }
}

// === impl ClientTls ===

impl ClientTls {
    pub(crate) fn to_json(&self) -> Value {
        socket(&json!({
            "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
            "common_tls_context": common(self.certificate.as_ref(), Some(&self.trusted), false),
            "sni": self.server_name,
        }))
    }
}

fn socket(context: &Value) -> Value {
    json!({ "name": "envoy.transport_sockets.tls", "typed_config": context })
}

fn common(certificate: Option<&KeyPair>, trusted: Option<&str>, accept_untrusted: bool) -> Value {
    let mut common = json!({ "tls_certificates": certificate.iter().map(|pair| pair.to_json()).collect::<Vec<_>>() });
    if let (Some(trusted), Some(common)) = (trusted, common.as_object_mut()) {
        let verification = if accept_untrusted { "ACCEPT_UNTRUSTED" } else { "VERIFY_TRUST_CHAIN" };
        let context = json!({ "trusted_ca": { "inline_string": trusted }, "trust_chain_verification": verification });
        common.insert("validation_context".to_owned(), context);
    }
    common
}
