use std::{future::poll_fn, time::Duration};

use super::{Code, GrpcError, Head, Message};
use crate::{
    headers::{AsHeaderName, AsHeaderValue, Check, Edited},
    runtime::grpc::{self, Received},
};

/// A call that is being put together; made by [`GrpcService::call`](super::GrpcService::call).
#[derive(Clone, Debug)]
#[must_use = "a call is sent when `send()` is awaited"]
pub struct GrpcCall {
    head: Head,
    message: Vec<u8>,
    timeout: Duration,
}

// === impl GrpcCall ===

impl GrpcCall {
    /// What Envoy can wait for at the most.
    const LONGEST: u32 = i32::MAX as u32;

    pub(super) const fn new(head: Head, message: Vec<u8>) -> Self {
        Self { head, message, timeout: Duration::from_secs(5) }
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

    /// How long to wait for the answer, in whole milliseconds, at least one. Five seconds unless set.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sends it when it is awaited, and waits for the answer.
    ///
    /// # Errors
    ///
    /// [`GrpcError`] if there is no answer of this type.
    pub async fn send<T: Message>(self) -> Result<T, GrpcError> {
        let timeout = u32::try_from(self.timeout.as_millis()).unwrap_or(Self::LONGEST).clamp(1, Self::LONGEST);
        let made = self.head.with_target(|target| grpc::call(target, &self.message, timeout));
        let call = made.map_err(|reason| GrpcError::not_made(reason, self.head.service.cluster.name()))?;
        match poll_fn(|cx| call.poll_next(cx)).await {
            Received::Message(message) => T::from_bytes(&message),
            Received::End { status, .. } if status == Code::OK.as_raw() => Err(GrpcError::NoAnswer),
            Received::End { status, message } => Err(GrpcError::ended(status, message)),
            Received::InitialMetadata(_) | Received::TrailingMetadata(_) => Err(GrpcError::NoAnswer),
        }
    }
}
