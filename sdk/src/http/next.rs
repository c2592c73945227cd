use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use super::{Collected, HeldRequest, Released, Request, Response, request::RequestSide};
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

/// A request that can go on, whatever was read of it: [`Request`], [`ReleasedRequest`](super::ReleasedRequest), a [`Collected`] body, [`HeldRequest`].
#[derive(Debug)]
pub struct Outgoing {
    stream: StreamId,
}

/// Waits for the response; made by [`Next::run`].
#[derive(Debug)]
#[must_use = "the request goes on when this is awaited"]
pub struct Run {
    stream: StreamId,
    request: Option<Outgoing>,
    done: bool,
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
        Run { stream: self.stream, request: Some(request.into()), done: false }
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
        if let Some(request) = self.request.take() {
            if request.stream != stream {
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
            stream.release(Direction::Request);
            return Poll::Pending;
        }
        let Some(exchange) = stream.exchange() else { return Poll::Pending };
        // Else the request had been answered before.
        if exchange.asked.get() {
            if exchange.response.stage.get() == Stage::Headers {
                exchange.asked.set(false);
                self.done = true;
                return Poll::Ready(Response::upstream(stream, !exchange.response.ended.get()));
            }
            stream.wait(&exchange.awaited, cx.waker());
        }
        Poll::Pending
    }
}

impl Drop for Run {
    /// Nobody waits for the response any more: it passes, unless the filter ends with another answer in the same breath.
    fn drop(&mut self) {
        if self.done || self.request.is_some() {
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
