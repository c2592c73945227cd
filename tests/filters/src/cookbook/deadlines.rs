//! One time for several calls.

use std::time::Duration;

use inproxy::{call::CallError, prelude::*, time};

// ANCHOR: deadline
/// Asks two services, one after the other, and has an answer of its own when both together take too long.
#[filter(root_id = "cookbook_deadline")]
#[config]
pub struct Deadline {
    users: Cluster,
    plans: Cluster,
    milliseconds: u64,
}

impl Deadline {
    async fn plan(&self) -> Result<Vec<u8>, CallError> {
        // Each call also has a time of its own, so that Envoy ends it too.
        let own = Duration::from_millis(self.milliseconds);
        let user = self.users.get("/user").timeout(own).send().await?.require_success()?;
        let plan = self.plans.post("/plan").body(user.into_body()).timeout(own).send().await?.require_success()?;
        Ok(plan.into_body())
    }
}

impl HttpFilter for Deadline {
    async fn handle(&self, mut request: Request, next: Next) -> Result<Response> {
        let plan = match time::timeout(Duration::from_millis(self.milliseconds), self.plan()).await {
            Ok(Ok(plan)) => plan,
            // Nothing has happened: a client may try again at once.
            Ok(Err(error)) if error.was_not_sent() => {
                log::warn!("not asked: {error}");
                return Response::new(StatusCode::SERVICE_UNAVAILABLE).with_header("retry-after", "1");
            }
            Ok(Err(CallError::TimedOut { .. })) | Err(_) => return Ok(Response::new(StatusCode::GATEWAY_TIMEOUT)),
            Ok(Err(error)) => {
                log::warn!("no plan: {error}");
                return Ok(Response::new(StatusCode::BAD_GATEWAY));
            }
        };
        request.headers_mut().insert("x-plan", plan)?;
        Ok(next.run(request).await)
    }
}
// ANCHOR_END: deadline
