//! Call-outs on their way: which stream waits for which token.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    future::Future,
    pin::Pin,
    task::{Context, Poll, Waker},
};

use super::StreamId;
use crate::{
    abi::{self, BufferType, MapType, needs, vm_local},
    error::HostError,
    hooks::{
        CallToken, HttpCall,
        above::{self, Sizes},
    },
};

/// What came back under a token.
#[derive(Debug)]
pub(crate) struct Answer {
    /// Encoded pairs; none at all if the call-out was cut off.
    pub(crate) headers: Vec<u8>,
    pub(crate) body: Vec<u8>,
    /// Encoded pairs.
    pub(crate) trailers: Vec<u8>,
}

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum NoAnswer {
    /// The proxy did not send it.
    NotSent(HostError),
    /// No stream's future is running, so that nobody could be woken.
    OutsideOfStream,
    /// It was sent on behalf of a stream that is over.
    Orphaned,
    /// The proxy does not give it.
    Unreadable(HostError),
    /// Its body has so many bytes, which are more than were to be read.
    TooLarge(usize),
}

struct Pending {
    stream: StreamId,
    waker: Waker,
    max_body: usize,
    answer: Option<Result<Answer, NoAnswer>>,
}

/// What has to be done about call-outs. A filter that sends none has nothing of it in its module: it is reached only through [`USED`].
#[derive(Clone, Copy)]
struct Use {
    answered: fn(CallToken, Sizes, Option<u32>),
    orphan: fn(StreamId),
}

vm_local! {
    /// There once a call-out was sent.
    static USED: Cell<Option<Use>> = Cell::new(None);
    static CALLS: RefCell<BTreeMap<CallToken, Pending>> = RefCell::new(BTreeMap::new());
}

/// A call-out. It is sent when it is first polled; when it is dropped, its answer will be ignored.
#[derive(Debug)]
pub(crate) enum InFlight {
    /// Behind a pointer: every future that sends a call is as large as all that it holds. With it, how large the body of its answer may be.
    Unsent(Box<HttpCall>, usize),
    Sent(CallToken),
}

// === impl InFlight ===

impl Future for InFlight {
    type Output = Result<Answer, NoAnswer>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &*self {
            Self::Unsent(call, max_body) => {
                needs!("http_call_response", "response_body", "response_trailers");
                let Some(stream) = StreamId::current() else { return Poll::Ready(Err(NoAnswer::OutsideOfStream)) };
                let token = match call.dispatch() {
                    Ok(token) => token,
                    Err(error) => return Poll::Ready(Err(NoAnswer::NotSent(error))),
                };
                above::on_call(|root, token, sizes| deliver(token, sizes, Some(root)));
                USED.set(Some(Use { answered: deliver, orphan: tell_orphans }));
                let pending = Pending { stream, waker: cx.waker().clone(), max_body: *max_body, answer: None };
                CALLS.with_borrow_mut(|calls| calls.insert(token, pending));
                stream.count_call(true);
                *self = Self::Sent(token);
                Poll::Pending
            }
            Self::Sent(token) => {
                let mut waker = cx.waker().clone();
                // The old waker is dropped when nothing is borrowed any more.
                CALLS.with_borrow_mut(|calls| {
                    let Some(pending) = calls.get_mut(token) else { return Poll::Ready(Err(NoAnswer::Orphaned)) };
                    match pending.answer.take() {
                        Some(answer) => Poll::Ready(answer),
                        None => {
                            std::mem::swap(&mut pending.waker, &mut waker);
                            Poll::Pending
                        }
                    }
                })
            }
        }
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        if let Self::Sent(token) = self {
            let pending = CALLS.try_with(|calls| calls.borrow_mut().remove(token)).ok().flatten();
            if let Some(pending) = pending {
                pending.stream.count_call(false);
            }
        }
    }
}

/// A call-out was answered, in a callback of its own stream.
pub(crate) fn answered(token: CallToken, sizes: Sizes) {
    if let Some(used) = USED.get() {
        (used.answered)(token, sizes, None);
    }
}

/// The stream on whose behalf they were sent is over, and with it their answers.
pub(super) fn orphan(stream: StreamId) {
    if let Some(used) = USED.get() {
        (used.orphan)(stream);
    }
}

/// A call-out was answered, in a callback of its own stream, or of its root context.
fn deliver(token: CallToken, sizes: Sizes, root: Option<u32>) {
    let awaited = CALLS.with_borrow(|calls| calls.get(&token).map(|pending| (pending.stream, pending.waker.clone(), pending.max_body)));
    // Nobody waits any more.
    let Some((stream, waker, max_body)) = awaited else { return };
    let answer = if sizes.body > max_body { Err(NoAnswer::TooLarge(sizes.body)) } else { read(sizes) };
    CALLS.with_borrow_mut(|calls| {
        if let Some(pending) = calls.get_mut(&token) {
            pending.answer.get_or_insert(answer);
        }
    });
    waker.wake();
    stream.run_in(root);
}

/// Reads an answer. What cannot be read must not pass for an empty one.
fn read(Sizes { headers, body, trailers }: Sizes) -> Result<Answer, NoAnswer> {
    let pairs = |size, map| if size == 0 { Ok(Vec::new()) } else { abi::header_pairs(map) };
    let read = || {
        Ok(Answer {
            headers: pairs(headers, MapType::HttpCallResponseHeaders)?,
            body: abi::whole_buffer(BufferType::HttpCallResponseBody, body)?,
            trailers: pairs(trailers, MapType::HttpCallResponseTrailers)?,
        })
    };
    read().map_err(|status| NoAnswer::Unreadable(HostError::new("read the answer of a call-out", status)))
}

/// Whoever else waits for the answers of a stream that is over is told.
fn tell_orphans(stream: StreamId) {
    let wakers: Result<Vec<_>, _> = CALLS.try_with(|calls| {
        let mut calls = calls.borrow_mut();
        let orphans = calls.values_mut().filter(|pending| pending.stream == stream && pending.answer.is_none());
        orphans
            .map(|pending| {
                pending.answer = Some(Err(NoAnswer::Orphaned));
                pending.waker.clone()
            })
            .collect()
    });
    wakers.into_iter().flatten().for_each(Waker::wake);
}
