mod chunks;
mod collect;
mod map;

use std::marker::PhantomData;

use crate::{
    Result,
    abi::{self, needs},
    body::BodyBuffer,
    error::{HostError, debug_as_display},
    headers::{HeaderName, HeaderValue, Headers, HeadersMut, Source},
    hooks::Direction,
    runtime::StreamId,
};

pub use self::chunks::Chunks;
pub(crate) use self::collect::{collect, peek};
pub use self::map::{MapChunk, Mapped};

pub(crate) const CONTENT_LENGTH: HeaderName = HeaderName::from_static("content-length");
const TRANSFER_ENCODING: HeaderName = HeaderName::from_static("transfer-encoding");

/// Set by generated configurations together with `allow_on_headers_stop_iteration`, which a guest cannot see.
pub(crate) const HOLD_VARIABLE: &str = "INPROXY_ALLOW_ON_HEADERS_STOP_ITERATION";

/// A body cannot be read, or not be changed.
#[derive(Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BodyError {
    /// It has more bytes than the filter is willing to read.
    #[error("the body has more than {limit} bytes")]
    TooLarge {
        /// What the filter would read, in bytes.
        limit: usize,
    },
    /// The upstream, or the proxy itself, answered before the request had arrived.
    #[error("the request was answered before its body had arrived")]
    EarlyResponse,
    /// There is no body, and the proxy cannot add one.
    #[error("there is no body that could be replaced")]
    NoBody,
    /// It is an answer by the filter itself, which has no body to read.
    #[error("an answer by the filter itself has no body to read")]
    Local,
    /// The headers went on, and the body was said to be read or rewritten behind them: it is too late to do otherwise.
    #[error("the headers of this response went on already")]
    Sent,
    /// Headers cannot be held while a body is read: the proxy was not configured for it.
    #[error(
        "headers cannot be held while a body is read: set allow_on_headers_stop_iteration in the plugin's configuration, and \
         {HOLD_VARIABLE}=true in vm_config.environment_variables.key_values"
    )]
    NotHeld,
    /// There are no trailers, and it is too late to add some: that is possible only when the end of the body has just come, and nothing was awaited since.
    #[error("there are no trailers, and it is too late to add some")]
    NoTrailers,
    /// Something was to be added at the end of a body that goes on.
    #[error("the body has not ended")]
    NotEnded,
    /// Something was to be added behind a body whose trailers have come.
    #[error("nothing can be added behind a body whose trailers have come")]
    BehindTrailers,
    /// The stream is over, or it is another one's turn.
    #[error("the stream is over, or this is not its task")]
    Gone,
    /// The proxy refused.
    #[error(transparent)]
    Host(#[from] HostError),
}

debug_as_display!(BodyError);

/// One of the two ways of a stream.
pub trait Side {
    #[doc(hidden)]
    const DIRECTION: Direction;
}

/// A body that is only read.
#[derive(Debug)]
pub enum ReadOnly {}

/// A body that may be changed: `content-length` was removed in time.
#[derive(Debug)]
pub enum Rewrite {}

/// A body whose headers went on. The proxy holds it until it is given back.
#[derive(Debug)]
pub struct Released<S, M = ReadOnly> {
    stream: StreamId,
    side: PhantomData<(S, M)>,
}

/// What a body begins with, or all of it; read by [`Request::peek_body`](super::Request::peek_body).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peeked {
    bytes: Vec<u8>,
    is_whole: bool,
}

/// A whole body, read by the filter and still held by the proxy.
#[derive(Debug)]
pub struct Collected<S, M = Rewrite> {
    stream: StreamId,
    bytes: Vec<u8>,
    headers_held: bool,
    side: PhantomData<(S, M)>,
}

// === impl Released ===

impl<S: Side, M> Released<S, M> {
    pub(crate) const fn new(stream: StreamId) -> Self {
        Self { stream, side: PhantomData }
    }

    /// Reads the whole body; the proxy holds it meanwhile.
    ///
    /// # Errors
    ///
    /// [`BodyError::TooLarge`] beyond `limit` bytes, [`BodyError::EarlyResponse`] if the request was answered meanwhile.
    pub async fn collect(self, limit: usize) -> Result<Collected<S, M>, BodyError> {
        let bytes = collect::<S>(self.stream, limit, false).await?;
        Ok(Collected { stream: self.stream, bytes, headers_held: false, side: PhantomData })
    }

    /// Reads the body as it comes, part by part.
    pub fn chunks(self) -> Chunks<S, M> {
        Chunks::new(self.stream)
    }

    pub(crate) const fn stream(&self) -> StreamId {
        self.stream
    }
}

