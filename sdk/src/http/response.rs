use http::StatusCode;

use super::body::{self, BodyError, Chunks, Collected, Mapped, ReadOnly, Released, Rewrite, Side, collect};
use crate::{
    Result,
    attributes::{Attributes, There, as_attributes, of_a_response},
    fault,
    headers::{AsHeaderName, AsHeaderValue, Check, Edited, Headers, HeadersMut, Source},
    hooks::Direction,
    reply::LocalReply,
    runtime::StreamId,
};

/// A response: the upstream's, as [`Next::run`](crate::Next::run) returned it, or one that the filter gives itself.
///
/// The upstream's is held by the proxy until [`handle`](crate::HttpFilter::handle) returns it. Its body is reached as a [`Request`](crate::Request)'s is:
/// portable or held.
#[derive(Debug)]
pub struct Response(pub(crate) Origin);

#[derive(Debug)]
pub(crate) enum Origin {
    Upstream {
        stream: StreamId,
        has_body: bool,
    },
    /// Its headers went on.
    Sent(StreamId),
    /// Behind a pointer: every future that holds a response is as large as the largest.
    Local(Box<LocalReply>),
}

/// A response whose headers went on, with its body: `M` says whether that may be changed.
pub type ReleasedResponse<M = ReadOnly> = Released<ResponseSide, M>;

/// A response whose whole body was read while its headers are still held.
#[derive(Debug)]
pub struct HeldResponse {
    response: Response,
    body: Collected<ResponseSide>,
}

/// Headers that describe the bytes of a body.
const OF_THE_BODY: [&str; 6] = ["content-length", "content-encoding", "transfer-encoding", "content-range", "etag", "content-md5"];

/// Marks the way from the upstream to the client.
#[derive(Debug)]
pub enum ResponseSide {}

impl Side for ResponseSide {
    const DIRECTION: Direction = Direction::Response;
}

// === impl Response ===

impl Response {
    /// An empty answer by the filter itself; see [`LocalReply`], which it is made of.
    pub fn new(status: StatusCode) -> Self {
        Self(Origin::Local(Box::new(LocalReply::new(status))))
    }

    pub(crate) const fn of_the_upstream(stream: StreamId, has_body: bool) -> Self {
        Self(Origin::Upstream { stream, has_body })
    }

    /// Sets the body of an answer by the filter itself; see [`LocalReply::with_body`].
    ///
    /// An upstream's response is replaced by such an answer, with its status and its headers, but for those that describe the old body's bytes.
    #[must_use]
    pub fn with_body(self, body: impl Into<Vec<u8>>) -> Self {
        if matches!(self.0, Origin::Sent(_)) {
            fault::record(BodyError::Sent.into());
            return self;
        }
        Self(Origin::Local(Box::new(self.into_local().with_body(body))))
    }

    /// Adds a header, behind those of the same name.
    ///
    /// # Errors
    ///
    /// Only if name or value is raw; see [`HeadersMut::append`].
    pub fn with_header<N: AsHeaderName, V: AsHeaderValue>(mut self, name: N, value: V) -> Edited<N, V, Self> {
        let outcome = match (name.to_name(), value.to_value()) {
            (Ok(name), Ok(value)) => self.headers_mut().append(&*name, value),
            (Err(error), _) | (_, Err(error)) => Err(error.into()),
        };
        <<N::Check as Check>::And<V::Check>>::settle(self, outcome)
    }

    /// The status. An upstream's that is not a number from 100 to 999, or that went on already, reads as 502.
    pub fn status(&self) -> StatusCode {
        match &self.0 {
            Origin::Local(reply) => reply.status(),
            Origin::Upstream { .. } | Origin::Sent(_) => {
                let status = self.headers().get(":status");
                status.and_then(|status| StatusCode::from_bytes(status.as_bytes()).ok()).unwrap_or(StatusCode::BAD_GATEWAY)
            }
        }
    }

