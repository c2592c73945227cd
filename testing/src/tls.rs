//! TLS around a proxy: certificates that are made for a test, and who shows which.

use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use tokio_rustls::rustls::ClientConfig;

mod certificate;
mod stream;
mod subject;

pub(crate) use self::certificate::Authority;
pub use self::certificate::Certificate;
pub(crate) use self::stream::{accept, connect};

/// TLS at a server: at the proxy's listener ([`Proxy::tls`](crate::Proxy::tls)), or at the server behind the proxy ([`Proxy::upstream_tls`](crate::Proxy::upstream_tls)).
///
/// # Examples
///
/// ```
/// use inproxy_test::{Certificate, Tls};
///
/// let shop = Certificate::new().common_name("shop").dns("shop.example");
/// let mutual = Tls::new(&shop).require_client_certificate();
/// ```
#[derive(Clone, Debug)]
pub struct Tls {
    pub(crate) certificate: Certificate,
    pub(crate) clients: Clients,
    pub(crate) inspected: bool,
}

/// What a server makes of clients' certificates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Clients {
    /// It asks for none.
    Unasked,
    /// It takes those of the test's authority, and clients without one.
    Optional,
    /// It takes only clients with one of the test's authority.
    Required,
    /// It takes those of any authority, and clients without one.
    Untrusted,
}

/// A client of a TLS server: one of the proxy's ([`Running::send_from`](crate::Running::send_from)), or the proxy itself, towards the server behind it. Unless told otherwise it has no certificate, names no server,
/// and takes TLS 1.3. It resumes the sessions that it has had.
///
/// # Examples
///
/// ```
/// use inproxy_test::{Certificate, Client};
///
/// let cart = Certificate::new().uri("spiffe://cluster.local/ns/shop/sa/cart");
/// let client = Client::new().certificate(&cart).server_name("shop.example");
/// ```
#[derive(Clone, Debug, Default)]
pub struct Client {
    pub(crate) certificate: Option<Certificate>,
    pub(crate) server_name: String,
    pub(crate) old: bool,
    pub(crate) sessions: Sessions,
}

/// What a client remembers of its sessions: it resumes them, as clients do.
#[derive(Clone, Default)]
pub(crate) struct Sessions(Arc<OnceLock<Arc<ClientConfig>>>);

/// A TLS connection, as the model has it.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    /// What the server has shown, and the client.
    pub(crate) server: Certificate,
    pub(crate) client: Option<Certificate>,
    pub(crate) server_name: String,
    pub(crate) version: &'static str,
    /// It goes on with a former one.
    pub(crate) resumed: bool,
}

// === impl Tls ===

impl Tls {
    /// A server that shows this certificate, and asks clients for none.
    ///
    /// # Panics
    ///
    /// If it has neither a common name nor an alternative name: Envoy refuses a listener with such a certificate.
    pub fn new(certificate: &Certificate) -> Self {
        assert!(
            certificate.names_somebody(),
            "Envoy refuses a server's certificate with neither a common name nor an alternative name: {certificate:?}"
        );
        Self { certificate: certificate.clone(), clients: Clients::Unasked, inspected: true }
    }

    /// Refuses clients without a certificate, and those whose certificate is not of the test's authority: mutual TLS.
    #[must_use]
    pub fn require_client_certificate(self) -> Self {
        Self { clients: Clients::Required, ..self }
    }

    /// Asks for a certificate, and refuses one that is not of the test's authority; but takes clients without one.
    #[must_use]
    pub fn ask_for_client_certificate(self) -> Self {
        Self { clients: Clients::Optional, ..self }
    }

    /// Asks for a certificate, and takes one of any authority (`trust_chain_verification: ACCEPT_UNTRUSTED`), and clients without one.
    #[must_use]
    pub fn accept_untrusted_client_certificates(self) -> Self {
        Self { clients: Clients::Untrusted, ..self }
    }

    /// Has the proxy's listener be without `envoy.filters.listener.tls_inspector`: filters then do not see which host a client names.
    #[must_use]
    pub fn without_inspector(self) -> Self {
        Self { inspected: false, ..self }
    }

    /// The connection with a client, as the model has it; `None` if it is refused.
    pub(crate) fn session(&self, client: &Client) -> Option<Session> {
        let shown = client.certificate.as_ref().filter(|_| self.clients != Clients::Unasked);
        let taken = match (self.clients, shown) {
            (clients, None) => clients != Clients::Required,
            (Clients::Untrusted, Some(_)) => true,
            (_, Some(certificate)) => certificate.is_trusted(),
        };
        taken.then(|| Session {
            server: self.certificate.clone(),
            client: shown.cloned(),
            server_name: if self.inspected { client.server_name.clone() } else { String::new() },
            version: if client.old { "TLSv1.2" } else { "TLSv1.3" },
            resumed: false,
        })
    }
}

// === impl Sessions ===

impl Sessions {
    fn config(&self, make: impl FnOnce() -> ClientConfig) -> Arc<ClientConfig> {
        Arc::clone(self.0.get_or_init(|| Arc::new(make())))
    }
}

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sessions")
    }
}

impl PartialEq for Sessions {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

// === impl Client ===

impl Client {
    /// One without a certificate.
    pub fn new() -> Self {
        Self::default()
    }

    /// Shows this certificate when it is asked.
    #[must_use]
    pub fn certificate(mut self, certificate: &Certificate) -> Self {
        self.certificate = Some(certificate.clone());
        self.anew()
    }

    /// Names the host that it wants in the handshake (SNI).
    #[must_use]
    pub fn server_name(mut self, name: &str) -> Self {
        name.clone_into(&mut self.server_name);
        self.anew()
    }

    /// Speaks TLS 1.2. So does the proxy towards the server behind it, unless [`UpstreamTlsContext`](https://www.envoyproxy.io/docs/envoy/v1.40.0/api-v3/extensions/transport_sockets/tls/v3/common.proto) allows more.
    #[must_use]
    pub fn tls_1_2(mut self) -> Self {
        self.old = true;
        self.anew()
    }

    fn anew(mut self) -> Self {
        self.sessions = Sessions::default();
        self
    }
}
