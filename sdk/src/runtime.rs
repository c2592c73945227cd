//! Runs futures on top of the callbacks: which streams there are, which future each runs, who is woken, and whose turn it is.
//!
//! # Whose turn it is
//!
//! A call-out's answer is routed by `proxy-wasm` to the context whose callback was running when the call-out was sent. So a stream's future is polled in two
//! places only: in a callback of its own stream, and in a tick of its root context, with its stream as the effective context (the answer then comes to the root,
//! and finds its stream in the table of [`calls`]). A wake-up that comes from another stream's callback does not poll there: it sets a tick.
//!
//! # Handles
//!
//! A [`StreamId`] names a stream, it does not keep it alive. What a filter holds of a stream ([`Request`](crate::Request), [`Response`](crate::Response))
//! is such a name: when the stream is over, or when it is another stream's turn, the handle does nothing.

pub(crate) mod calls;
mod exchange;
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
use self::waker::Ready;
use crate::{Error, abi, fault, hooks::Direction};

/// How soon a stream runs that was woken from another stream's callback.
const SOON_MS: u32 = 1;

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
    wakers: RefCell<Vec<Waker>>,
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
    /// Opens a stream for a context of the proxy.
    pub(crate) fn open(context: u32, root: u32, fail: Fail) -> Self {
        RUNTIME.with(|runtime| {
            let mut streams = runtime.streams.borrow_mut();
            let entry = streams.vacant_entry();
            let id = Self { index: entry.key(), context };
            entry.insert(Stream { id, root, task: None, fail, calls: 0, exchange: Exchange::default() });
            let mut wakers = runtime.wakers.borrow_mut();
            while wakers.len() <= id.index {
                let next = waker::new(wakers.len());
                wakers.push(next);
            }
            waker::take(id.index);
            id
        })
    }

    /// Closes it: every handle to it is inert from here on; then its future is dropped.
    pub(crate) fn close(self) {
        let stream = runtime(|runtime| {
            let mut streams = runtime.streams.borrow_mut();
            let known = streams.get(self.index).is_some_and(|stream| stream.id == self);
            known.then(|| streams.try_remove(self.index)).flatten()
        });
        if let Some(stream) = stream.flatten() {
            if stream.calls > 0 {
                calls::orphan(self);
            }
            // User code: it must find the stream closed, and nothing borrowed.
            let previous = runtime(|runtime| runtime.current.take());
            drop(stream);
            runtime(|runtime| runtime.current.set(previous.flatten()));
        }
        wake_others(self);
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
        self.with(|stream| stream.task = Some(task));
        self.poll();
        wake_others(self);
    }

    /// Runs its future if it was woken. To be called in a callback of this stream.
    pub(crate) fn run(self) {
        if waker::take(self.index) {
            self.poll();
        }
        wake_others(self);
    }

    /// Has its future run in the next tick, if it was woken.
    ///
    /// Envoy delivers body and trailers from within the call that resumes a stream at its headers. To let them go on from there loses a body that was held: they must wait
    /// until that call is over.
    pub(crate) fn run_soon(self) {
        wake_others(self);
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
        let Some(mut task) = self.with(|stream| stream.task.take()).flatten() else { return };
        let waker = runtime(|runtime| runtime.wakers.borrow().get(self.index).cloned());
        let Some(waker) = waker.flatten() else { return };
        let previous = runtime(|runtime| runtime.current.replace(Some(self)));
        let poll = task.as_mut().poll(&mut Context::from_waker(&waker));
        match fault::take() {
            Some(error) => {
                drop(task);
                if let Some(fail) = self.with(|stream| stream.fail) {
                    fail(self, error);
                }
            }
            None if poll.is_pending() => {
                self.with(|stream| stream.task = Some(task));
            }
            None => drop(task),
        }
        runtime(|runtime| runtime.current.set(previous.flatten()));
    }
}

/// Runs the streams of this root context that were woken; to be called in its tick.
pub(crate) fn tick(root: u32) {
    for index in waker::woken() {
        let woken = runtime(|runtime| runtime.streams.borrow().get(index).filter(|stream| stream.root == root).map(|stream| stream.id));
        if let Some(id) = woken.flatten()
            && waker::take(index)
        {
            id.run_from_root(root);
        }
    }
    let again = waker::any(|index| root_of(index) == Some(root));
    if let Err(status) = abi::set_tick_period(if again { SOON_MS } else { 0 }) {
        log::error!("the tick of the plugin could not be set: the proxy answered {status}");
    }
}

/// Sets a tick for the streams that were woken in a callback that is not theirs.
fn wake_others(own: StreamId) {
    if !waker::any(|_| true) {
        return;
    }
    let mut moved = false;
    for Ready { index, scheduled } in waker::schedule() {
        let Some(root) = root_of(index) else {
            // It is over.
            waker::take(index);
            continue;
        };
        if scheduled {
            continue;
        }
        moved = true;
        let set = abi::set_effective_context(root).and_then(|()| abi::set_tick_period(SOON_MS));
        if let Err(status) = set {
            log::error!("a stream cannot be woken: the proxy answered {status}");
        }
    }
    // At the end of a stream the proxy may not know it any more, and nothing else will be called for it.
    if moved {
        let _ = abi::set_effective_context(own.context);
    }
}

fn root_of(index: usize) -> Option<u32> {
    runtime(|runtime| runtime.streams.borrow().get(index).map(|stream| stream.root)).flatten()
}

// === the stream's directions ===

impl StreamId {
    /// Lets a direction go on, with all that it has of headers, body and trailers; unless an edit was refused, on which the stream is about to fail.
    pub(crate) fn release(self, direction: Direction) {
        if fault::pending() {
            return;
        }
        let resume = self.exchange(|exchange| exchange.release(direction)).unwrap_or(false);
        self.resume_if(resume, direction);
    }

    /// Lets the headers of a direction go on, and holds its body; unless an edit was refused.
    pub(crate) fn release_headers(self, direction: Direction) {
        if fault::pending() {
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
