//! What the proxy knows of a stream beside its headers: who is connected, how, to which route, cluster and upstream, and what other filters left there.
//!
//! [`Attributes`] is had from a request, a response, or what a callback of [`HttpHooks`](crate::hooks::HttpHooks) is given. Its groups and names are those of
//! [Envoy's list](https://www.envoyproxy.io/docs/envoy/v1.40.0/intro/arch_overview/advanced/attributes). Each read is one call to the proxy; nothing is remembered, and
//! nothing is allocated but what is returned, and the path where a part of it is the filter's own.
//!
//! # Which there are, and when
//!
//! | group | what | there |
//! |---|---|---|
//! | [`request`](Attributes::request) | path, method, host, protocol, id, time | while the request's headers are, and once the stream is over; `protocol`, `time` and sizes always; `duration` once the stream is over |
//! | [`response`](Attributes::response) | code, its details, flags, sizes | from the response's headers on |
//! | [`source`](Attributes::source), [`destination`](Attributes::destination) | addresses of the client and of the proxy; [whom to trust](Peer#who-the-client-is) | always |
//! | [`connection`](Attributes::connection) | TLS of the client's connection | always |
//! | [`upstream`](Attributes::upstream) | the upstream's address, TLS, attempts | from the response's headers on |
//! | [`metadata`](Attributes::metadata) | dynamic metadata, which other filters write: Envoy gives a module no way to | from when it is written |
//! | [`filter_state`](Attributes::filter_state) | filter state, which modules can write too | from when it is written |
//! | [`xds`](Attributes::xds) | the proxy's node, and names and metadata of listener, route, virtual host and cluster | always; route and cluster once they are chosen |
//! | [`istio`](Attributes::istio) | workloads at both ends, in a mesh | as there |
//! | [`plugin`](Attributes::plugin) | how the proxy names the filter | always |
//!
//! An attribute that is not there is [`AttributeError::Missing`], which [`optional`](Optional::optional) turns into `None`. One that cannot be there yet, or any more, is [`AttributeError::NotInThisPhase`].
//!
//! # Bytes without types
//!
//! The proxy hands over bytes, and does not say of what type they are. The types of the named attributes are known; those of metadata are whatever its writer put there. So it is read as what the filter expects it to be:
//! [`Metadata::text`], [`Metadata::number`], and so on.
//!
//! # Examples
//!
//! ```
//! use inproxy::{attributes::Optional, prelude::*};
//!
//! /// Tells the upstream who the client is.
//! #[filter]
//! #[config]
//! struct Whoami {}
//!
//! impl HttpFilter for Whoami {
//!     async fn handle(&self, mut request: Request, next: Next) -> Result<Response> {
//!         let client = request.source().address()?.ip();
//!         let subject = request.metadata("envoy.filters.http.jwt_authn").text(["payload", "sub"]).optional()?;
//!         request.headers_mut().insert("x-client", client.to_string())?;
//!         request.headers_mut().insert("x-subject", subject.unwrap_or_default())?;
//!         Ok(next.run(request).await)
//!     }
//! }
//! ```

use std::{borrow::Cow, marker::PhantomData};

use crate::{
    abi::{self, Status},
    error::HostError,
    runtime::StreamId,
};

mod connection;
pub(crate) mod decode;
mod error;
mod filter_state;
mod flags;
mod istio;
mod locality;
mod metadata;
mod path;
mod peer;
mod plugin;
mod request;
mod response;
mod shortcuts;
mod there;
mod tls;
mod upstream;
mod value;
mod xds;

pub use self::connection::Connection;
pub use self::error::{AttributeError, Optional, Path};
pub use self::filter_state::{FilterState, SetObjectError};
pub use self::flags::ResponseFlags;
pub use self::istio::{Istio, IstioPeer, IstioWorkload};
pub use self::locality::Locality;
pub use self::metadata::Metadata;
pub use self::path::Keys;
pub use self::peer::Peer;
pub use self::plugin::PluginNames;
pub use self::request::RequestAttributes;
pub use self::response::ResponseAttributes;
pub(crate) use self::shortcuts::{as_attributes, groups, of_a_request, of_a_response};
pub(crate) use self::there::There;
pub use self::tls::Certificate;
pub use self::upstream::Upstream;
pub use self::value::Value;
pub use self::xds::{Node, TrafficDirection, Xds};

