//! Runs futures on top of the callbacks: which streams there are, which future each runs, who is woken, and whose turn it is.
//!
//! # Whose turn it is
//!
//! A call-out's answer is routed by `proxy-wasm` to the context whose callback was running when the call-out was sent. So a stream's future is polled in callbacks
//! of its own stream and of its root context only, in the latter with its stream as the effective context (an answer then comes to the root,
//! and finds its stream in the table of [`calls`]). A wake-up that comes from any other callback does not poll there: it sets a tick.
//!
//! # Handles
//!
//! A [`StreamId`] names a stream, it does not keep it open. What a filter holds of a stream ([`Request`](crate::Request), [`Response`](crate::Response))
//! is such a name: when the stream is over, or when it is another stream's turn, the handle does nothing.

pub(crate) mod calls;
mod exchange;
mod places;
mod ticks;
mod waker;

use std::{
    cell::Cell,
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Waker},
};

use self::{exchange::Exchange, places::Place};
pub(crate) use self::{
    exchange::{Stage, Verdict},
    ticks::tick,
    waker::Waiter,
};
use crate::{
    Error, abi, fault,
    hooks::{Direction, after},
};

/// What a stream runs. It does its own work at the end, so that it has no result.
pub(crate) type Task = Pin<Box<dyn Future<Output = ()>>>;

/// The name of a stream: its place, and its number.
#[derive(Clone, Copy)]
pub(crate) struct StreamId {
    place: &'static Place,
    number: u64,
}

/// How a stream that can no longer be answered for is ended.
pub(crate) type Fail = fn(StreamId, Error);

thread_local! {
    /// The number of the stream whose turn it is, and its place.
    static CURRENT: Cell<Option<StreamId>> = const { Cell::new(None) };
}

// === impl StreamId ===

impl fmt::Debug for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("StreamId").field(&self.number).finish()
    }
}

impl PartialEq for StreamId {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
    }
}

impl StreamId {
    /// Opens a stream for a context of the proxy, in the callback of its request's headers.
    pub(crate) fn open(context: u32, root: u32, fail: Fail, end_of_stream: bool) -> Self {
        after::always(ticks::arm);
        let (place, number) = places::take();
        place.number.set(number);
        place.context.set(context);
        place.root.set(root);
        place.fail.set(Some(fail));
        place.exchange.borrow_mut().open(end_of_stream);
        // Somebody who outlived the stream before.
        place.woken.take();
        Self { place, number }
    }

    /// Closes it: every handle to it is inert from here on; then its future is dropped.
    pub(crate) fn close(self) {
        if !self.is_open() {
            return;
        }
        let place = self.place;
        place.number.set(0);
        let task = place.task.take();
        let waiters = place.exchange.borrow_mut().take_waiters();
        if place.calls.take() > 0 {
            calls::orphan(self);
        }
        // User code: it must find the stream closed, and nothing borrowed.
        let previous = CURRENT.take();
        drop((task, waiters));
        CURRENT.set(previous);
        // Of edits that it tried though it was over.
        fault::take();
        places::give_back(place);
    }

    /// The stream that has a place, if one has.
    fn at(place: &'static Place) -> Option<Self> {
        let number = place.number.get();
        (number != 0).then_some(Self { place, number })
    }

    fn is_open(self) -> bool {
        self.place.number.get() == self.number
    }

    /// Whether it is this stream's turn, so that calls to the proxy act on it.
    pub(crate) fn is_current(self) -> bool {
        Self::current() == Some(self)
    }

    /// The stream whose turn it is.
    pub(crate) fn current() -> Option<Self> {
        CURRENT.get()
    }

    /// Reads or changes what is known of the exchange; `None` when the stream is over.
    pub(crate) fn exchange<T>(self, change: impl FnOnce(&mut Exchange) -> T) -> Option<T> {
        self.is_open().then(|| change(&mut self.place.exchange.borrow_mut()))
    }

    /// Gives it the future to run, and runs it for the first time.
    pub(crate) fn spawn(self, task: Task) {
        self.poll_task(task);
    }

    /// Whoever waits with this waker.
    pub(crate) fn waiter(self, waker: &Waker) -> Waiter {
        Waiter::of(&self.place.waker, waker)
    }

    /// Tells somebody who waits for something of this stream that it is there. Whether there was somebody.
    pub(crate) fn wake(self, waiter: Waiter) -> bool {
        match waiter {
            Waiter::Nobody => return false,
            Waiter::Stream => self.place.woken.set(),
            Waiter::Other(waker) => waker.wake(),
        }
        true
    }

    /// Runs its future if it was woken. To be called in a callback of this stream.
    pub(crate) fn run(self) {
        if self.is_open() && self.place.woken.take() {
            self.poll();
        }
    }

    /// As [`run`](Self::run), in a callback of its root context.
    fn run_from_root(self) {
        if !self.is_open() || !self.place.woken.take() {
            return;
        }
        let root = self.place.root.get();
        // The stream is not known to the proxy any more: its callbacks will say so.
        if abi::set_effective_context(self.place.context.get()).is_err() {
            return;
        }
        self.poll();
        if let Err(status) = abi::set_effective_context(root) {
            log::error!("the proxy does not know the root context {root}: {status}");
        }
    }

    /// Whether its future has ended.
    pub(crate) fn has_ended(self) -> bool {
        if !self.is_open() {
            return true;
        }
        let task = self.place.task.take();
        let ended = task.is_none();
        self.place.task.set(task);
        ended
    }

    /// Ends it by its error policy.
    pub(crate) fn fail(self, error: Error) {
        if let Some(fail) = self.place.fail.get().filter(|_| self.is_open()) {
            fail(self, error);
        }
    }

    fn poll(self) {
        // Absent while it runs, and once it has ended.
        if let Some(task) = self.place.task.take() {
            self.poll_task(task);
        }
    }

    fn poll_task(self, mut task: Task) {
        let previous = CURRENT.replace(Some(self));
        let poll = task.as_mut().poll(&mut Context::from_waker(&self.place.waker));
        if let Some(error) = fault::take() {
            self.fail(error);
            // User code again: nothing of the stream is its any more.
            CURRENT.take();
            drop(task);
            fault::take();
        } else if poll.is_pending() && self.is_open() {
            self.place.task.set(Some(task));
            if self.place.exchange.borrow_mut().was_abandoned() {
                self.release(Direction::Response);
            }
        } else {
            drop(task);
        }
        CURRENT.set(previous);
    }
}

// === the stream's directions ===

impl StreamId {
    /// Lets a direction go on, with all that it has of headers, body and trailers; unless an edit was refused, on which the stream is about to fail, or it is
    /// another stream's turn.
    pub(crate) fn release(self, direction: Direction) {
        if fault::pending() || !self.is_current() {
            return;
        }
        let resume = self.exchange(|exchange| exchange.release(direction)).unwrap_or(false);
        self.resume_if(resume, direction);
    }

    /// Lets the headers of a direction go on, and holds its body; unless as for [`release`](Self::release).
    pub(crate) fn release_headers(self, direction: Direction) {
        if fault::pending() || !self.is_current() {
            return;
        }
        let resume = self.exchange(|exchange| exchange.release_headers(direction)).unwrap_or(false);
        self.resume_if(resume, direction);
    }

    fn resume_if(self, resume: bool, direction: Direction) {
        if resume && let Err(status) = abi::continue_stream(direction.stream_type()) {
            log::error!("a stream cannot go on: the proxy answered {status}");
        }
    }
}
