use std::{
    cell::Cell,
    fmt,
    future::poll_fn,
    marker::PhantomData,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
};

use futures_core::Stream;

use super::{Code, GrpcError, Head, Message};
use crate::{
    error::HostError,
    headers::{AsHeaderName, AsHeaderValue, Check, Edited, Headers, Source},
    runtime::grpc::{self, Call, Received},
};

/// A stream that is being put together; made by [`GrpcService::stream`](super::GrpcService::stream).
#[derive(Clone, Debug)]
#[must_use = "a stream is opened by `open()`"]
pub struct GrpcStreamRequest {
    head: Head,
}

/// A stream of messages `T` to a service, and of messages `U` from it. When it is dropped, with both of its halves, it is reset.
///
/// # Examples
///
/// ```
/// # use inproxy::log;
/// use inproxy::{grpc::{GrpcError, Raw}, prelude::*};
///
/// async fn talk(service: &Cluster) -> Result<usize, GrpcError> {
///     let mut stream = service.grpc("acme.Chat").stream("Talk").open::<Raw, Raw>()?;
///     stream.send(&Raw(b"hello".to_vec()))?;
///     stream.close()?;
///     let mut answers = 0;
///     while let Some(answer) = stream.next().await? {
///         log::info!("{} bytes", answer.0.len());
///         answers += 1;
///     }
///     Ok(answers)
/// }
/// ```
#[derive(Debug)]
pub struct GrpcStream<T, U> {
    sender: Sender<T>,
    receiver: Receiver<U>,
}

/// The half of a stream that sends.
pub struct Sender<T> {
    call: Rc<Call>,
    closed: Cell<bool>,
    message: PhantomData<fn(&T)>,
}

/// The half of a stream that receives.
pub struct Receiver<U> {
    call: Rc<Call>,
    initial: Vec<u8>,
    trailing: Vec<u8>,
    ended: bool,
    message: PhantomData<fn() -> U>,
}

// === impl GrpcStreamRequest ===

impl GrpcStreamRequest {
    pub(super) const fn new(head: Head) -> Self {
        Self { head }
    }

    /// Adds an entry to the metadata, behind those of the same name. The value of one whose name ends in `-bin` must be base64.
    ///
    /// # Errors
    ///
    /// Only if name or value is raw and invalid; see [`HeadersMut`](crate::headers::HeadersMut).
    pub fn metadata<N: AsHeaderName, V: AsHeaderValue>(mut self, name: N, value: V) -> Edited<N, V, Self> {
        let outcome = self.head.append(name, value).map_err(Into::into);
        <<N::Check as Check>::And<V::Check>>::settle(self, outcome)
    }

    /// Opens it. Envoy does so at once, and has no timeout for it: what must not last is awaited within [`time::timeout`](crate::time::timeout).
    ///
    /// # Errors
    ///
    /// [`GrpcError`] if the service cannot be reached.
    pub fn open<T: Message, U: Message>(self) -> Result<GrpcStream<T, U>, GrpcError> {
        let made = self.head.with_target(grpc::stream);
        let call = Rc::new(made.map_err(|reason| GrpcError::not_made(reason, self.head.service.cluster.name()))?);
        Ok(GrpcStream {
            sender: Sender { call: Rc::clone(&call), closed: Cell::new(false), message: PhantomData },
            receiver: Receiver { call, initial: Vec::new(), trailing: Vec::new(), ended: false, message: PhantomData },
        })
    }
}

// === impl GrpcStream ===

impl<T: Message, U: Message> GrpcStream<T, U> {
    /// Sends a message; as [`Sender::send`].
    ///
    /// # Errors
    ///
    /// As [`Sender::send`].
    pub fn send(&self, message: &T) -> Result<(), GrpcError> {
        self.sender.send(message)
    }