/// The attributes of a stream.
///
/// A handle: to make one costs nothing. When it is another stream's turn, or the stream is over, all that is read through it is [`AttributeError::NotHere`].
///
/// # Examples
///
/// ```
/// use inproxy::{attributes::AttributeError, prelude::*};
///
/// fn route_and_plugin(request: &Request) -> Result<(String, String), AttributeError> {
///     let attributes = request.attributes();
///     Ok((attributes.xds().route_name()?, attributes.plugin().name()?))
/// }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Attributes<'a> {
    place: Place,
    there: There,
    // What it was taken from: so that a `Request` which is given away leaves no handle behind.
    of: PhantomData<&'a ()>,
}

/// Whose attributes they are.
#[derive(Clone, Copy, Debug)]
enum Place {
    /// Those of the context that calls act on in the running callback, which the handle does not outlive.
    Callback,
    /// As `Callback`, and the callback is the stream's own; with its root context.
    OwnCallback(u32),
    /// Those of a stream, if it is its turn.
    Stream(StreamId),
    /// Those of no stream.
    Nowhere,
}

// === impl Attributes ===

impl<'a> Attributes<'a> {
    /// Those of the stream that calls act on; for what does not outlive the callback.
    pub(crate) const fn in_callback(there: There) -> Self {
        Self { place: Place::Callback, there, of: PhantomData }
    }

    /// Those of the stream whose callback runs; for what does not outlive the callback.
    pub(crate) const fn in_own_callback(root: u32, there: There) -> Self {
        Self { place: Place::OwnCallback(root), there, of: PhantomData }
    }

    pub(crate) const fn of_stream(stream: StreamId, there: There) -> Self {
        Self { place: Place::Stream(stream), there, of: PhantomData }
    }

    pub(crate) const fn nowhere() -> Self {
        Self { place: Place::Nowhere, there: There::ANYWHERE, of: PhantomData }
    }

