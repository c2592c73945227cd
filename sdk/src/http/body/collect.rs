use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use super::{BodyError, Side, needs_body};
use crate::{
    abi,
    error::HostError,
    hooks::Direction,
    runtime::{Stage, StreamId},
};

/// `held` is whether the headers are.
pub(crate) fn collect<S: Side>(stream: StreamId, limit: usize, held: bool) -> Collect {
    needs_body::<S>();
    Collect { stream, direction: S::DIRECTION, limit, stage: if held { Stage::Headers } else { Stage::Body } }
}

/// Waits until all of a body has arrived, then reads it.
#[derive(Debug)]
pub(crate) struct Collect {
    stream: StreamId,
    direction: Direction,
    limit: usize,
    /// Where the direction must stand: a handle that was made elsewhere says more than is true.
    stage: Stage,
}

impl Future for Collect {
    type Output = Result<Vec<u8>, BodyError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if !self.stream.is_current() {
            return Poll::Ready(Err(BodyError::Gone));
        }
        let Some(exchange) = self.stream.exchange() else { return Poll::Ready(Err(BodyError::Gone)) };
        let side = exchange.side(self.direction);
        let size = side.size.get();
        if exchange.is_cut_short(self.direction) {
            return Poll::Ready(Err(BodyError::EarlyResponse));
        }
        if side.stage.get() != self.stage {
            return Poll::Ready(Err(BodyError::Gone));
        }
        if size > self.limit {
            return Poll::Ready(Err(BodyError::TooLarge { limit: self.limit }));
        }
        if !side.ended.get() {
            self.stream.wait(&side.reader, cx.waker());
            return Poll::Pending;
        }
        let read = abi::whole_buffer(self.direction.body(), size);
        Poll::Ready(read.map_err(|status| HostError::new("read a whole body", status).into()))
    }
}
