use std::net::SocketAddr;

use super::{AttributeError, Attributes, decode};

/// One end of the client's connection: [`source` or `destination`](https://www.envoyproxy.io/docs/envoy/v1.40.0/intro/arch_overview/advanced/attributes#connection-attributes).
///
/// In all phases.
///
/// # Who the client is
///
/// The source is whom Envoy takes for the client, which is not always who is connected: the connection manager has it from `x-forwarded-for`, as
/// [its configuration](https://www.envoyproxy.io/docs/envoy/v1.40.0/configuration/http/http_conn_man/headers#x-forwarded-for) says, with port 0. With `use_remote_address: false`, which is its default, *any client can say
/// there what it likes*: a filter that decides by the address needs `use_remote_address: true` on a proxy at the edge, with `xff_num_trusted_hops` if trusted proxies are before it.
///
/// # Examples
///
/// ```
/// # use inproxy::{attributes::AttributeError, prelude::*};
/// fn is_local(request: &Request) -> Result<bool, AttributeError> {
///     Ok(request.source().address()?.ip().is_loopback())
/// }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Peer<'a> {
    attributes: Attributes<'a>,
    address: &'static str,
    port: &'static str,
}

// === impl Peer ===

impl<'a> Peer<'a> {
    pub(super) const fn source(attributes: Attributes<'a>) -> Self {
        Self { attributes, address: "source\0address", port: "source\0port" }
    }

    pub(super) const fn destination(attributes: Attributes<'a>) -> Self {
        Self { attributes, address: "destination\0address", port: "destination\0port" }
    }
}

/// # Errors
///
/// All answer [`AttributeError`].
impl Peer<'_> {
    /// Its address and port. [`Malformed`](AttributeError::Malformed) for one that is not of IP, such as a Unix socket's: [`address_text`](Self::address_text) has it.
    pub fn address(&self) -> Result<SocketAddr, AttributeError> {
        self.attributes.decoded(self.address, decode::address)
    }

    /// Its address as the proxy writes it, with the port.
    pub fn address_text(&self) -> Result<String, AttributeError> {
        self.attributes.decoded(self.address, decode::text)
    }

    /// Its port; 0 for a client that `x-forwarded-for` names.
    pub fn port(&self) -> Result<u16, AttributeError> {
        self.attributes.decoded(self.port, decode::port)
    }
}
