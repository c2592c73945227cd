use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use http::Method;

use super::{CallError, CallResponse, Cluster, Retry, RetryingCall};
use crate::{
    headers::{AsHeaderName, AsHeaderValue, Check, Edited, HeaderError, HeaderName, not_framing},
    hooks::HttpCall,
    runtime::calls::InFlight,
};

/// A call-out that is being put together; made by [`Cluster::get`] and its siblings.
#[derive(Clone, Debug)]
#[must_use = "a call-out is sent when `send()` is awaited"]
pub struct CallRequest {
    call: Box<HttpCall>,
    fault: Option<HeaderError>,
    max_body: usize,
    /// Whether it may be sent twice without harm.
    pub(super) idempotent: bool,
}

const METHOD: HeaderName = HeaderName::from_static(":method");
const PATH: HeaderName = HeaderName::from_static(":path");
const AUTHORITY: HeaderName = HeaderName::from_static(":authority");

/// Waits for the answer; made by [`CallRequest::send`]. When it is dropped, the answer is ignored.
#[derive(Debug)]
#[must_use = "a call-out is sent when this is awaited"]
pub struct Send {
    cluster: String,
    fault: Option<HeaderError>,
    in_flight: InFlight,
}

// === impl CallRequest ===

impl CallRequest {
    pub(super) fn new(cluster: &Cluster, method: &Method, path: &str) -> Self {
        let mut call = Box::new(HttpCall::new(cluster.name()));
        let headers = &mut call.headers;
        let fault = headers
            .append(&METHOD, method.as_str())
            .and_then(|()| headers.append(&PATH, path))
            .and_then(|()| headers.append(&AUTHORITY, cluster.name()))
            .err();
        Self { call, fault, max_body: usize::MAX, idempotent: method.is_idempotent() }
    }

    /// Adds a header, behind those of the same name.
    ///
    /// # Errors
    ///
    /// Only if name or value is raw and invalid; see [`HeadersMut`](crate::headers::HeadersMut).
    pub fn header<N: AsHeaderName, V: AsHeaderValue>(mut self, name: N, value: V) -> Edited<N, V, Self> {
        let outcome = name.to_name().and_then(|name| not_framing(&name)).and_then(|()| self.call.headers.append(name, value)).map_err(Into::into);
        <<N::Check as Check>::And<V::Check>>::settle(self, outcome)
    }

    /// Sets `:authority`, which is the cluster's name unless set.
    pub fn authority(mut self, authority: &str) -> Self {
        if let Err(fault) = self.call.headers.insert(&AUTHORITY, authority) {
            self.fault.get_or_insert(fault);
        }
        self
    }

    /// Sets the body.
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.call.body = body.into();
        self
    }

    /// Adds a trailer, behind those of the same name. A service that speaks HTTP/1.1 gets trailers only if Envoy is told to send them.
    ///
    /// # Errors
    ///
    /// Only if name or value is raw and invalid; see [`HeadersMut`](crate::headers::HeadersMut).
    pub fn trailer<N: AsHeaderName, V: AsHeaderValue>(mut self, name: N, value: V) -> Edited<N, V, Self> {
        let outcome = name.to_name().and_then(|name| not_framing(&name)).and_then(|()| self.call.trailers.append(name, value)).map_err(Into::into);
        <<N::Check as Check>::And<V::Check>>::settle(self, outcome)
    }

    /// Sends it again if there is no answer, or none that counts, as `retry` says.
    pub fn retry(self, retry: Retry) -> RetryingCall {
        RetryingCall::new(self, retry)
    }

    /// How long to wait for the answer, each time that it is sent, in whole milliseconds, at least one. Five seconds unless set.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.call.timeout = timeout;
        self
    }

    /// How many bytes the body of the answer may have. Unless set, as many as Envoy takes, 32 MiB: an answer that is larger than that is [`CallError::CutOff`].
    ///
    /// A larger one is [`CallError::TooLarge`]. It is not copied into the module, whose memory never gets smaller again.
    ///
    /// # Examples
    ///
    /// ```
    /// use inproxy::{call::CallError, prelude::*};
    ///
    /// async fn fetch(lists: &Cluster) -> Result<Vec<u8>, CallError> {
    ///     Ok(lists.get("/denied").max_body(1024 * 1024).send().await?.require_success()?.into_body())
    /// }
    /// ```
    pub fn max_body(mut self, bytes: usize) -> Self {
        self.max_body = bytes;
        self
    }

    /// Sends it when it is awaited.
    ///
    /// # Errors
    ///
    /// [`CallError`] if there is no answer.
    pub fn send(self) -> Send {
        Send { cluster: self.call.cluster.clone(), fault: self.fault, in_flight: InFlight::Unsent(self.call, self.max_body) }
    }
}

// === impl Send ===

impl Future for Send {
    type Output = Result<CallResponse, CallError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if let Some(fault) = self.fault.take() {
            return Poll::Ready(Err(fault.into()));
        }
        let Poll::Ready(answer) = Pin::new(&mut self.in_flight).poll(cx) else { return Poll::Pending };
        let cluster = std::mem::take(&mut self.cluster);
        Poll::Ready(match answer {
            Ok(answer) => CallResponse::try_new(answer, cluster),
            Err(reason) => Err(CallError::no_answer(reason, cluster)),
        })
    }
}
