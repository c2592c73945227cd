//! gRPC calls on their way: what has come under which token, and who waits for it. A filter that makes none has nothing of this in its module: it is reached only when one was made.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, VecDeque},
    task::{Context, Poll, Waker},
};

use super::StreamId;
use crate::{
    abi::{self, BufferType, GrpcTarget, MapType, Status, needs, vm_local},
    hooks::above::{self, GrpcEvent},
};

/// What has come under a token.
#[derive(Debug)]
pub(crate) enum Received {
    /// Encoded pairs.
    InitialMetadata(Vec<u8>),
    Message(Vec<u8>),
    /// Encoded pairs.
    TrailingMetadata(Vec<u8>),
    /// Nothing more comes.
    End {
        status: u32,
        message: String,
    },
}

/// Why a call was not made.
#[derive(Debug)]
pub(crate) enum NotMade {
    /// The proxy refused.
    Refused(Status),
    /// No future of a stream or task is running, so that nobody could be woken.
    OutsideOfStream,
}

/// A call that was made. It is cancelled when this is dropped before its end.
#[derive(Debug)]
pub(crate) struct Call(u32);

struct Pending {
    stream: StreamId,
    waker: Option<Waker>,
    received: VecDeque<Received>,
    /// A stream on which more can be sent.
    sending: bool,
    /// Nothing more is sent on it, and the proxy knows: as for any unary call.
    closed: bool,
    /// The proxy has forgotten it.
    over: bool,
}

/// What a call ends with whose stream is over: cancelled.
const CANCELLED: u32 = 1;

/// What a call ends with of which something cannot be read: broken.
const INTERNAL: u32 = 13;

vm_local! {
    /// What becomes of the calls of a stream that is over; there once a call was made.
    static ORPHAN: Cell<Option<fn(StreamId)>> = Cell::new(None);
    static CALLS: RefCell<BTreeMap<u32, Pending>> = RefCell::new(BTreeMap::new());
}

/// Sends a unary call.
pub(crate) fn call(target: GrpcTarget<'_>, message: &[u8], timeout_ms: u32) -> Result<Call, NotMade> {
    needs!("grpc_receive", "grpc_close");
    make(false, || abi::grpc_call(target, message, timeout_ms))
}

/// Opens a stream.
pub(crate) fn stream(target: GrpcTarget<'_>) -> Result<Call, NotMade> {
    needs!("grpc_receive_initial_metadata", "grpc_receive", "grpc_receive_trailing_metadata", "grpc_close");
    make(true, || abi::grpc_stream(target))
}

fn make(sending: bool, make: impl FnOnce() -> Result<u32, Status>) -> Result<Call, NotMade> {
    let Some(stream) = StreamId::current() else { return Err(NotMade::OutsideOfStream) };
    above::on_grpc(deliver);
    ORPHAN.set(Some(tell_orphans));
    let token = make().map_err(NotMade::Refused)?;
    let pending = Pending { stream, waker: None, received: VecDeque::new(), sending, closed: !sending, over: false };
    CALLS.with_borrow_mut(|calls| calls.insert(token, pending));
    stream.count_call(true);
    Ok(Call(token))
}

// === impl Call ===

impl Call {
    /// What has come next.
    pub(crate) fn poll_next(&self, cx: &mut Context<'_>) -> Poll<Received> {
        let mut waker = Some(cx.waker().clone());
        let next = CALLS.with_borrow_mut(|calls| {
            let pending = calls.get_mut(&self.0)?;
            let next = pending.received.pop_front();
            if next.is_none() {
                std::mem::swap(&mut pending.waker, &mut waker);
            }
            Some(next)
        });
        // The old waker is dropped when nothing is borrowed any more.
        drop(waker);
        match next {
            Some(Some(received)) => Poll::Ready(received),
            Some(None) => Poll::Pending,
            None => Poll::Ready(cancelled()),
        }
    }

    /// Sends a message of a stream; whether it was still open.
    pub(crate) fn send(&self, message: &[u8]) -> Result<bool, Status> {
        if !self.is_sending() {
            return Ok(false);
        }
        abi::grpc_send(self.0, message).map(|()| true)
    }

    /// Says that nothing more is sent on a stream.
    pub(crate) fn close(&self) -> Result<(), Status> {
        if !self.is_sending() {
            return Ok(());
        }
        CALLS.with_borrow_mut(|calls| {
            if let Some(pending) = calls.get_mut(&self.0) {
                pending.sending = false;
                pending.closed = true;
            }
        });
        abi::grpc_close(self.0)
    }

