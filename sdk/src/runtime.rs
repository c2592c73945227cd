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
pub(crate) mod grpc;
mod places;
pub(crate) mod queues;
mod ticks;
pub(crate) mod timers;
mod waker;
mod wakers;

use std::{
    cell::Cell,
    fmt,
    future::Future,
    pin::Pin,
    ptr,
    task::{Context, Waker},
};

pub(crate) use self::{
    exchange::{Exchange, Side, Stage, Verdict},
    waker::Waiting,
    wakers::Wakers,
};
use self::{places::Place, waker::Waiter};
use crate::{
    Error,
    abi::{self, vm_local},
    fault,
    hooks::{Direction, above},
};

/// What a stream runs. It does its own work at the end, so that it has no result.
pub(crate) type Task = Pin<Box<dyn Future<Output = ()>>>;

/// The name of a stream: its place, and the generation of it.
#[derive(Clone, Copy)]
pub(crate) struct StreamId {
    place: &'static Place,
    generation: u32,
}

/// How a stream that can no longer be answered for is ended.
pub(crate) type Fail = fn(StreamId, Error);

vm_local! {
    /// The stream whose turn it is.
    static CURRENT: Cell<Option<StreamId>> = Cell::new(None);
    /// The stream whose turn it is in a callback that the proxy makes for its root context, and not for itself.
    static IN_ROOT: Cell<Option<StreamId>> = Cell::new(None);
}

// === impl StreamId ===

impl fmt::Debug for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("StreamId").field(&self.place.context.get()).field(&self.generation).finish()
    }
}

impl PartialEq for StreamId {
    fn eq(&self, other: &Self) -> bool {
        ptr::eq(self.place, other.place) && self.generation == other.generation
    }
}

impl StreamId {
    /// Opens a stream for a context of the proxy, in the callback of its request's headers.
    pub(crate) fn open(context: u32, root: u32, fail: Fail, end_of_stream: bool) -> Self {
        let place = places::take();
        let generation = place.generation.get().wrapping_add(1);
        place.generation.set(generation);
        place.context.set(context);
        place.root.set(root);
        place.fail.set(Some(fail));
        place.exchange.open(end_of_stream);
        // Somebody who outlived the stream before.
        place.woken.take();
        Self { place, generation }
    }

    /// Opens a place for what a root context runs in the background, and has it run in the next tick. It lives until it has ended, or the root context is gone.
    pub(crate) fn open_in_background(root: u32, task: Task) {
        let id = Self::open(root, root, |_, error| log::error!("a task of the plugin: {error:#}"), true);
        id.place.task.set(Some(task));
        id.place.woken.set();
    }

    /// A call-out more, or less, is under way on its behalf.
    fn count_call(self, more: bool) {
        let calls = &self.place.calls;
        if self.is_open() {
            calls.set(if more { calls.get() + 1 } else { calls.get().saturating_sub(1) });
        }
    }

    /// Runs its future if it was woken, in an answer that is routed to it; or, in one that its root context has, all that were woken of that.
    fn run_in(self, root: Option<u32>) {
        match root {
            Some(root) => ticks::run_woken(root),
            // The dispatcher routes it to the stream. For the proxy it is a callback of the root context all the same.
            None => self.in_root(Self::run),
        }
    }

    fn in_root(self, run: fn(Self)) {
        let before = IN_ROOT.replace(Some(self));
        run(self);
        IN_ROOT.set(before);
    }

    /// Whether the callback that runs now is one of its root context: what the proxy does not let be redirected to the stream then finds only the root.
    pub(crate) fn runs_in_root(self) -> bool {
        IN_ROOT.get() == Some(self)
    }

    /// The root context that it belongs to.
    pub(crate) fn root(self) -> u32 {
        self.place.root.get()
    }

    /// Whether it is no stream, but something that a root context runs.
    pub(crate) fn is_background(self) -> bool {
        self.place.context == self.place.root
    }

    /// Closes it: every handle to it is inert from here on; then its future is dropped.
    pub(crate) fn close(self) {
        if !self.is_open() {
            return;
        }
        let place = self.place;
        place.generation.set(self.generation.wrapping_add(1));
        let task = place.task.take();
        if place.calls.take() > 0 {
            calls::orphan(self);
            grpc::orphan(self);
        }
        // User code: it must find the stream closed.
        let previous = CURRENT.take();
        drop(task);
        place.exchange.close();
        CURRENT.set(previous);
        // Of edits that it tried though it was over.
        drop(fault::take());
        place.woken.take();
        places::give_back(place);
    }

    /// The stream that has a place, if one has.
    fn at(place: &'static Place) -> Option<Self> {
        let generation = place.generation.get();
        (generation % 2 == 1).then_some(Self { place, generation })
    }

    fn is_open(self) -> bool {
        self.place.generation.get() == self.generation
    }

    /// Whether it is this stream's turn, so that calls to the proxy act on it.
    pub(crate) fn is_current(self) -> bool {
        Self::current() == Some(self)
    }

