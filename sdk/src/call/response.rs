use http::StatusCode;

use super::CallError;
use crate::{
    abi::Pairs,
    headers::{Headers, Source},
    runtime::calls::Answer,
};

/// What a service answered.
#[derive(Clone, Debug)]
pub struct CallResponse {
    status: StatusCode,
    headers: Vec<u8>,
    body: Vec<u8>,
}

// === impl CallResponse ===

impl CallResponse {
    /// The body of the answer that Envoy makes up when a call-out times out; it then has three headers.
    const TIMED_OUT: &'static [u8] = b"upstream request timeout";

    pub(super) fn try_new(answer: Answer, cluster: String) -> Result<Self, CallError> {
        let Answer { headers, body } = answer;
        let status = Pairs::new(headers.as_slice()).find(|(name, _)| *name == b":status").map(|(_, value)| value);
        let Some(status) = status.and_then(|status| StatusCode::from_bytes(status).ok()) else {
            return Err(CallError::CutOff { cluster });
        };
        if status == StatusCode::GATEWAY_TIMEOUT && body == Self::TIMED_OUT && Pairs::new(headers.as_slice()).count() == 3 {
            return Err(CallError::TimedOut { cluster });
        }
        Ok(Self { status, headers, body })
    }

    /// The status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The headers.
    pub fn headers(&self) -> Headers<'_> {
        Headers::new(Source::Fetched(&self.headers))
    }

    /// The body.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// The body, without a copy.
    pub fn into_body(self) -> Vec<u8> {
        self.body
    }
}
