use std::marker::PhantomData;

use super::{BodyError, Side, needs_body};
use crate::{
    Result, abi,
    body::BodyBuffer,
    error::HostError,
    hooks::Direction,
    runtime::{Stage, StreamId, Verdict},
};

/// Changes a body part by part; a closure that takes and returns bytes does. For a message without a body, neither of these is called.
pub trait MapChunk {
    /// A part has arrived, of whatever size; what goes on in its place, which may be nothing.
    ///
    /// # Errors
    ///
    /// An error fails the stream by the filter's [`OnError`](crate::http::OnError): the client gets status 500 if nothing of the response went on yet, else the stream is reset;
    /// or this part and all that follows go on as they are.
    fn chunk(&mut self, bytes: Vec<u8>) -> Result<Vec<u8>>;

    /// The body has ended; what goes on behind it. It cannot go on where trailers follow the body: then it is an error to return something.
    ///
    /// # Errors
    ///
    /// As [`chunk`](Self::chunk).
    fn end(&mut self) -> Result<Vec<u8>> {
        Ok(Vec::new())
    }
}

impl<F: FnMut(Vec<u8>) -> Vec<u8>> MapChunk for F {
    fn chunk(&mut self, bytes: Vec<u8>) -> Result<Vec<u8>> {
        Ok(self(bytes))
    }
}

/// A body that is changed as it goes by; made by [`map_chunks`](super::Released::map_chunks).
#[must_use = "the body goes on when this is returned, or given to `next.run`"]
pub struct Mapped<S> {
    stream: StreamId,
    side: PhantomData<S>,
}

/// What the proxy has of the body now.
struct Chunk {
    size: usize,
    /// Nothing follows.
    last: bool,
    /// But trailers.
    trailers: bool,
}

// === impl Mapped ===

impl<S: Side> Mapped<S> {
    pub(super) fn new(stream: StreamId, mut map: Box<dyn MapChunk>) -> Self {
        needs_body::<S>();
        // It is applied when the direction goes on, to all that has come by then, and to what comes afterwards.
        if let Some(exchange) = stream.exchange() {
            let side = exchange.side(S::DIRECTION);
            // Once somebody else has answered, headers that were held stay where they are.
            let length_is_free = side.stage.get() == Stage::Body || exchange.verdict.get() == Verdict::Early;
            side.set_mapper(Box::new(move |size, last, trailers| apply(map.as_mut(), S::DIRECTION, &Chunk { size, last, trailers })));
            side.broken.set(side.broken.get() || !length_is_free);
        }
        // A response goes by from here on, whatever the filter does next. A request waits for `next.run`: else its response could come before anybody asks for it.
        if S::DIRECTION == Direction::Response {
            stream.release(Direction::Response);
        }
        Self { stream, side: PhantomData }
    }

    pub(crate) const fn stream(&self) -> StreamId {
        self.stream
    }
}

fn apply(map: &mut dyn MapChunk, direction: Direction, chunk: &Chunk) -> Result<()> {
    let &Chunk { size, last, trailers } = chunk;
    let mut changed = if size == 0 { Vec::new() } else { map.chunk(read(direction, size)?)? };
    if last {
        let end = map.end()?;
        if trailers && size == 0 && !end.is_empty() {
            return Err(BodyError::BehindTrailers.into());
        }
        changed.extend(end);
    }
    if size == 0 && changed.is_empty() {
        return Ok(());
    }
    BodyBuffer::new(direction.body(), size).replace(&changed)
}

fn read(direction: Direction, size: usize) -> Result<Vec<u8>> {
    abi::whole_buffer(direction.body(), size).map_err(|status| HostError::new("read a part of a body", status).into())
}
