use super::{AttributeError, Attributes, Certificate, decode, tls};

/// Attributes of the [client's connection](https://www.envoyproxy.io/docs/envoy/v1.40.0/intro/arch_overview/advanced/attributes#connection-attributes).
///
/// In all phases. Version and certificates are [`AttributeError::Missing`] on a connection without TLS.
///
/// # Whom a certificate proves
///
/// A listener asks clients for a certificate only if it has a validation context with the authorities that are trusted (`trusted_ca`); without one, `require_client_certificate` asks for nothing, and
/// [`mtls`](Self::mtls) is `false`. With one, a client whose certificate does not come from them is refused before any filter sees it, unless the listener says
/// [`ACCEPT_UNTRUSTED`](https://www.envoyproxy.io/docs/envoy/v1.40.0/api-v3/extensions/transport_sockets/tls/v3/common.proto#envoy-v3-api-enum-extensions-transport-sockets-tls-v3-certificatevalidationcontext-trustchainverification):
/// then [`peer_certificate_valid`](Self::peer_certificate_valid) tells, on connections that do not resume a session.
///
/// # Examples
///
/// ```
/// use inproxy::{attributes::AttributeError, prelude::*};
///
/// /// Whether the client has shown a certificate.
/// fn has_certificate(request: &Request) -> Result<bool, AttributeError> {
///     request.connection().mtls()
/// }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Connection<'a>(Attributes<'a>);

// === impl Connection ===

impl<'a> Connection<'a> {
    pub(super) const fn new(attributes: Attributes<'a>) -> Self {
        Self(attributes)
    }

    /// The certificate that the client has shown.
    pub fn peer_certificate(&self) -> Certificate<'a> {
        Certificate::new(self.0, tls::OF_THE_CLIENT)
    }

    /// The certificate that the proxy has shown to the client.
    pub fn local_certificate(&self) -> Certificate<'a> {
        Certificate::new(self.0, tls::SHOWN_TO_THE_CLIENT)
    }
}

/// # Errors
///
/// All answer [`AttributeError`].
impl Connection<'_> {
    /// The number of the connection, unique in this proxy since it was started.
    pub fn id(&self) -> Result<u64, AttributeError> {
        self.0.decoded("connection\0id", decode::uint)
    }

    /// Whether it is TLS, and the client has shown a certificate. [Whom that proves](Self#whom-a-certificate-proves) is the listener's affair.
    pub fn mtls(&self) -> Result<bool, AttributeError> {
        self.0.decoded("connection\0mtls", decode::boolean)
    }

    /// Whether the client has shown a certificate, in this very handshake, that comes from the authorities which the listener trusts. `false` without one, without TLS, and *where a session is resumed*, as browsers and
    /// connection pools do: Envoy then has the certificate, and not what came of its verification. On a listener that refuses what it does not trust, [`mtls`](Self::mtls) is what to ask.
    /// [`Missing`](AttributeError::Missing) in proxies that do not have it; Envoy 1.40 has.
    pub fn peer_certificate_valid(&self) -> Result<bool, AttributeError> {
        self.0.decoded("connection\0peer_certificate_valid", decode::boolean)
    }

    /// The host that the client named in the TLS handshake (SNI). Empty if it named none, without TLS, and always if the listener has no
    /// [`tls_inspector`](https://www.envoyproxy.io/docs/envoy/v1.40.0/configuration/listeners/listener_filters/tls_inspector).
    pub fn requested_server_name(&self) -> Result<String, AttributeError> {
        self.0.decoded("connection\0requested_server_name", decode::text)
    }

    /// The version of TLS, such as `TLSv1.3`.
    pub fn tls_version(&self) -> Result<String, AttributeError> {
        self.0.decoded("connection\0tls_version", decode::text)
    }

    /// Why the proxy ended the connection, if it did.
    pub fn termination_details(&self) -> Result<String, AttributeError> {
        self.0.decoded("connection\0termination_details", decode::text)
    }

    /// Why TLS failed, if it did.
    pub fn transport_failure_reason(&self) -> Result<String, AttributeError> {
        self.0.decoded("connection\0transport_failure_reason", decode::text)
    }

    /// The certificate that the client has shown, as PEM. In proxies that have it; Envoy 1.40 has.
    pub fn peer_certificate_pem(&self) -> Result<String, AttributeError> {
        self.0.decoded("connection\0peer_certificate", decode::text)
    }

    /// The SHA-256 of the certificate that the client has shown, in hexadecimal digits.
    pub fn sha256_peer_certificate_digest(&self) -> Result<String, AttributeError> {
        self.0.decoded("connection\0sha256_peer_certificate_digest", decode::text)
    }
}
