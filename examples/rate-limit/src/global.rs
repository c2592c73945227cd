//! A service that counts for many proxies, by [Envoy's protocol](https://www.envoyproxy.io/docs/envoy/v1.40.0/api-v3/service/ratelimit/v3/rls.proto). Nothing here knows the proxy.

use std::{fmt, time::Duration};

use crate::decision::Decision;

mod proto;

pub(crate) use self::proto::envoy::service::ratelimit::v3::{RateLimitRequest, RateLimitResponse};
use self::proto::envoy::{
    config::core::v3::HeaderValue,
    extensions::common::ratelimit::v3::{RateLimitDescriptor, rate_limit_descriptor::Entry},
    service::ratelimit::v3::rate_limit_response::{Code, DescriptorStatus},
};

/// The service, and its method.
pub(crate) const SERVICE: &str = "envoy.service.ratelimit.v3.RateLimitService";
pub(crate) const METHOD: &str = "ShouldRateLimit";

/// What a request is counted by: keys with their values, from the general to the special.
pub(crate) type Descriptor = Vec<(String, String)>;

/// What the service says.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) granted: bool,
    /// The limit of which the least is left, if it tells.
    pub(crate) decision: Option<Decision>,
    pub(crate) request_headers: Vec<(String, String)>,
    pub(crate) response_headers: Vec<(String, String)>,
    /// What the client of a refused request gets; the filter's own if it is empty.
    pub(crate) body: Vec<u8>,
}

/// An answer that is no decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the service answered neither OK nor OVER_LIMIT, but code {0}")]
pub(crate) struct Undecided(i32);

/// What to ask it.
pub(crate) fn question(domain: &str, descriptors: &[Descriptor], hits: u32) -> RateLimitRequest {
    let descriptors = descriptors.iter().map(|descriptor| RateLimitDescriptor {
        entries: descriptor.iter().map(|(key, value)| Entry { key: key.clone(), value: value.clone() }).collect(),
    });
    RateLimitRequest { domain: domain.to_owned(), descriptors: descriptors.collect(), hits_addend: hits }
}

/// What it has said.
pub(crate) fn read(answer: RateLimitResponse) -> Result<Said, Undecided> {
    let granted = match answer.overall_code() {
        Code::Ok => true,
        Code::OverLimit => false,
        Code::Unknown => return Err(Undecided(answer.overall_code)),
    };
    let decision = answer.statuses.iter().filter_map(decision).fold(None, |tightest, next| Some(next.tighter(tightest)));
    Ok(Said {
        granted,
        decision: decision.map(|decision| Decision { granted, ..decision }),
        request_headers: pairs(answer.request_headers_to_add),
        response_headers: pairs(answer.response_headers_to_add),
        body: answer.raw_body,
    })
}

fn decision(status: &DescriptorStatus) -> Option<Decision> {
    let limit = status.current_limit.as_ref()?;
    let reset = status
        .duration_until_reset
        .as_ref()
        .and_then(|reset| Some(Duration::new(reset.seconds.try_into().ok()?, reset.nanos.try_into().ok().filter(|nanos| *nanos < 1_000_000_000)?)));
    Some(Decision { granted: status.code() != Code::OverLimit, limit: limit.requests_per_unit.into(), left: status.limit_remaining.into(), reset })
}

fn pairs(headers: Vec<HeaderValue>) -> Vec<(String, String)> {
    headers.into_iter().map(|header| (header.key, header.value)).collect()
}

/// Without what it says to clients.
impl fmt::Debug for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Said").field("granted", &self.granted).field("decision", &self.decision).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::{proto::envoy::service::ratelimit::v3::rate_limit_response::RateLimit, *};

    fn status(code: Code, limit: u32, left: u32) -> DescriptorStatus {
        let current_limit = Some(RateLimit { name: String::new(), requests_per_unit: limit, unit: 2 });
        DescriptorStatus { code: code.into(), current_limit, limit_remaining: left, duration_until_reset: None }
    }

    #[test]
    fn the_tightest_limit_is_told() {
        let statuses = vec![status(Code::Ok, 100, 50), status(Code::OverLimit, 10, 0), status(Code::Ok, 5, 1), DescriptorStatus::default()];
        let said = read(RateLimitResponse { overall_code: Code::OverLimit.into(), statuses, ..Default::default() }).unwrap();
        assert_eq!(said.decision, Some(Decision { granted: false, limit: 10, left: 0, reset: None }));
    }

    #[test]
    fn an_unknown_code_is_no_decision() {
        for code in [0, 3, -1] {
            assert!(read(RateLimitResponse { overall_code: code, ..Default::default() }).is_err(), "{code}");
        }
    }
}
