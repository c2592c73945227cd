use http::Method;

use super::body::{self, BodyError, CONTENT_LENGTH, Collected, Peeked, ReadOnly, Released, Rewrite, Side, collect};
use crate::{
    Result,
    attributes::{Attributes, There, as_attributes, of_a_request},
    config::routed,
    envoy::{self, ForeignError},
    headers::{HeaderValue, Headers, HeadersMut, Source},
    hooks::Direction,
    runtime::StreamId,
};

/// A request whose headers the filter holds: nothing of it has gone on.
///
/// It goes on when it is given to [`Next::run`](crate::Next::run). Its body is reached in one of two ways:
///
/// | | portable | held |
/// |---|---|---|
/// | call | [`release_headers`](Self::release_headers), then [`collect`](Released::collect) | [`collect`](Self::collect) |
/// | the headers | go on first, and cannot be changed any more | stay, and can be changed after the body was read |
/// | a changed body is sent | chunked | with its exact length; chunked if trailers follow |
/// | needs of the plugin's configuration | nothing | `allow_on_headers_stop_iteration`, which Istio's `WasmPlugin` cannot set |
#[derive(Debug)]
pub struct Request {
    stream: StreamId,
    has_body: bool,
}

/// A request whose headers went on, with its body: `M` says whether that may be changed.
pub type ReleasedRequest<M = ReadOnly> = Released<RequestSide, M>;

/// A request whose whole body was read while its headers are still held.
#[derive(Debug)]
pub struct HeldRequest {
    request: Request,
    body: Collected<RequestSide>,
}

/// Marks the way from the client to the upstream.
#[derive(Debug)]
pub enum RequestSide {}

as_attributes!(Request, HeldRequest);
routed!(Request, HeldRequest);

impl Side for RequestSide {
    const DIRECTION: Direction = Direction::Request;
}

// === impl Request ===

impl Request {
    pub(crate) const fn new(stream: StreamId, has_body: bool) -> Self {
        Self { stream, has_body }
    }

