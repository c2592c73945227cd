use std::{future::poll_fn, marker::PhantomData, task::Poll};

use super::{BodyError, ReadOnly, Rewrite, Side, needs_body, trailers, trailers_mut};
use crate::{
    abi,
    error::HostError,
    headers::{Headers, HeadersMut},
    runtime::{Stage, StreamId},
};

/// A body that is read as it comes; made by [`chunks`](super::Released::chunks).
///
/// A part goes on when the next one is asked for, as it is, or as [`replace`](Self::replace) has changed it. Until then the proxy holds it, and all that comes behind it, up to its buffer limit, beyond which it ends the stream, a request with 413:
/// what needs to be awaited for a part can be awaited, but not for long. The last part goes on when this is given to [`next.run`](crate::Next::run), or returned.
///
/// # Examples
///
/// ```
/// # use inproxy::log;
/// use inproxy::prelude::*;
///
/// async fn count(request: Request, next: Next) -> Result<Response> {
///     let mut body = request.release_headers().chunks();
///     let mut size = 0;
///     while let Some(chunk) = body.next().await? {
///         size += chunk.len();
///     }
///     log::info!("{size} bytes");
///     Ok(next.run(body).await)
/// }
/// ```
#[derive(Debug)]
pub struct Chunks<S, M = ReadOnly> {
    stream: StreamId,
    /// How many bytes of what the proxy holds were handed out before the current part.
    before: usize,
    /// How many bytes the current part has.
    size: usize,
    /// What goes on in the place of the current part, if that is not itself.
    replacement: Option<Vec<u8>>,
    /// What goes on in the place of the parts before it that the proxy still holds, if any of them was replaced.
    changed: Option<Vec<u8>>,
    side: PhantomData<(S, M)>,
}

// === impl Chunks ===

impl<S: Side, M> Chunks<S, M> {
    pub(super) fn new(stream: StreamId) -> Self {
        needs_body::<S>();
        Self { stream, before: 0, size: 0, replacement: None, changed: None, side: PhantomData }
    }