impl<S: Side> Released<S, Rewrite> {
    /// Changes the body as it goes by: each part that arrives is handed to `map`, and what that returns goes on in its place. Nothing waits for the filter, which can return: what it returns, or gives to
    /// [`next.run`](crate::Next::run), is the body that goes on, and the mapping goes with it.
    ///
    /// # Examples
    ///
    /// ```
    /// use inproxy::prelude::*;
    ///
    /// #[filter]
    /// #[config]
    /// struct Shout;
    ///
    /// impl HttpFilter for Shout {
    ///     async fn handle(&self, request: Request, next: Next) -> Result<Response> {
    ///         let request = request.release_headers_to_rewrite().map_chunks(|chunk: Vec<u8>| chunk.to_ascii_uppercase());
    ///         let response = next.run(request).await;
    ///         Ok(response.release_headers_to_rewrite()?.map_chunks(|chunk: Vec<u8>| chunk.to_ascii_lowercase()).into())
    ///     }
    /// }
    /// ```
    pub fn map_chunks(self, map: impl MapChunk + 'static) -> Mapped<S> {
        Mapped::new(self.stream, Box::new(map))
    }
}

// === impl Peeked ===

impl Peeked {
    pub(crate) const fn new(bytes: Vec<u8>, is_whole: bool) -> Self {
        Self { bytes, is_whole }
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The bytes, without a copy.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Whether there are no others.
    pub fn is_whole(&self) -> bool {
        self.is_whole
    }
}

// === impl Collected ===

impl<S: Side, M> Collected<S, M> {
    pub(crate) const fn new(stream: StreamId, bytes: Vec<u8>, headers_held: bool) -> Self {
        Self { stream, bytes, headers_held, side: PhantomData }
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The trailers; none, if there are none.
    pub fn trailers(&self) -> Headers<'_> {
        trailers::<S>(self.stream)
    }

    /// The trailers, for changes. Some can be added where there are none, if nothing was awaited since the body was read.
    ///
    /// # Errors
    ///
    /// [`BodyError::NoTrailers`] if there are none, and it is too late to add some.
    pub fn trailers_mut(&mut self) -> Result<HeadersMut<'_>, BodyError> {
        trailers_mut::<S>(self.stream)
    }

    pub(crate) const fn stream(&self) -> StreamId {
        self.stream
    }
}

impl<S: Side> Collected<S, Rewrite> {
    /// Puts other bytes in their place.
    ///
    /// # Errors
    ///
    /// [`BodyError::NoBody`] if there is none: the proxy cannot add one. [`HostError`] if the proxy refuses.
    pub fn replace(&mut self, bytes: impl Into<Vec<u8>>) -> Result<()> {
        let bytes = bytes.into();
        if !self.stream.is_current() {
            return Err(BodyError::Gone.into());
        }
        if self.bytes.is_empty() && bytes.is_empty() {
            return Ok(());
        }
        if self.bytes.is_empty() {
            return Err(BodyError::NoBody.into());
        }
        let direction = S::DIRECTION;
        // First the length: if the proxy refuses it, the body stays as it is.
        let Some(side) = self.stream.exchange().map(|exchange| exchange.side(direction)) else { return Err(BodyError::Gone.into()) };
        let trailers = side.trailers.get();
        if self.headers_held && !trailers {
            let mut headers = HeadersMut::with_framing(direction.headers());
            headers.insert(CONTENT_LENGTH.as_str(), HeaderValue::from(bytes.len() as u64))?;
            headers.remove(TRANSFER_ENCODING.as_str())?;
        } else if self.headers_held {
            // HTTP/1.1 has no trailers behind a body of known length.
            HeadersMut::with_framing(direction.headers()).remove(CONTENT_LENGTH.as_str())?;
        }
        if let Err(error) = BodyBuffer::new(direction.body(), self.bytes.len()).replace(&bytes) {
            if self.headers_held && !trailers {
                HeadersMut::with_framing(direction.headers()).insert(&CONTENT_LENGTH, HeaderValue::from(self.bytes.len() as u64));
            }
            return Err(error);
        }
        side.size.set(bytes.len());
        self.bytes = bytes;
        Ok(())
    }
}

/// Whether the proxy delivers a body while its headers are held.
pub(crate) fn can_hold() -> bool {
    abi::variable(HOLD_VARIABLE).is_some_and(|value| value == "true")
}

/// Has a tool leave the callbacks of a body in the module.
fn needs_body<S: Side>() {
    if matches!(S::DIRECTION, Direction::Response) {
        needs!("response_body", "response_trailers");
    }
}

fn trailers<'a, S: Side>(stream: StreamId) -> Headers<'a> {
    let there = stream.is_current() && stream.exchange().is_some_and(|exchange| exchange.side(S::DIRECTION).trailers.get());
    Headers::new(if there { Source::Proxy(S::DIRECTION.trailers()) } else { Source::Gone })
}

fn trailers_mut<'a, S: Side>(stream: StreamId) -> Result<HeadersMut<'a>, BodyError> {
    if !stream.is_current() {
        return Err(BodyError::Gone);
    }
    let Some(exchange) = stream.exchange() else { return Err(BodyError::Gone) };
    let side = exchange.side(S::DIRECTION);
    let at_the_end = side.ended.get() && side.body.get() && exchange.entered.get() == Some(S::DIRECTION);
    if side.trailers.get() || at_the_end { Ok(HeadersMut::in_proxy(S::DIRECTION.trailers())) } else { Err(BodyError::NoTrailers) }
}
