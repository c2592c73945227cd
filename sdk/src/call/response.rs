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
    cluster: String,
    status: StatusCode,
    headers: Vec<u8>,
    body: Vec<u8>,
    trailers: Vec<u8>,
}

// === impl CallResponse ===

impl CallResponse {
    pub(super) fn try_new(answer: Answer, cluster: String) -> Result<Self, CallError> {
        let Answer { headers, body, trailers } = answer;
        let status = Pairs::new(headers.as_slice()).find(|(name, _)| *name == b":status").map(|(_, value)| value);
        let Some(status) = status.and_then(|status| StatusCode::from_bytes(status).ok()) else {
            return Err(CallError::CutOff { cluster });
        };
        let error = match status {
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT if made_up(&headers) => {
                std::str::from_utf8(&body).ok().and_then(|text| CallError::made_up(status, text, &cluster))
            }
            _ => None,
        };
        error.map_or(Ok(Self { cluster, status, headers, body, trailers }), Err)
    }

    /// The status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The answer itself, if it is a success.
    ///
    /// # Errors
    ///
    /// [`CallError::Status`] if its status is not one from 200 to 299.
    pub fn require_success(self) -> Result<Self, CallError> {
        if self.status.is_success() { Ok(self) } else { Err(CallError::Status { cluster: self.cluster, status: self.status }) }
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

    /// The trailers.
    pub fn trailers(&self) -> Headers<'_> {
        Headers::new(Source::Fetched(&self.trailers))
    }
}

/// Whether an answer has just the headers that Envoy gives to those that it makes up.
fn made_up(headers: &[u8]) -> bool {
    const THEIRS: [&[u8]; 3] = [b":status", b"content-length", b"content-type"];
    let mut pairs = Pairs::new(headers);
    let all = pairs.by_ref().all(|(name, _)| THEIRS.contains(&name));
    all && Pairs::new(headers).count() == THEIRS.len()
}
