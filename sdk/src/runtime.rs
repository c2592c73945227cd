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
//! A [`StreamId`] names a stream, it does not keep it alive. What a filter holds of a stream ([`Request`](crate::Request), [`Response`](crate::Response))
//! is such a name: when the stream is over, or when it is another stream's turn, the handle does nothing.

pub(crate) mod calls;
mod exchange;
mod ticks;
mod waker;

use std::{
    cell::{Cell, RefCell},
    future::Future,
    pin::Pin,
    task::{Context, Waker},
};

use slab::Slab;

use self::exchange::Exchange;
pub(crate) use self::exchange::{Stage, Verdict};
pub(crate) use self::ticks::tick;
use crate::{
    Error, abi, fault,
    hooks::{Direction, after},
};

/// What a stream runs. It does its own work at the end, so that it has no result.
pub(crate) type Task = Pin<Box<dyn Future<Output = ()>>>;

/// The name of a stream: its place in the table, and its context id, which no other stream of the VM ever has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StreamId {
    index: usize,
    context: u32,
}

/// How a stream that can no longer be answered for is ended.
pub(crate) type Fail = fn(StreamId, Error);

struct Stream {
    id: StreamId,
    root: u32,
    task: Option<Task>,
    fail: Fail,
    calls: usize,
    exchange: Exchange,
}

#[derive(Default)]
struct Runtime {
    streams: RefCell<Slab<Stream>>,
    /// One for each place, away while that place's future runs.
    wakers: RefCell<Vec<Option<Waker>>>,
    current: Cell<Option<StreamId>>,
}

thread_local! {
    static RUNTIME: Runtime = Runtime::default();
}

/// `None` while the thread ends: what a dead VM left behind is dropped then.
fn runtime<T>(act: impl FnOnce(&Runtime) -> T) -> Option<T> {
    RUNTIME.try_with(act).ok()
}

// === impl StreamId ===

impl StreamId {
    /// Opens a stream for a context of the proxy, in the callback of its request's headers.
    pub(crate) fn open(context: u32, root: u32, fail: Fail, end_of_stream: bool) -> Self {
        after::always(ticks::arm);
        RUNTIME.with(|runtime| {
            let mut streams = runtime.streams.borrow_mut();
            let entry = streams.vacant_entry();
            let id = Self { index: entry.key(), context };
            entry.insert(Stream { id, root, task: None, fail, calls: 0, exchange: Exchange::opened(end_of_stream) });
            let mut wakers = runtime.wakers.borrow_mut();
            while wakers.len() <= id.index {
                let next = waker::new(wakers.len());
                wakers.push(Some(next));
            }
            waker::take(id.index);
            id
        })
    }

    /// Closes it: every handle to it is inert from here on; then its future is dropped.
    pub(crate) fn close(self) {
        // What of it is user code's goes out one by one: the whole is large to move.
        let left = self.with(|stream| {
            let Exchange { request, response, awaited, .. } = &mut stream.exchange;
            (stream.task.take(), [request.reader.take(), response.reader.take(), awaited.take()], stream.calls)
        });
        if let Some((task, wakers, calls)) = left {
            runtime(|runtime| runtime.streams.borrow_mut().remove(self.index));
            if calls > 0 {
                calls::orphan(self);
            }
            // User code: it must find the stream closed, and nothing borrowed.
            let previous = runtime(|runtime| runtime.current.take());
            drop((task, wakers));
            runtime(|runtime| runtime.current.set(previous.flatten()));
            // Of edits that it tried though it was over.
            fault::take();
        }
    }

    /// The stream at a place, and its root context.
    fn at(index: usize) -> Option<(Self, u32)> {
        runtime(|runtime| runtime.streams.borrow().get(index).map(|stream| (stream.id, stream.root))).flatten()
    }

    /// Whether it is this stream's turn, so that calls to the proxy act on it.
    pub(crate) fn is_current(self) -> bool {
        Self::current() == Some(self)
    }

    /// The stream whose turn it is.
    pub(crate) fn current() -> Option<Self> {
        runtime(|runtime| runtime.current.get()).flatten()
    }

    /// Reads or changes what is known of the exchange; `None` when the stream is over.
    pub(crate) fn exchange<T>(self, change: impl FnOnce(&mut Exchange) -> T) -> Option<T> {
        self.with(|stream| change(&mut stream.exchange))
    }

    fn with<T>(self, change: impl FnOnce(&mut Stream) -> T) -> Option<T> {
        runtime(|runtime| {
            let mut streams = runtime.streams.borrow_mut();
            let stream = streams.get_mut(self.index).filter(|stream| stream.id == self)?;
            Some(change(stream))
        })
        .flatten()
    }

    /// Gives it the future to run, and runs it for the first time.
    pub(crate) fn spawn(self, task: Task) {
        self.poll_task(task);
    }

    /// Runs its future if it was woken. To be called in a callback of this stream.
    pub(crate) fn run(self) {
        if waker::take(self.index) {
            self.poll();
        }
    }

    /// Whether its future has ended.
    pub(crate) fn has_ended(self) -> bool {
        self.with(|stream| stream.task.is_none()).unwrap_or(true)
    }

    /// Ends it by its error policy.
    pub(crate) fn fail(self, error: Error) {
        if let Some(fail) = self.with(|stream| stream.fail) {
            fail(self, error);
        }
    }

    /// Runs its future in a callback of its root context.
    fn run_from_root(self, root: u32) {
        // The stream is not known to the proxy any more: its callbacks will say so.
        if abi::set_effective_context(self.context).is_err() {
            return;
        }
        self.poll();
        if let Err(status) = abi::set_effective_context(root) {
            log::error!("the proxy does not know the root context {root}: {status}");
        }
    }

    fn poll(self) {
        // Absent while it runs, and once it has ended.
        if let Some(task) = self.with(|stream| stream.task.take()).flatten() {
            self.poll_task(task);
        }
    }

    fn poll_task(self, mut task: Task) {
        let lent = runtime(|runtime| runtime.wakers.borrow_mut().get_mut(self.index).and_then(Option::take));
        let waker = lent.flatten().unwrap_or_else(|| waker::new(self.index));
        let previous = runtime(|runtime| runtime.current.replace(Some(self)));
        let poll = task.as_mut().poll(&mut Context::from_waker(&waker));
        runtime(|runtime| {
            if let Some(place) = runtime.wakers.borrow_mut().get_mut(self.index) {
                place.get_or_insert(waker);
            }
        });
        match fault::take() {
            Some(error) => {
                self.fail(error);
                // User code again: nothing of the stream is its any more.
                runtime(|runtime| runtime.current.take());
                drop(task);
                fault::take();
            }
            None if poll.is_pending() => {
                let abandoned = self.with(|stream| {
                    stream.task = Some(task);
                    // A response that arrived for a [`Run`](crate::http::Run) which was dropped since, while the filter goes on with other things.
                    let Exchange { response, abandoned, .. } = &mut stream.exchange;
                    response.stage == Stage::Headers && std::mem::take(abandoned)
                });
                if abandoned == Some(true) {
                    self.release(Direction::Response);
                }
            }
            None => drop(task),
        }
        runtime(|runtime| runtime.current.set(previous.flatten()));
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
