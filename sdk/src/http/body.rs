use std::{
    future::Future,
    marker::PhantomData,
    pin::Pin,
    task::{Context, Poll},
};

use crate::{
    Result,
    abi::{self, Status, needs},
    body::BodyBuffer,
    error::{HostError, debug_as_display},
    headers::{HeaderName, HeaderValue, HeadersMut},
    hooks::Direction,
    runtime::{Stage, StreamId, Verdict},
};

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
    /// The headers went on, and the body was said to be read or rewritten behind them: it is too late to do otherwise.
    #[error("the headers of this response went on already")]
    Sent,
    /// Headers cannot be held while a body is read: the proxy was not configured for it.
    #[error(
        "headers cannot be held while a body is read: set allow_on_headers_stop_iteration in the plugin's configuration, and \
         {HOLD_VARIABLE}=true in vm_config.environment_variables.key_values"
    )]
    NotHeld,
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
        let bytes = collect::<S>(self.stream, limit).await?;
        Ok(Collected { stream: self.stream, bytes, headers_held: false, side: PhantomData })
    }

    pub(crate) const fn stream(&self) -> StreamId {
        self.stream
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

pub(crate) fn collect<S: Side>(stream: StreamId, limit: usize) -> Collect {
    if matches!(S::DIRECTION, Direction::Response) {
        needs!("response_body", "response_trailers");
    }
    Collect { stream, direction: S::DIRECTION, limit }
}

/// Waits until all of a body has arrived, then reads it.
#[derive(Debug)]
pub(crate) struct Collect {
    stream: StreamId,
    direction: Direction,
    limit: usize,
}

impl Future for Collect {
    type Output = Result<Vec<u8>, BodyError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if !self.stream.is_current() {
            return Poll::Ready(Err(BodyError::Gone));
        }
        let Some(exchange) = self.stream.exchange() else { return Poll::Ready(Err(BodyError::Gone)) };
        let early = exchange.verdict.get() == Verdict::Early && self.direction == Direction::Request;
        let side = exchange.side(self.direction);
        let size = side.size.get();
        if early || side.stage.get() == Stage::Passed {
            return Poll::Ready(Err(BodyError::EarlyResponse));
        }
        if size > self.limit {
            return Poll::Ready(Err(BodyError::TooLarge { limit: self.limit }));
        }
        if !side.ended.get() {
            self.stream.wait(&side.reader, cx.waker());
            return Poll::Pending;
        }
        if size == 0 {
            return Poll::Ready(Ok(Vec::new()));
        }
        let read = abi::buffer(self.direction.body(), 0, size).and_then(|bytes| match bytes.len() {
            length if length == size => Ok(bytes),
            // Half a body must not pass for the whole.
            _ => Err(Status::RESULT_MISMATCH),
        });
        Poll::Ready(read.map_err(|status| HostError::new("read a whole body", status).into()))
    }
}
