use std::{
    fmt,
    sync::{Arc, LazyLock, OnceLock},
};

use inproxy_envoy::KeyPair as Pem;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, IsCa, KeyPair, KeyUsagePurpose, SanType};
use sha2::{Digest, Sha256};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::subject;

/// A certificate for a test, of an authority that is made for the test process and that the proxy trusts.
///
/// It is made when it is first needed; its clones are the same certificate.
///
/// # Examples
///
/// ```
/// use inproxy_test::Certificate;
///
/// let cart = Certificate::new().organization("example").common_name("cart").uri("spiffe://cluster.local/ns/shop/sa/cart");
/// assert_eq!(cart.subject(), "CN=cart,O=example");
/// ```
#[derive(Clone)]
pub struct Certificate {
    subject: Vec<(DnType, &'static str, String)>,
    dns: Vec<String>,
    uris: Vec<String>,
    authority: Authority,
    issued: Arc<OnceLock<Issued>>,
}

/// Who has issued a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Authority {
    Trusted,
    Other,
}

struct Issued {
    der: CertificateDer<'static>,
    pem: Pem,
    key: Vec<u8>,
}

// === impl Certificate ===

impl Certificate {
    /// One without a subject and without alternative names.
    pub fn new() -> Self {
        Self { subject: Vec::new(), dns: Vec::new(), uris: Vec::new(), authority: Authority::Trusted, issued: Arc::default() }
    }

    /// Adds a common name to the subject.
    #[must_use]
    pub fn common_name(self, name: &str) -> Self {
        self.named(DnType::CommonName, "CN", name)
    }

    /// Adds an organization to the subject.
    #[must_use]
    pub fn organization(self, name: &str) -> Self {
        self.named(DnType::OrganizationName, "O", name)
    }

    /// Adds a DNS name to the alternative names.
    #[must_use]
    pub fn dns(mut self, name: &str) -> Self {
        self.dns.push(name.to_owned());
        self.anew()
    }

    /// Adds a URI to the alternative names.
    #[must_use]
    pub fn uri(mut self, uri: &str) -> Self {
        self.uris.push(uri.to_owned());
        self.anew()
    }

    /// Has another authority issue it, which the proxy does not trust.
    #[must_use]
    pub fn of_another_authority(mut self) -> Self {
        self.authority = Authority::Other;
        self.anew()
    }

    fn named(mut self, kind: DnType, short: &'static str, name: &str) -> Self {
        self.subject.push((kind, short, name.to_owned()));
        self.anew()
    }

    fn anew(mut self) -> Self {
        self.issued = Arc::default();
        self
    }

    /// The subject as Envoy writes it ([RFC 2253](https://www.rfc-editor.org/rfc/rfc2253)): the last name first, and what is not ASCII escaped byte by byte.
    pub fn subject(&self) -> String {
        let names: Vec<_> = self.subject.iter().rev().map(|(_, short, name)| format!("{short}={}", subject::escaped(name))).collect();
        names.join(",")
    }

    /// Its SHA-256, in hexadecimal digits.
    pub fn sha256(&self) -> String {
        Sha256::digest(&self.issued().der).iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The certificate as PEM, without its key.
    pub fn pem(&self) -> String {
        self.issued().pem.certificate.clone()
    }

    pub(crate) fn names_somebody(&self) -> bool {
        !self.dns.is_empty() || !self.uris.is_empty() || self.subject.iter().any(|(kind, ..)| *kind == DnType::CommonName)
    }

    pub(crate) fn first_dns(&self) -> Option<&str> {
        self.dns.first().map(String::as_str)
    }

    pub(crate) fn first_uri(&self) -> Option<&str> {
        self.uris.first().map(String::as_str)
    }

    pub(crate) fn is_trusted(&self) -> bool {
        self.authority == Authority::Trusted
    }

    /// The certificate with its key, for an Envoy that the test configures itself.
    pub fn key_pair(&self) -> Pem {
        self.issued().pem.clone()
    }

    pub(crate) fn der(&self) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
        let issued = self.issued();
        (vec![issued.der.clone()], PrivateKeyDer::Pkcs8(issued.key.clone().into()))
    }

    fn issued(&self) -> &Issued {
        self.issued.get_or_init(|| {
            let mut names = DistinguishedName::new();
            for (kind, _, name) in &self.subject {
                names.push(kind.clone(), name.as_str());
            }
            let ascii = |name: &str| name.try_into().unwrap_or_else(|_| panic!("an alternative name must be ASCII: {name:?}"));
            let mut parameters = CertificateParams::default();
            parameters.distinguished_name = names;
            parameters.subject_alt_names = self.dns.iter().map(|name| SanType::DnsName(ascii(name))).collect();
            parameters.subject_alt_names.extend(self.uris.iter().map(|uri| SanType::URI(ascii(uri))));
            let key = KeyPair::generate().expect("a key");
            let certificate = parameters.signed_by(&key, self.authority.issuer()).expect("a certificate");
            Issued { der: certificate.der().clone(), pem: Pem { certificate: certificate.pem(), key: key.serialize_pem() }, key: key.serialize_der() }
        })
    }
}

impl Default for Certificate {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Certificate({:?}, {:?}, {:?})", self.subject(), self.dns, self.uris)
    }
}

// === impl Authority ===

impl Authority {
    fn issuer(self) -> &'static CertifiedIssuer<'static, KeyPair> {
        static TRUSTED: LazyLock<CertifiedIssuer<'static, KeyPair>> = LazyLock::new(|| issuer("inproxy test"));
        static OTHER: LazyLock<CertifiedIssuer<'static, KeyPair>> = LazyLock::new(|| issuer("somebody else"));
        match self {
            Self::Trusted => &TRUSTED,
            Self::Other => &OTHER,
        }
    }

    pub(crate) fn pem(self) -> String {
        self.issuer().pem()
    }

    pub(crate) fn der(self) -> CertificateDer<'static> {
        self.issuer().der().clone()
    }
}

fn issuer(name: &str) -> CertifiedIssuer<'static, KeyPair> {
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name = DistinguishedName::new();
    parameters.distinguished_name.push(DnType::CommonName, name);
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    CertifiedIssuer::self_signed(parameters, KeyPair::generate().expect("a key")).expect("a certificate")
}