    /// The stream whose turn it is.
    pub(crate) fn current() -> Option<Self> {
        CURRENT.get()
    }

    /// What is known of the exchange; `None` when the stream is over.
    pub(crate) fn exchange(self) -> Option<&'static Exchange> {
        self.is_open().then_some(&self.place.exchange)
    }

    /// Gives it the future to run, and runs it for the first time.
    pub(crate) fn spawn(self, task: Task) {
        self.poll_task(task);
    }

    /// Has whoever polls with this waker wait for something of this stream.
    pub(crate) fn wait(self, waiting: &Waiting, waker: &Waker) {
        waiting.set(&self.place.waker, waker);
    }

    /// Wakes whoever waits for something of this stream.
    pub(crate) fn wake(self, waiting: &Waiting) {
        match waiting.take() {
            Waiter::Nobody => {}
            Waiter::Stream => self.place.woken.set(),
            Waiter::Other(waker) => waker.wake(),
        }
    }

    /// As [`wake`](Self::wake), in a callback of this stream: its future runs at once, if it was woken.
    pub(crate) fn wake_and_run(self, waiting: &Waiting) {
        match waiting.take() {
            Waiter::Nobody => {}
            Waiter::Stream => {
                self.place.woken.take();
                self.poll();
            }
            Waiter::Other(waker) => {
                waker.wake();
                self.run();
            }
        }
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
        if self.is_background() {
            self.poll();
            // There is no callback that would say so.
            if self.has_ended() {
                self.close();
            }
            return;
        }
        // The stream is not known to the proxy any more: its callbacks will say so.
        if abi::set_effective_context(self.place.context.get()).is_err() {
            return;
        }
        self.in_root(Self::poll);
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

    /// Ends it by its error policy if the proxy refused something.
    #[cold]
    fn fail_by_fault(self) {
        // What the policy then lets go on may not be able to be changed as was said.
        for _ in 0..2 {
            if let Some(error) = fault::take() {
                self.fail(error);
            }
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
        if fault::pending() {
            self.fail_by_fault();
            // User code again: nothing of the stream is its any more.
            CURRENT.take();
            drop(task);
            drop(fault::take());
        } else if poll.is_pending() && self.is_open() {
            self.place.task.set(Some(task));
            if self.place.exchange.was_abandoned() {
                self.release(Direction::Response);
                self.fail_by_fault();
            }
        } else {
            drop(task);
        }
        if self.place.exchange.resumes() {
            self.go_on();
        }
        CURRENT.set(previous);
    }
}

/// From here on the callbacks of root contexts, and the ends of all callbacks, run what was woken.
fn listen() {
    above::on_reason(ticks::arm);
    above::on_tick(ticks::tick);
    above::on_gone(close_background);
}

/// A root context is gone, and with it what it runs in the background.
fn close_background(root: u32) {
    places::all().filter(|place| place.root.get() == root).filter_map(StreamId::at).filter(|id| id.is_background()).for_each(StreamId::close);
    ticks::forget(root);
}

// === the stream's directions ===

impl StreamId {
    /// Lets a direction go on, with all that it has of headers, body and trailers; unless an edit was refused, on which the stream is about to fail, or it is
    /// another stream's turn.
    pub(crate) fn release(self, direction: Direction) {
        let Some(exchange) = self.may_go_on(direction) else { return };
        if let Err(error) = exchange.side(direction).map_what_is_held() {
            fault::record(error);
            return;
        }
        exchange.release(direction);
    }

    /// Lets the headers of a direction go on, and holds its body; unless as for [`release`](Self::release).
    pub(crate) fn release_headers(self, direction: Direction) {
        if let Some(exchange) = self.may_go_on(direction) {
            exchange.release_headers(direction);
        }
    }

    /// Lets what has arrived of a direction's body go by, and waits for more; unless as for [`release`](Self::release).
    pub(crate) fn let_by(self, direction: Direction) {
        if let Some(exchange) = self.may_go_on(direction) {
            exchange.let_by(direction);
        }
    }

    fn may_go_on(self, direction: Direction) -> Option<&'static Exchange> {
        if fault::pending() || !self.is_current() {
            return None;
        }
        let exchange = self.exchange().filter(|exchange| exchange.may_go_on(direction))?;
        if exchange.side(direction).broken.get() {
            fault::record(Error::msg("a body was changed outside of the request that it belongs to, or could not be changed"));
            return None;
        }
        Some(exchange)
    }

    /// Has the proxy resume what was let go. Only when user code has returned: it may still answer or break off, and an answer or a reset in the callback in which a response was resumed, and has
    /// ended with that, crashes Envoy.
    fn go_on(self) {
        // Also what a stream has left that is over.
        for direction in self.place.exchange.take_resumed().filter(|_| self.is_open()) {
            if let Err(status) = abi::continue_stream(direction.stream_type()) {
                cannot_go_on(status);
            }
        }
    }
}

#[cold]
fn cannot_go_on(status: abi::Status) {
    log::error!("a stream cannot go on: the proxy answered {status}");
}
