use super::{AttributeError, Attributes, decode};

/// A certificate of a TLS connection.
///
/// [`AttributeError::Missing`] on a connection without TLS. With TLS and without a certificate, the names are `Missing`, and the subject is empty, as for a certificate that has none; of several names there is the first.
///
/// # Examples
///
/// ```
/// use inproxy::{attributes::{AttributeError, Optional}, prelude::*};
///
/// /// The SPIFFE id of the client's workload, in a mesh that verifies certificates.
/// fn workload(request: &Request) -> Result<Option<String>, AttributeError> {
///     request.connection().peer_certificate().uri_san().optional()
/// }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Certificate<'a> {
    attributes: Attributes<'a>,
    paths: &'static Paths,
}

#[derive(Debug)]
pub(super) struct Paths {
    subject: &'static str,
    dns_san: &'static str,
    uri_san: &'static str,
}

macro_rules! paths {
    ($name:ident, $group:literal, $whose:literal) => {
        pub(super) const $name: &Paths = &Paths {
            subject: concat!($group, "\0subject_", $whose, "_certificate"),
            dns_san: concat!($group, "\0dns_san_", $whose, "_certificate"),
            uri_san: concat!($group, "\0uri_san_", $whose, "_certificate"),
        };
    };
}

paths!(OF_THE_CLIENT, "connection", "peer");
paths!(SHOWN_TO_THE_CLIENT, "connection", "local");
paths!(OF_THE_UPSTREAM, "upstream", "peer");
paths!(SHOWN_TO_THE_UPSTREAM, "upstream", "local");

// === impl Certificate ===

impl<'a> Certificate<'a> {
    pub(super) const fn new(attributes: Attributes<'a>, paths: &'static Paths) -> Self {
        Self { attributes, paths }
    }
}

/// # Errors
///
/// All answer [`AttributeError`].
impl Certificate<'_> {
    /// Its subject as text of [RFC 2253](https://www.rfc-editor.org/rfc/rfc2253), such as `CN=frontend,O=example`: the last name comes first, and `, + " \ < > ;` and bytes that are not ASCII are escaped (`Zo\C3\AB`). Empty if it has none.
    pub fn subject(&self) -> Result<String, AttributeError> {
        self.attributes.decoded(self.paths.subject, decode::text)
    }

    /// The first DNS name among its alternative names.
    pub fn dns_san(&self) -> Result<String, AttributeError> {
        self.attributes.decoded(self.paths.dns_san, decode::text)
    }

    /// The first URI among its alternative names: in a mesh, the SPIFFE id of the workload.
    pub fn uri_san(&self) -> Result<String, AttributeError> {
        self.attributes.decoded(self.paths.uri_san, decode::text)
    }
}
