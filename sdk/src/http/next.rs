use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use super::{Chunks, Collected, HeldRequest, Mapped, Released, Request, Response, request::RequestSide};
use crate::{
    Error, fault,
    hooks::Direction,
    runtime::{Stage, StreamId, Verdict},
};

/// The rest of the way: the filters behind this one, and the upstream.
#[derive(Debug)]
pub struct Next {
    stream: StreamId,
}

/// A request that can go on, whatever was read of it: [`Request`], [`ReleasedRequest`](super::ReleasedRequest), [`Chunks`] or a [`Collected`] or [`Mapped`] body, [`HeldRequest`].
#[derive(Debug)]
pub struct Outgoing {
    stream: StreamId,
}

/// Waits for the response; made by [`Next::run`].
#[derive(Debug)]
#[must_use = "the request goes on when this is awaited"]
pub struct Run {
    stream: StreamId,
    request: Going,
    done: bool,
}

/// What of the request goes on when the response is first asked for.
#[derive(Debug)]
enum Going {
    All(Outgoing),
    /// The filter itself lets it go on.
    Nothing,
    /// It was asked for already.
    Asked,
}

// === impl Next ===

impl Next {
    pub(crate) const fn new(stream: StreamId) -> Self {
        Self { stream }
    }

    /// Lets the request go on and returns the response, whose headers are held from then on.
    ///
    /// It cannot fail: an upstream that cannot be reached is a response too, made by Envoy (`503`, for example). If the request was answered before
    /// it went on, there is no response to wait for: the future stays pending until the stream is over and `handle` is dropped.
    pub fn run(self, request: impl Into<Outgoing>) -> Run {
        Run { stream: self.stream, request: Going::All(request.into()), done: false }
    }

    /// Waits for the response while the filter still reads the request's body: both are under way at the same time.
    ///
    /// The response's headers are held when they arrive, whether the request has ended or not; reads of the request's body go on. The request ends when its body is given back: with [`Chunks::finish`].
    ///
    /// # Examples
    ///
    /// ```
    /// # use inproxy::log;
    /// use inproxy::{future, http::BodyError, prelude::*};
    ///
    /// #[filter]
    /// #[config]
    /// struct Duplex;
    ///
    /// impl HttpFilter for Duplex {
    ///     async fn handle(&self, request: Request, next: Next) -> Result<Response> {
    ///         let mut body = request.release_headers().chunks();
    ///         let response = next.response(&body);
    ///         let request = async {
    ///             while let Some(chunk) = body.next().await? {
    ///                 log::debug!("{} bytes", chunk.len());
    ///             }
    ///             body.finish();
    ///             Ok::<_, BodyError>(())
    ///         };
    ///         let (response, request) = future::join(response, request).await;
    ///         request?;
    ///         Ok(response)
    ///     }
    /// }
    /// ```
    pub fn response<M>(self, _request: &Chunks<RequestSide, M>) -> Run {
        Run { stream: self.stream, request: Going::Nothing, done: false }
    }
}

// === impl Outgoing ===

impl From<Request> for Outgoing {
    fn from(request: Request) -> Self {
        Self { stream: request.stream() }
    }
}

impl From<HeldRequest> for Outgoing {
    fn from(request: HeldRequest) -> Self {
        Self { stream: request.stream() }
    }
}

impl<M> From<Released<RequestSide, M>> for Outgoing {
    fn from(request: Released<RequestSide, M>) -> Self {
        Self { stream: request.stream() }
    }
}

impl<M> From<Chunks<RequestSide, M>> for Outgoing {
    fn from(request: Chunks<RequestSide, M>) -> Self {
        Self { stream: request.into_stream() }
    }
}

impl From<Mapped<RequestSide>> for Outgoing {
    fn from(request: Mapped<RequestSide>) -> Self {
        Self { stream: request.stream() }
    }
}

impl<M> From<Collected<RequestSide, M>> for Outgoing {
    fn from(request: Collected<RequestSide, M>) -> Self {
        Self { stream: request.stream() }
    }
}

// === impl Run ===

impl Future for Run {
    type Output = Response;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Response> {
        let stream = self.stream;
        if !stream.is_current() {
            return Poll::Pending;
        }
        let going = std::mem::replace(&mut self.request, Going::Asked);
        if !matches!(going, Going::Asked) {
            if matches!(&going, Going::All(request) if request.stream != stream) {
                fault::record(Error::msg("a request was given to the `next` of another request"));
                return Poll::Pending;
            }
            // An edit that failed: the stream is about to be ended, nothing must go on.
            if fault::pending() {
                return Poll::Pending;
            }
            if let Some(exchange) = stream.exchange()
                && exchange.verdict.get() == Verdict::Open
            {
                exchange.asked.set(true);
                stream.wait(&exchange.awaited, cx.waker());
            }
            if matches!(going, Going::All(_)) {
                stream.release(Direction::Request);
            }
            return Poll::Pending;
        }
        let Some(exchange) = stream.exchange() else { return Poll::Pending };
        // Else the request had been answered before.
        if exchange.asked.get() {
            if exchange.response.stage.get() == Stage::Headers {
                exchange.asked.set(false);
                self.done = true;
                return Poll::Ready(Response::of_the_upstream(stream, !exchange.response.ended.get()));
            }
            stream.wait(&exchange.awaited, cx.waker());
        }
        Poll::Pending
    }
}

impl Drop for Run {
    /// Nobody waits for the response any more: it passes, unless the filter ends with another answer in the same breath.
    fn drop(&mut self) {
        if self.done || !matches!(self.request, Going::Asked) {
            return;
        }
        if let Some(exchange) = self.stream.exchange() {
            if exchange.asked.take() {
                exchange.abandoned.set(true);
            }
            exchange.awaited.clear();
        }
    }
}
