use inproxy::{grpc::Code, prelude::*};

use super::count::Counted;
use crate::{
    config::{self, Settings},
    decision::Decision,
};

/// What clients are told.
#[derive(Debug)]
pub(crate) struct Answers {
    status: StatusCode,
    body: String,
    headers: config::Headers,
}

/// Envoy's own: retry policies look for it.
const RATE_LIMITED: HeaderName = HeaderName::from_static("x-envoy-ratelimited");
const LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");
const RETRY_AFTER: HeaderName = HeaderName::from_static("retry-after");

// === impl Answers ===

impl Answers {
    pub(crate) fn try_new(settings: &Settings) -> Result<Self> {
        let status = StatusCode::from_u16(settings.status).ok().filter(|status| status.is_client_error() || status.is_server_error());
        let status = status
            .ok_or_else(|| Error::msg(format!("status: {} is no status of a refusal: write one of 400 to 599, such as 429", settings.status)))?;
        Ok(Self { status, body: settings.body.clone(), headers: settings.headers })
    }

    /// What a request gets that may not pass.
    pub(crate) fn limited(&self, request: &Request, counted: &Counted) -> Response {
        let body = if counted.body.is_empty() { self.body.as_bytes() } else { &counted.body };
        let mut reply = LocalReply::new(self.status).with_details("rate_limited").with_body(body);
        reply.headers_mut().insert(&RATE_LIMITED, HeaderValue::from_static("true"));
        if is_grpc(request) {
            reply = reply.with_grpc_status(Code::RESOURCE_EXHAUSTED.as_raw());
        }
        if self.headers != config::Headers::None
            && let Some(seconds) = counted.decision.and_then(|decision| decision.reset_seconds())
        {
            reply.headers_mut().insert(&RETRY_AFTER, HeaderValue::from(seconds.max(1)));
        }
        let mut response = Response::from(reply);
        self.tell(&mut response, counted.decision.as_ref(), &counted.response_headers);
        response
    }

    /// What a request gets that could not be counted.
    pub(crate) fn undecided(&self, request: &Request) -> Response {
        let mut reply =
            LocalReply::new(StatusCode::SERVICE_UNAVAILABLE).with_details("rate_limit_undecided").with_body("the limit cannot be checked now\n");
        if is_grpc(request) {
            reply = reply.with_grpc_status(Code::UNAVAILABLE.as_raw());
        }
        reply.into()
    }

    /// Tells of the limit of which the least is left, and what services that count want to be told.
    pub(crate) fn tell(&self, response: &mut Response, decision: Option<&Decision>, headers: &[(String, String)]) {
        let mut told = response.headers_mut();
        for (name, value) in headers {
            note(name, told.append(name.as_str(), value.as_str()));
        }
        if let (config::Headers::XRatelimit, Some(decision)) = (self.headers, decision) {
            let seconds = decision.reset_seconds().map(|seconds| (RESET, seconds));
            for (name, value) in [(LIMIT, decision.limit), (REMAINING, decision.left)].into_iter().chain(seconds) {
                note(name.as_str(), told.insert(&name, value.to_string()));
            }
        }
    }
}

/// No response is worse for a header that only tells of limits.
fn note(name: &str, told: Result<()>) {
    if let Err(error) = told {
        log::warn!("the client is not told {name}: {error:#}");
    }
}

fn is_grpc(request: &Request) -> bool {
    request.headers().get("content-type").is_some_and(|kind| kind.as_bytes().starts_with(b"application/grpc"))
}