    /// The headers.
    pub fn headers(&self) -> Headers<'_> {
        Headers::new(match &self.0 {
            Origin::Local(reply) => Source::List(reply.header_list()),
            Origin::Upstream { stream, .. } if stream.is_current() => Source::Proxy(Direction::Response.headers()),
            Origin::Upstream { .. } | Origin::Sent(_) => Source::Gone,
        })
    }

    /// The headers, for changes.
    pub fn headers_mut(&mut self) -> HeadersMut<'_> {
        match &mut self.0 {
            Origin::Local(reply) => reply.headers_mut(),
            Origin::Upstream { stream, .. } if stream.is_current() => HeadersMut::in_proxy(Direction::Response.headers()),
            Origin::Upstream { .. } | Origin::Sent(_) => HeadersMut::gone(),
        }
    }

    /// What the proxy knows of the stream that it ends. An answer by the filter itself has no attributes, until it is sent: all are [`NotHere`](crate::attributes::AttributeError::NotHere).
    pub fn attributes(&self) -> Attributes<'_> {
        match &self.0 {
            Origin::Upstream { stream, .. } | Origin::Sent(stream) => Attributes::of_stream(*stream, There::RESPONSE),
            Origin::Local(_) => Attributes::nowhere(),
        }
    }

    of_a_response!();

    /// Whether a body or trailers follow the headers of an upstream's response.
    pub fn has_body(&self) -> bool {
        matches!(self.0, Origin::Upstream { has_body: true, .. })
    }

    /// Lets it go to the client as it is now, with its body, while `handle` goes on with other things; then `handle` returns what this returns. An answer by the filter itself goes when `handle` returns it.
    #[must_use = "`handle` returns it in the end"]
    pub fn let_go(self) -> Self {
        match self.upstream_stream() {
            Ok(stream) => {
                stream.release(Direction::Response);
                Self(Origin::Sent(stream))
            }
            Err(_) => self,
        }
    }

    /// Lets the headers go to the client as they are now, and keeps the body for reading.
    ///
    /// # Errors
    ///
    /// [`BodyError::Local`] for an answer by the filter itself, [`BodyError::Sent`] if its headers went on before.
    pub fn release_headers(self) -> Result<ReleasedResponse, BodyError> {
        let stream = self.upstream_stream()?;
        stream.release_headers(Direction::Response);
        Ok(Released::new(stream))
    }

    /// Lets the headers go to the client, and keeps the body, to change it. `content-length` is removed: the body is sent chunked.
    ///
    /// # Errors
    ///
    /// [`BodyError::Local`] for an answer by the filter itself, [`BodyError::Sent`] if its headers went on before.
    pub fn release_headers_to_rewrite(mut self) -> Result<ReleasedResponse<Rewrite>, BodyError> {
        let stream = self.upstream_stream()?;
        self.headers_mut().remove(&body::CONTENT_LENGTH);
        stream.release_headers(Direction::Response);
        Ok(Released::new(stream))
    }

    /// Reads the whole body while the headers are held.
    ///
    /// # Errors
    ///
    /// As [`Request::collect`](crate::Request::collect); [`BodyError::Local`] for an answer by the filter itself.
    pub async fn collect(self, limit: usize) -> Result<HeldResponse, BodyError> {
        let stream = self.upstream_stream()?;
        if self.has_body() && !body::can_hold() {
            return Err(BodyError::NotHeld);
        }
        let bytes = collect::<ResponseSide>(stream, limit, true).await?;
        Ok(HeldResponse { body: Collected::new(stream, bytes, true), response: self })
    }

    fn upstream_stream(&self) -> Result<StreamId, BodyError> {
        match &self.0 {
            Origin::Upstream { stream, .. } => Ok(*stream),
            Origin::Sent(_) => Err(BodyError::Sent),
            Origin::Local(_) => Err(BodyError::Local),
        }
    }

    fn into_local(self) -> LocalReply {
        let mut local = LocalReply::new(self.status());
        match self.0 {
            Origin::Local(reply) => return *reply,
            Origin::Upstream { .. } | Origin::Sent(_) => {
                for (name, value) in self.headers() {
                    // A name that the proxy itself has is one; a value that could not be written back is left out.
                    let Ok(name) = String::from_utf8(name) else { continue };
                    if !name.starts_with(':') && !OF_THE_BODY.contains(&name.as_str()) {
                        let _ = local.headers_mut().append(name.as_str(), value);
                    }
                }
            }
        }
        local
    }
}

impl From<LocalReply> for Response {
    fn from(reply: LocalReply) -> Self {
        Self(Origin::Local(Box::new(reply)))
    }
}

impl From<HeldResponse> for Response {
    fn from(held: HeldResponse) -> Self {
        held.response
    }
}

impl<M> From<Released<ResponseSide, M>> for Response {
    fn from(released: Released<ResponseSide, M>) -> Self {
        Self(Origin::Sent(released.stream()))
    }
}

impl<M> From<Chunks<ResponseSide, M>> for Response {
    fn from(chunks: Chunks<ResponseSide, M>) -> Self {
        Self(Origin::Sent(chunks.into_stream()))
    }
}

impl From<Mapped<ResponseSide>> for Response {
    fn from(mapped: Mapped<ResponseSide>) -> Self {
        Self(Origin::Sent(mapped.stream()))
    }
}

impl<M> From<Collected<ResponseSide, M>> for Response {
    fn from(collected: Collected<ResponseSide, M>) -> Self {
        Self(Origin::Sent(collected.stream()))
    }
}

as_attributes!(Response, HeldResponse);

// === impl HeldResponse ===

impl HeldResponse {
    /// The status.
    pub fn status(&self) -> StatusCode {
        self.response.status()
    }

    /// The headers.
    pub fn headers(&self) -> Headers<'_> {
        self.response.headers()
    }

    /// The headers, for changes.
    pub fn headers_mut(&mut self) -> HeadersMut<'_> {
        self.response.headers_mut()
    }

    /// What the proxy knows of the stream that it ends.
    pub fn attributes(&self) -> Attributes<'_> {
        self.response.attributes()
    }

    of_a_response!();

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
    /// As [`HeldRequest::replace_body`](super::HeldRequest::replace_body).
    pub fn replace_body(&mut self, body: impl Into<Vec<u8>>) -> Result<()> {
        self.body.replace(body)
    }
}
