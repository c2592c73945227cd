use std::{
    convert::Infallible,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::{Duration, SystemTime},
};

use tonic::{
    Request, Response, Status,
    body::Body,
    codegen::http,
    server::{Grpc, NamedService, UnaryService},
};
use tonic_prost::ProstCodec;

use crate::{
    algorithm::Ask,
    proto::{
        envoy::service::ratelimit::v3::{
            RateLimitRequest, RateLimitResponse,
            rate_limit_response::{Code, DescriptorStatus, RateLimit},
        },
        google::protobuf::Duration as ProtoDuration,
    },
    quotas::{Dimensions, QuotaError, Quotas},
};

/// The service.
#[derive(Clone)]
pub struct RateLimitServer(Quotas);

/// Its one method.
struct ShouldRateLimit(Quotas);

type Answer<T> = Pin<Box<dyn Future<Output = T> + Send>>;

// === impl RateLimitServer ===

impl RateLimitServer {
    /// A service for these quotas.
    pub fn new(quotas: Quotas) -> Self {
        Self(quotas)
    }
}

impl NamedService for RateLimitServer {
    const NAME: &'static str = "envoy.service.ratelimit.v3.RateLimitService";
}

impl tonic::codegen::Service<http::Request<Body>> for RateLimitServer {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Answer<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let quotas = self.0.clone();
        Box::pin(async move {
            if request.uri().path() != format!("/{}/ShouldRateLimit", Self::NAME) {
                return Ok(Status::unimplemented("the method is ShouldRateLimit").into_http());
            }
            Ok(Grpc::new(ProstCodec::default()).unary(ShouldRateLimit(quotas), request).await)
        })
    }
}

// === impl ShouldRateLimit ===

impl UnaryService<RateLimitRequest> for ShouldRateLimit {
    type Response = RateLimitResponse;
    type Future = Answer<Result<Response<RateLimitResponse>, Status>>;

    fn call(&mut self, request: Request<RateLimitRequest>) -> Self::Future {
        let quotas = self.0.clone();
        Box::pin(async move { decide(&quotas, request.into_inner()).await.map(Response::new) })
    }
}

/// All descriptors must be granted.
async fn decide(quotas: &Quotas, request: RateLimitRequest) -> Result<RateLimitResponse, Status> {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let ask = Ask { amount: request.hits_addend.max(1).into(), best_effort: false, id: None };
    let mut answer = RateLimitResponse { overall_code: Code::Ok.into(), ..RateLimitResponse::default() };
    for descriptor in request.descriptors {
        let dimensions: Dimensions = descriptor.entries.into_iter().map(|entry| (entry.key, entry.value)).collect();
        let (code, left, reset) = match quotas.allocate(&request.domain, &dimensions, &ask, now).await {
            Ok(Some((grant, _))) => (Code::Ok, grant.left, grant.reset),
            Ok(None) => (Code::Ok, u64::from(u32::MAX), Duration::ZERO),
            Err(QuotaError::Exhausted(grant)) => {
                answer.overall_code = Code::OverLimit.into();
                (Code::OverLimit, grant.left, grant.reset)
            }
            Err(error @ QuotaError::Unavailable(_)) => return Err(Status::unavailable(error.to_string())),
        };
        let limit = quotas.limit(&request.domain, &dimensions);
        answer.statuses.push(DescriptorStatus {
            code: code.into(),
            current_limit: limit.map(|limit| RateLimit { requests_per_unit: saturated(limit), ..RateLimit::default() }),
            limit_remaining: saturated(left),
            duration_until_reset: limit.map(|_| ProtoDuration {
                seconds: i64::try_from(reset.as_secs()).unwrap_or(i64::MAX),
                nanos: i32::try_from(reset.subsec_nanos()).unwrap_or(0),
            }),
        });
    }
    Ok(answer)
}

fn saturated(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