    /// Says that no further message is sent; as [`Sender::close`].
    ///
    /// # Errors
    ///
    /// As [`Sender::close`].
    pub fn close(&self) -> Result<(), GrpcError> {
        self.sender.close()
    }

    /// The next message; as [`Receiver::next`].
    ///
    /// # Errors
    ///
    /// As [`Receiver::next`].
    pub async fn next(&mut self) -> Result<Option<U>, GrpcError> {
        self.receiver.next().await
    }

    /// The metadata that the service began with, when something has come.
    pub fn initial_metadata(&self) -> Headers<'_> {
        self.receiver.initial_metadata()
    }

    /// The metadata that the service ended with, when it has.
    pub fn trailing_metadata(&self) -> Headers<'_> {
        self.receiver.trailing_metadata()
    }

    /// Both halves, to send and receive at the same time.
    pub fn split(self) -> (Sender<T>, Receiver<U>) {
        (self.sender, self.receiver)
    }
}

// === impl Sender ===

impl<T: Message> Sender<T> {
    /// Sends a message. The proxy takes it at once, however fast the service is.
    ///
    /// # Errors
    ///
    /// [`GrpcError`] if the stream has ended, or is closed.
    pub fn send(&self, message: &T) -> Result<(), GrpcError> {
        if self.closed.get() {
            return Err(GrpcError::ended(Code::FAILED_PRECONDITION.as_raw(), "the stream was closed by the filter itself".to_owned()));
        }
        match self.call.send(&message.to_bytes()) {
            Ok(true) => Ok(()),
            Ok(false) => Err(GrpcError::ended(Code::FAILED_PRECONDITION.as_raw(), "the stream has ended".to_owned())),
            Err(status) => Err(HostError::new("send on a gRPC stream", status).into()),
        }
    }

    /// Says that no further message is sent. What the service sends still comes. On a stream that has ended it does nothing.
    ///
    /// # Errors
    ///
    /// [`GrpcError::Host`] if the proxy refuses.
    pub fn close(&self) -> Result<(), GrpcError> {
        if self.closed.replace(true) {
            return Ok(());
        }
        self.call.close().map_err(|status| HostError::new("close a gRPC stream", status).into())
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Sender").field(&self.call).finish()
    }
}

// === impl Receiver ===

impl<U: Message> Receiver<U> {
    /// The next message. `None` when the service has ended with the status "ok".
    ///
    /// # Errors
    ///
    /// [`GrpcError::Status`] when it has ended with another; [`GrpcError::Decode`] for a message of another type, behind which the stream goes on.
    pub async fn next(&mut self) -> Result<Option<U>, GrpcError> {
        poll_fn(|cx| self.poll_message(cx)).await.transpose()
    }

    fn poll_message(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<U, GrpcError>>> {
        while !self.ended {
            match std::task::ready!(self.call.poll_next(cx)) {
                Received::InitialMetadata(pairs) => self.initial = pairs,
                Received::TrailingMetadata(pairs) => self.trailing = pairs,
                Received::Message(message) => return Poll::Ready(Some(U::from_bytes(&message))),
                Received::End { status, message } => {
                    self.ended = true;
                    if status != Code::OK.as_raw() {
                        return Poll::Ready(Some(Err(GrpcError::ended(status, message))));
                    }
                }
            }
        }
        Poll::Ready(None)
    }

    /// The metadata that the service began with, when something has come.
    pub fn initial_metadata(&self) -> Headers<'_> {
        Headers::new(Source::Fetched(&self.initial))
    }

    /// The metadata that the service ended with, when it has.
    pub fn trailing_metadata(&self) -> Headers<'_> {
        Headers::new(Source::Fetched(&self.trailing))
    }
}

impl<U: Message> Stream for Receiver<U> {
    type Item = Result<U, GrpcError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll_message(cx)
    }
}

impl<U> fmt::Debug for Receiver<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver").field("call", &self.call).field("ended", &self.ended).finish_non_exhaustive()
    }
}