    fn is_sending(&self) -> bool {
        CALLS.with_borrow(|calls| calls.get(&self.0).is_some_and(|pending| pending.sending && !pending.over))
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        let pending = CALLS.try_with(|calls| calls.borrow_mut().remove(&self.0)).ok().flatten();
        if let Some(pending) = pending {
            pending.stream.count_call(false);
            if !pending.over {
                // Where the proxy does not know it any more, there is nothing left to cancel.
                let _ = abi::grpc_cancel(self.0);
            }
        }
    }
}

/// The stream on whose behalf calls were made is over.
pub(super) fn orphan(stream: StreamId) {
    if let Some(orphan) = ORPHAN.get() {
        orphan(stream);
    }
}

/// Whoever else waits for calls of a stream that is over is told.
fn tell_orphans(stream: StreamId) {
    let wakers: Result<Vec<_>, _> = CALLS.try_with(|calls| {
        let mut calls = calls.borrow_mut();
        let orphans = calls.iter_mut().filter(|(_, pending)| pending.stream == stream && !pending.over);
        orphans
            .map(|(token, pending)| {
                pending.received.push_back(cancelled());
                pending.over = true;
                (*token, pending.waker.take())
            })
            .collect()
    });
    for (token, waker) in wakers.into_iter().flatten() {
        let _ = abi::grpc_cancel(token);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

fn cancelled() -> Received {
    Received::End { status: CANCELLED, message: "the request that it belongs to is over".to_owned() }
}

/// Something has come, in a callback of its own stream, or of a root context.
fn deliver(token: u32, event: GrpcEvent, root: Option<u32>) {
    // Nobody waits any more, or only for what has come already.
    let Some(stream) = CALLS.with_borrow(|calls| calls.get(&token).filter(|pending| !pending.over).map(|pending| pending.stream)) else { return };
    let (first, end) = match read(event) {
        Ok(read) => read,
        // It must not pass for an empty message, which may well say yes.
        Err(status) => {
            if !matches!(event, GrpcEvent::Result { .. } | GrpcEvent::Close { .. }) {
                let _ = abi::grpc_cancel(token);
            }
            (None, Some(Received::End { status: INTERNAL, message: format!("what has come cannot be read: the proxy answered {status}") }))
        }
    };
    let (waker, closed) = CALLS
        .with_borrow_mut(|calls| {
            let pending = calls.get_mut(&token)?;
            pending.over |= end.is_some();
            pending.received.extend(first);
            pending.received.extend(end);
            // The trailing metadata is the service's end of it: what is sent behind that would be told to us from within the call that sends it.
            pending.sending &= !pending.over && !matches!(event, GrpcEvent::TrailingMetadata);
            Some((pending.waker.take(), pending.closed))
        })
        .unwrap_or((None, true));
    // Envoy keeps a stream that only the service has ended, and what is sent on it then acts on what is gone: it is ended from here too, while it is there.
    if !closed && matches!(event, GrpcEvent::Close { .. }) {
        let _ = abi::grpc_close(token);
    }
    if let Some(waker) = waker {
        waker.wake();
    }
    stream.run_in(root);
}

/// What an event brings: something, an end, or both.
fn read(event: GrpcEvent) -> Result<(Option<Received>, Option<Received>), Status> {
    let message = |size| abi::whole_buffer(BufferType::GrpcReceiveBuffer, size).map(Received::Message);
    Ok(match event {
        GrpcEvent::Result { status: 0, size } => (Some(message(size)?), Some(Received::End { status: 0, message: String::new() })),
        GrpcEvent::Result { status, .. } | GrpcEvent::Close { status } => (None, Some(ended(status))),
        GrpcEvent::InitialMetadata => (Some(Received::InitialMetadata(abi::header_pairs(MapType::GrpcReceiveInitialMetadata)?)), None),
        GrpcEvent::Message { size } => (Some(message(size)?), None),
        GrpcEvent::TrailingMetadata => (Some(Received::TrailingMetadata(abi::header_pairs(MapType::GrpcReceiveTrailingMetadata)?)), None),
    })
}

fn ended(status: u32) -> Received {
    let message = if status == 0 { Vec::new() } else { abi::grpc_status().map(|(_, message)| message).unwrap_or_default() };
    // Behind the service's own message stands Envoy's reason, in braces.
    let message = String::from_utf8_lossy(&message);
    let own = message.strip_suffix('}').and_then(|rest| rest.rsplit_once('{')).map_or(&*message, |(own, _)| own);
    Received::End { status, message: own.to_owned() }
}