    /// The headers.
    pub fn headers(&self) -> Headers<'_> {
        Headers::new(if self.stream.is_current() { Source::Proxy(Direction::Request.headers()) } else { Source::Gone })
    }

    /// The headers, for changes. Envoy picks the route anew after a change.
    pub fn headers_mut(&mut self) -> HeadersMut<'_> {
        if self.stream.is_current() { HeadersMut::in_proxy(Direction::Request.headers()) } else { HeadersMut::gone() }
    }

    /// Has the proxy choose the route anew, by the request as it is now.
    ///
    /// A change of the headers does so by itself. It is for routes that are matched by something else that the filter has changed: filter state, for example.
    ///
    /// # Errors
    ///
    /// [`ForeignError`]; in another stream's turn, or when the stream is over, it does nothing.
    ///
    /// # Examples
    ///
    /// ```
    /// use inproxy::prelude::*;
    ///
    /// /// Sends a tenant's requests where a route says `filter_state: [{ key: wasm.tenant, string_match: … }]`.
    /// fn route_by_tenant(request: &mut Request, tenant: &str) -> Result<()> {
    ///     request.attributes().filter_state().set("tenant", tenant)?;
    ///     Ok(request.clear_route_cache()?)
    /// }
    /// ```
    pub fn clear_route_cache(&mut self) -> Result<(), ForeignError> {
        if self.stream.is_current() { envoy::clear_route_cache() } else { Ok(()) }
    }

    /// The method. `None` if it is not one that HTTP allows.
    pub fn method(&self) -> Option<Method> {
        Method::from_bytes(self.headers().get(":method")?.as_bytes()).ok()
    }

    /// Path and query.
    pub fn path(&self) -> Option<HeaderValue> {
        self.headers().get(":path")
    }

    /// The host that the client asked for, with its port if it named one.
    pub fn authority(&self) -> Option<HeaderValue> {
        self.headers().get(":authority")
    }

    /// What the proxy knows of it beside its headers.
    pub fn attributes(&self) -> Attributes<'_> {
        Attributes::of_stream(self.stream, There::REQUEST_HEADERS)
    }

    of_a_request!();

    /// Whether a body or trailers follow the headers.
    pub fn has_body(&self) -> bool {
        self.has_body
    }

    /// Lets the headers go on as they are now, and keeps the body for reading.
    ///
    /// The upstream sees the headers before the body was looked at. It sees nothing of the body until that is given to [`Next::run`](crate::Next::run).
    pub fn release_headers(self) -> ReleasedRequest {
        self.stream.release_headers(Direction::Request);
        Released::new(self.stream)
    }

    /// Lets the headers go on, and keeps the body, to change it.
    ///
    /// `content-length` is removed, since nobody knows yet what it will be: the body is sent chunked.
    pub fn release_headers_to_rewrite(mut self) -> ReleasedRequest<Rewrite> {
        self.headers_mut().remove(&CONTENT_LENGTH);
        self.stream.release_headers(Direction::Request);
        Released::new(self.stream)
    }

    /// Reads the whole body while the headers are held.
    ///
    /// # Errors
    ///
    /// [`BodyError::NotHeld`] if the plugin's configuration does not allow it (declare the filter with `#[filter(held)]` to be told when it is
    /// configured), [`BodyError::TooLarge`] beyond `limit` bytes, [`BodyError::EarlyResponse`] if the request was answered meanwhile.
    pub async fn collect(self, limit: usize) -> Result<HeldRequest, BodyError> {
        self.can_be_held()?;
        let bytes = collect::<RequestSide>(self.stream, limit, true).await?;
        Ok(HeldRequest { body: Collected::new(self.stream, bytes, true), request: self })
    }

    /// Reads the first `limit` bytes of the body while the headers are held, or all of it if there are fewer; nothing of it goes on. It waits for the end or for one byte more, and not for what is behind that: a body of any length can be
    /// looked at, and goes on with the request.
    ///
    /// What arrives while the filter waits for something else is held as well, and beyond Envoy's buffer
    /// ([`per_connection_buffer_limit_bytes`](https://www.envoyproxy.io/docs/envoy/v1.40.0/api-v3/config/listener/v3/listener.proto) of the listener, 1 MiB unless set) the client gets Envoy's 413.
    ///
    /// # Errors
    ///
    /// [`BodyError::NotHeld`] if the plugin's configuration does not allow it; a filter that does this only if its own configuration says so asks [`Plugin::can_hold_bodies`](crate::Plugin::can_hold_bodies) when it is configured.
    /// [`BodyError::EarlyResponse`] if the request was answered meanwhile.
    ///
    /// # Examples
    ///
    /// ```
    /// use inproxy::prelude::*;
    ///
    /// /// Lets through what begins as a PNG does.
    /// #[filter(held)]
    /// #[config]
    /// struct Images;
    ///
    /// impl HttpFilter for Images {
    ///     async fn handle(&self, request: Request, next: Next) -> Result<Response> {
    ///         let beginning = request.peek_body(8).await?;
    ///         if beginning.as_bytes() != b"\x89PNG\r\n\x1a\n" {
    ///             return Ok(Response::new(StatusCode::UNSUPPORTED_MEDIA_TYPE));
    ///         }
    ///         Ok(next.run(request).await)
    ///     }
    /// }
    /// ```
    pub async fn peek_body(&self, limit: usize) -> Result<Peeked, BodyError> {
        self.can_be_held()?;
        let (bytes, is_whole) = body::peek::<RequestSide>(self.stream, limit).await?;
        Ok(Peeked::new(bytes, is_whole))
    }

    fn can_be_held(&self) -> Result<(), BodyError> {
        if self.has_body && !body::can_hold() { Err(BodyError::NotHeld) } else { Ok(()) }
    }

    pub(crate) const fn stream(&self) -> StreamId {
        self.stream
    }
}

// === impl HeldRequest ===

impl HeldRequest {
    /// The headers.
    pub fn headers(&self) -> Headers<'_> {
        self.request.headers()
    }

    /// The headers, for changes.
    pub fn headers_mut(&mut self) -> HeadersMut<'_> {
        self.request.headers_mut()
    }

    /// Has the proxy choose the route anew; as [`Request::clear_route_cache`].
    ///
    /// # Errors
    ///
    /// As [`Request::clear_route_cache`].
    pub fn clear_route_cache(&mut self) -> Result<(), ForeignError> {
        self.request.clear_route_cache()
    }

    /// What the proxy knows of it beside its headers.
    pub fn attributes(&self) -> Attributes<'_> {
        self.request.attributes()
    }

    of_a_request!();

    /// The whole body.
    pub fn body(&self) -> &[u8] {
        self.body.as_bytes()
    }

    /// The trailers; none, if there are none.
    pub fn trailers(&self) -> Headers<'_> {
        self.body.trailers()
    }

    /// The trailers, for changes; as [`Collected::trailers_mut`].
    ///
    /// # Errors
    ///
    /// As [`Collected::trailers_mut`].
    pub fn trailers_mut(&mut self) -> Result<HeadersMut<'_>, BodyError> {
        self.body.trailers_mut()
    }

    /// Puts another body in its place; `content-length` is set to its length, or removed if trailers follow.
    ///
    /// # Errors
    ///
    /// [`BodyError::NoBody`] if the request has none: the proxy cannot add one. [`HostError`](crate::HostError) if the proxy refuses.
    pub fn replace_body(&mut self, body: impl Into<Vec<u8>>) -> Result<()> {
        self.body.replace(body)
    }

    pub(crate) const fn stream(&self) -> StreamId {
        self.request.stream
    }
}
