use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use super::{BodyError, Side, needs_body};
use crate::{
    abi::{self, Status},
    error::HostError,
    hooks::Direction,
    runtime::{Stage, StreamId, Verdict},
};

pub(crate) fn collect<S: Side>(stream: StreamId, limit: usize) -> Collect {
    needs_body::<S>();
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
