use std::{net::SocketAddr, time::Duration};

use super::{AttributeError, Attributes, Certificate, Locality, decode, locality, tls};

/// Attributes of the [upstream](https://www.envoyproxy.io/docs/envoy/v1.40.0/intro/arch_overview/advanced/attributes#upstream-attributes), and of the proxy's connection to it.
///
/// From the response's headers on; [`AttributeError::Missing`] if no upstream was asked. [`num_endpoints`](Self::num_endpoints) and [`request_attempt_count`](Self::request_attempt_count), which is 0, are there before, once there is a cluster.
///
/// # Examples
///
/// ```
/// use inproxy::{attributes::{AttributeError, Optional}, prelude::*};
///
/// fn who_answered(response: &Response) -> Result<Option<String>, AttributeError> {
///     Ok(response.upstream().address().optional()?.map(|address| address.to_string()))
/// }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Upstream<'a>(Attributes<'a>);

// === impl Upstream ===

impl<'a> Upstream<'a> {
    pub(super) const fn new(attributes: Attributes<'a>) -> Self {
        Self(attributes)
    }

    /// Where it runs.
    pub fn locality(&self) -> Locality<'a> {
        Locality::new(self.0, locality::OF_THE_UPSTREAM)
    }

    /// The certificate that it has shown.
    pub fn peer_certificate(&self) -> Certificate<'a> {
        Certificate::new(self.0, tls::OF_THE_UPSTREAM)
    }

    /// The certificate that the proxy has shown to it.
    pub fn local_certificate(&self) -> Certificate<'a> {
        Certificate::new(self.0, tls::SHOWN_TO_THE_UPSTREAM)
    }
}

/// # Errors
///
/// All answer [`AttributeError`].
impl Upstream<'_> {
    /// Its address and port. [`Malformed`](AttributeError::Malformed) for one that is not of IP, such as a Unix socket's: [`address_text`](Self::address_text) has it.
    pub fn address(&self) -> Result<SocketAddr, AttributeError> {
        self.0.decoded("upstream\0address", decode::address)
    }

    /// Its address as the proxy writes it, with the port.
    pub fn address_text(&self) -> Result<String, AttributeError> {
        self.0.decoded("upstream\0address", decode::text)
    }

    /// Its port.
    pub fn port(&self) -> Result<u16, AttributeError> {
        self.0.decoded("upstream\0port", decode::port)
    }

    /// The proxy's own address and port of the connection.
    pub fn local_address(&self) -> Result<SocketAddr, AttributeError> {
        self.0.decoded("upstream\0local_address", decode::address)
    }

    /// The version of TLS, such as `TLSv1.2`.
    pub fn tls_version(&self) -> Result<String, AttributeError> {
        self.0.decoded("upstream\0tls_version", decode::text)
    }

    /// Why there is no connection; empty if there is one.
    pub fn transport_failure_reason(&self) -> Result<String, AttributeError> {
        self.0.decoded("upstream\0transport_failure_reason", decode::text)
    }

    /// How often an upstream was asked: 1, and more with retries.
    pub fn request_attempt_count(&self) -> Result<u32, AttributeError> {
        self.0.decoded("upstream\0request_attempt_count", decode::count)
    }

    /// How long the request waited for a connection.
    pub fn cx_pool_ready_duration(&self) -> Result<Duration, AttributeError> {
        self.0.decoded("upstream\0cx_pool_ready_duration", decode::duration)
    }

    /// How many endpoints its cluster has.
    pub fn num_endpoints(&self) -> Result<u64, AttributeError> {
        self.0.decoded("upstream\0num_endpoints", decode::unsigned)
    }

    /// The certificate that the upstream has shown, as PEM. In proxies that have it; Envoy 1.40 has.
    pub fn peer_certificate_pem(&self) -> Result<String, AttributeError> {
        self.0.decoded("upstream\0peer_certificate", decode::text)
    }

    /// The SHA-256 of the certificate that the upstream has shown, in hexadecimal digits.
    pub fn sha256_peer_certificate_digest(&self) -> Result<String, AttributeError> {
        self.0.decoded("upstream\0sha256_peer_certificate_digest", decode::text)
    }
}
