use std::time::Duration;

use http::StatusCode;

use super::{CallError, CallRequest, CallResponse};
use crate::{random, time};

/// When a call-out is sent again, and after how long.
///
/// Unless told otherwise it is sent again when there was no answer, and when the answer has status 502, 503 or 504. A call that the service may have acted on already is sent again only if its method
/// is [idempotent](https://www.rfc-editor.org/rfc/rfc9110#name-idempotent-methods), or if [`even_if_not_idempotent`](Self::even_if_not_idempotent) says that this does no harm.
///
/// Before it is sent again it waits for a random time: up to the base the first time, up to twice that the next, and so on, up to the maximum. So the calls of many requests that failed together do not come back together.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// use inproxy::{call::Retry, prelude::*};
///
/// async fn keys(issuer: &Cluster) -> Result<Vec<u8>> {
///     let retry = Retry::times(2).backoff(Duration::from_millis(25), Duration::from_millis(250));
///     let answer = issuer.get("/jwks").timeout(Duration::from_secs(1)).retry(retry).send().await?;
///     Ok(answer.require_success()?.into_body())
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Retry {
    times: u32,
    base: Duration,
    most: Duration,
    statuses: Vec<StatusCode>,
    not_idempotent: bool,
}

/// A call-out that is sent again if need be; made by [`CallRequest::retry`].
#[derive(Clone, Debug)]
#[must_use = "a call-out is sent when `send()` is awaited"]
pub struct RetryingCall {
    request: CallRequest,
    retry: Retry,
}

// === impl Retry ===

impl Retry {
    /// Sends a call at most so many times more.
    pub fn times(times: u32) -> Self {
        Self {
            times,
            base: Duration::from_millis(25),
            most: Duration::from_millis(250),
            statuses: vec![StatusCode::BAD_GATEWAY, StatusCode::SERVICE_UNAVAILABLE, StatusCode::GATEWAY_TIMEOUT],
            not_idempotent: false,
        }
    }

    /// How long to wait before: up to `base` the first time, at most `most`. 25 ms and 250 ms unless set, as Envoy does.
    #[must_use]
    pub fn backoff(mut self, base: Duration, most: Duration) -> Self {
        (self.base, self.most) = (base, most);
        self
    }

    /// The statuses of answers that do not count, in the place of 502, 503 and 504.
    #[must_use]
    pub fn on_statuses(mut self, statuses: impl Into<Vec<StatusCode>>) -> Self {
        self.statuses = statuses.into();
        self
    }

    /// Sends also calls again that are not idempotent, whatever became of the first.
    #[must_use]
    pub fn even_if_not_idempotent(mut self) -> Self {
        self.not_idempotent = true;
        self
    }

    /// Whether an outcome is not the last word.
    fn again(&self, idempotent: bool, outcome: &Result<CallResponse, CallError>) -> bool {
        let harmless = idempotent || self.not_idempotent;
        match outcome {
            Ok(answer) => harmless && self.statuses.contains(&answer.status()),
            Err(CallError::NoEndpoint { .. } | CallError::Refused { .. }) => true,
            Err(CallError::TimedOut { .. } | CallError::Reset { .. } | CallError::CutOff { .. }) => harmless,
            Err(_) => false,
        }
    }

    fn wait(&self, before: u32) -> Duration {
        random::duration(self.base.saturating_mul(1 << before.min(20)).min(self.most))
    }
}

// === impl RetryingCall ===

impl RetryingCall {
    pub(super) const fn new(request: CallRequest, retry: Retry) -> Self {
        Self { request, retry }
    }

    /// Sends it, and again if need be, when it is awaited.
    ///
    /// # Errors
    ///
    /// [`CallError`] of the last time, if there was no answer. An answer that does not count is returned if it is the last.
    pub async fn send(self) -> Result<CallResponse, CallError> {
        let Self { request, retry } = self;
        for before in 0..retry.times {
            let outcome = request.clone().send().await;
            if !retry.again(request.idempotent, &outcome) {
                return outcome;
            }
            time::sleep(retry.wait(before)).await;
        }
        request.send().await
    }
}