    /// The request.
    pub fn request(self) -> RequestAttributes<'a> {
        RequestAttributes::new(self)
    }

    /// The response.
    pub fn response(self) -> ResponseAttributes<'a> {
        ResponseAttributes::new(self)
    }

    /// The client's end of its connection.
    pub fn source(self) -> Peer<'a> {
        Peer::source(self)
    }

    /// The proxy's end of the client's connection.
    pub fn destination(self) -> Peer<'a> {
        Peer::destination(self)
    }

    /// The client's connection.
    pub fn connection(self) -> Connection<'a> {
        Connection::new(self)
    }

    /// The upstream, and the proxy's connection to it.
    pub fn upstream(self) -> Upstream<'a> {
        Upstream::new(self)
    }

    /// What a filter has written under its namespace into the [dynamic metadata](https://www.envoyproxy.io/docs/envoy/v1.40.0/configuration/advanced/well_known_dynamic_metadata) of the stream.
    pub fn metadata(self, namespace: &'a str) -> Metadata<'a> {
        Metadata::new(self, "metadata\0filter_metadata", Some(namespace))
    }

    /// The filter state of the stream.
    pub fn filter_state(self) -> FilterState<'a> {
        FilterState::new(self)
    }

    /// The proxy's node and configuration, as far as the stream has met it.
    pub fn xds(self) -> Xds<'a> {
        Xds::new(self)
    }

    /// What Istio's proxies know of each other, and of themselves.
    pub fn istio(self) -> Istio<'a> {
        Istio::new(self)
    }

    /// How the proxy names the filter.
    pub fn plugin(self) -> PluginNames<'a> {
        PluginNames::new(self)
    }

    /// The bytes of any attribute, by the segments of its path: for what has no method here.
    ///
    /// # Errors
    ///
    /// [`AttributeError::Missing`] if there is none; [`AttributeError::Host`] also for one that has no bytes of its own, such as `request` as a whole.
    ///
    /// # Examples
    ///
    /// ```
    /// # use inproxy::{attributes::AttributeError, prelude::*};
    /// fn attempts(response: &Response) -> Result<Vec<u8>, AttributeError> {
    ///     response.attributes().raw(["upstream", "request_attempt_count"])
    /// }
    /// ```
    pub fn raw(self, path: impl Keys) -> Result<Vec<u8>, AttributeError> {
        self.bytes(path::join("", path)?)
    }

    /// The bytes of an attribute; the segments of its path are separated by NUL.
    fn bytes(self, path: impl Into<Cow<'static, str>>) -> Result<Vec<u8>, AttributeError> {
        self.read(path.into()).map(|(bytes, _)| bytes)
    }

    /// As [`bytes`](Self::bytes), and gives the path back. Not generic: one is enough for a module.
    fn read(self, path: Cow<'static, str>) -> Result<(Vec<u8>, Path), AttributeError> {
        self.is_here()?;
        match abi::property(path.as_bytes()) {
            Ok(bytes) => Ok((bytes, Path(path))),
            Err(status) => Err(self.failed(Path(path), status)),
        }
    }

    /// The root context of the stream, if the proxy has called for the stream itself; `None` if it has called for the root context.
    pub(crate) fn own_callback(self) -> Result<Option<u32>, AttributeError> {
        self.is_here()?;
        Ok(match self.place {
            Place::OwnCallback(root) => Some(root),
            Place::Stream(stream) if !stream.runs_in_root() => Some(stream.root()),
            _ => None,
        })
    }

    pub(crate) fn is_here(self) -> Result<(), AttributeError> {
        let here = match self.place {
            Place::Callback | Place::OwnCallback(_) => true,
            Place::Stream(stream) => stream.is_current(),
            Place::Nowhere => false,
        };
        if here { Ok(()) } else { Err(AttributeError::NotHere) }
    }

    #[cold]
    fn failed(self, path: Path, status: Status) -> AttributeError {
        match status {
            Status::NOT_FOUND if self.there.can_have(&path.0) => AttributeError::Missing { path },
            Status::NOT_FOUND => AttributeError::NotInThisPhase { path },
            status => AttributeError::Host { path, cause: HostError::new("read an attribute", status) },
        }
    }

    /// An attribute of a known type.
    fn decoded<T>(self, path: impl Into<Cow<'static, str>>, decode: fn(Vec<u8>) -> Option<T>) -> Result<T, AttributeError> {
        let (bytes, path) = self.read(path.into())?;
        decode(bytes).ok_or(AttributeError::Malformed { path })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Response, StatusCode};

    #[test]
    fn an_answer_of_the_filter_itself_has_no_stream() {
        let response = Response::new(StatusCode::OK);
        assert_eq!(response.source().address(), Err(AttributeError::NotHere));
        assert_eq!(response.attributes().filter_state().set("name", "value"), Err(AttributeError::NotHere));
    }

    #[test]
    fn errors_name_the_attribute() {
        let attributes = Attributes::in_callback(There::RESPONSE);
        let failed = |path: &'static str, status| attributes.failed(Path(path.into()), status).to_string();
        for (path, status, expected) in [
            ("upstream\0tls_version", Status::NOT_FOUND, "there is no attribute upstream.tls_version"),
            ("request\0path", Status::NOT_FOUND, "there is no attribute request.path in this phase of the stream"),
            ("x\0\u{e9}\n", Status::SERIALIZATION_FAILURE, r"x.\xc3\xa9\n: read an attribute: the proxy answered serialization failure (3)"),
            ("x", Status::from_raw(77), "x: read an attribute: the proxy answered unknown status (77)"),
        ] {
            assert_eq!(failed(path, status), expected);
        }
    }

    #[test]
    fn only_what_is_missing_is_optional() {
        let path = || Path("x".into());
        assert_eq!(Ok::<_, AttributeError>(1).optional(), Ok(Some(1)));
        assert_eq!(Err::<u8, _>(AttributeError::Missing { path: path() }).optional(), Ok(None));
        for error in [AttributeError::NotInThisPhase { path: path() }, AttributeError::NotHere, AttributeError::Malformed { path: path() }] {
            assert_eq!(Err::<u8, _>(error.clone()).optional(), Err(error));
        }
    }
}
