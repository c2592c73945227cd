use std::{
    future::{Future, poll_fn},
    pin::Pin,
    task::{Context, Poll},
};

use super::{BodyError, Side, needs_body};
use crate::{
    abi,
    error::HostError,
    hooks::Direction,
    runtime::{self, Stage, StreamId},
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
        let side = side(self.stream, self.direction, self.stage)?;
        let size = side.size.get();
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

/// Waits until so much of a body has arrived whose headers are held, or all of it, then reads that; and whether it is all of it.
pub(crate) async fn peek<S: Side>(stream: StreamId, limit: usize) -> Result<(Vec<u8>, bool), BodyError> {
    needs_body::<S>();
    poll_fn(|cx| {
        let side = side(stream, S::DIRECTION, Stage::Headers)?;
        let size = side.size.get();
        let ended = side.ended.get();
        // One more, to know whether there are more.
        if size <= limit && !ended {
            stream.wait(&side.reader, cx.waker());
            return Poll::Pending;
        }
        let read = abi::whole_buffer(S::DIRECTION.body(), size.min(limit));
        Poll::Ready(read.map(|bytes| (bytes, ended && size <= limit)).map_err(|status| HostError::new("read the beginning of a body", status).into()))
    })
    .await
}

/// What has arrived of a direction, if more of it can be read.
fn side(stream: StreamId, direction: Direction, stage: Stage) -> Result<&'static runtime::Side, BodyError> {
    let exchange = stream.exchange().filter(|_| stream.is_current()).ok_or(BodyError::Gone)?;
    let side = exchange.side(direction);
    if exchange.is_cut_short(direction) {
        Err(BodyError::EarlyResponse)
    } else if side.stage.get() != stage {
        Err(BodyError::Gone)
    } else {
        Ok(side)
    }
}