    /// The next part: all that has arrived since the last one. `None` when the body has ended.
    ///
    /// # Errors
    ///
    /// [`BodyError::EarlyResponse`] if the request was answered meanwhile, unless its response is being waited for ([`Next::response`](crate::Next::response)); [`BodyError::Gone`] when the stream is over.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, BodyError> {
        poll_fn(|cx| {
            if !self.stream.is_current() {
                return Poll::Ready(Err(BodyError::Gone));
            }
            let Some(exchange) = self.stream.exchange() else { return Poll::Ready(Err(BodyError::Gone)) };
            let side = exchange.side(S::DIRECTION);
            if exchange.is_cut_short(S::DIRECTION) {
                return Poll::Ready(Err(BodyError::EarlyResponse));
            }
            // A handle that was made elsewhere: nothing was let go.
            if side.stage.get() != Stage::Body {
                return Poll::Ready(Err(BodyError::Gone));
            }
            self.settle()?;
            if side.size.get() > self.before {
                self.size = side.size.get() - self.before;
                return Poll::Ready(self.read(self.before, self.size).map(Some));
            }
            if side.ended.get() {
                return Poll::Ready(Ok(None));
            }
            self.write()?;
            self.stream.wait(&side.reader, cx.waker());
            self.stream.let_by(S::DIRECTION);
            Poll::Pending
        })
        .await
    }

    /// The trailers, when the body has ended; none, if there are none.
    pub fn trailers(&self) -> Headers<'_> {
        trailers::<S>(self.stream)
    }

    /// The trailers, for changes, when the body has ended. Some can be added where there are none, if nothing was awaited since.
    ///
    /// # Errors
    ///
    /// [`BodyError::NoTrailers`] if there are none, and it is too soon or too late to add some.
    pub fn trailers_mut(&mut self) -> Result<HeadersMut<'_>, BodyError> {
        trailers_mut::<S>(self.stream)
    }

    /// Lets the rest go on: what was not read goes on as it is. For a body that is read while something else is under way; else it is given to [`next.run`](crate::Next::run), or returned.
    pub fn finish(self) {
        self.into_stream().release(S::DIRECTION);
    }

    /// What is held goes on with the direction, which is about to be let go.
    pub(crate) fn into_stream(mut self) -> StreamId {
        let changed = self.replacement.is_some() || self.changed.is_some();
        if changed && (!self.stream.is_current() || self.settle().and_then(|()| self.write()).is_err()) {
            self.must_not_go_on();
        }
        self.stream
    }

    /// What was said to be changed is not.
    fn must_not_go_on(&self) {
        if let Some(exchange) = self.stream.exchange() {
            exchange.side(S::DIRECTION).broken.set(true);
        }
    }

    /// The current part is done with.
    fn settle(&mut self) -> Result<(), BodyError> {
        let (start, size) = (self.before, std::mem::take(&mut self.size));
        self.before += size;
        // Of no part at all.
        let replacement = self.replacement.take().filter(|_| size > 0);
        match (replacement, &mut self.changed) {
            (None, None) => {}
            (None, Some(_)) => {
                let same = self.read(start, size)?;
                self.changed.get_or_insert_default().extend(same);
            }
            (Some(new), Some(changed)) => changed.extend(new),
            (Some(new), None) => {
                let mut changed = if start == 0 { Vec::new() } else { self.read(0, start)? };
                changed.extend(new);
                self.changed = Some(changed);
            }
        }
        Ok(())
    }

    /// Puts what was changed into the place of what the proxy holds, all of which was handed out.
    fn write(&mut self) -> Result<(), BodyError> {
        let held = std::mem::take(&mut self.before);
        if let Some(changed) = self.changed.take() {
            let written = abi::replace_buffer(S::DIRECTION.body(), 0, held, &changed);
            if let Err(status) = written {
                self.must_not_go_on();
                return Err(HostError::new("replace a part of a body", status).into());
            }
        }
        if let Some(side) = self.stream.exchange().map(|exchange| exchange.side(S::DIRECTION)) {
            side.size.set(0);
        }
        Ok(())
    }

    fn read(&self, start: usize, size: usize) -> Result<Vec<u8>, BodyError> {
        let read = abi::exact_buffer(S::DIRECTION.body(), start, size);
        if read.is_err() && self.changed.is_some() {
            self.must_not_go_on();
        }
        Ok(read.map_err(|status| HostError::new("read a part of a body", status))?)
    }
}

impl<S: Side> Chunks<S, Rewrite> {
    /// Has these bytes go on in the place of the part that was read last; none at all, if it was not read yet, and nothing if they are empty.
    pub fn replace(&mut self, bytes: impl Into<Vec<u8>>) {
        self.replacement = Some(bytes.into());
    }

    /// Has these bytes go on behind all parts, when [`next`](Self::next) has said that the body has ended.
    ///
    /// # Errors
    ///
    /// [`BodyError::NotEnded`] if it has not, [`BodyError::NoBody`] if there is none: the proxy cannot add one; [`BodyError::BehindTrailers`] if trailers have come, behind which the proxy takes no body.
    pub fn append(&mut self, bytes: &[u8]) -> Result<(), BodyError> {
        let Some(side) = self.stream.exchange().map(|exchange| exchange.side(S::DIRECTION)) else { return Err(BodyError::Gone) };
        if !side.ended.get() || side.size.get() > self.before + self.size {
            return Err(BodyError::NotEnded);
        }
        if !side.body.get() {
            return Err(BodyError::NoBody);
        }
        self.settle()?;
        if side.trailers.get() && side.size.get() == 0 {
            return Err(BodyError::BehindTrailers);
        }
        if self.changed.is_none() {
            self.changed = Some(self.read(0, self.before)?);
        }
        self.changed.get_or_insert_default().extend_from_slice(bytes);
        Ok(())
    }
}
