//! Filters that ask other services.

use std::time::Duration;

use inproxy::{call::Retry, future, prelude::*, time};

// ANCHOR: ask
/// Lets a request pass if a service says so.
#[filter(root_id = "cookbook_ask")]
#[config]
pub struct Ask {
    authority: Cluster,
}

impl HttpFilter for Ask {
    async fn handle(&self, mut request: Request, next: Next) -> Result<Response> {
        let Some(key) = request.headers().get("x-api-key") else { return Ok(Response::new(StatusCode::UNAUTHORIZED)) };
        let call = self.authority.get("/check").header("x-api-key", key)?.timeout(Duration::from_millis(200));
        let answer = match call.send().await {
            Ok(answer) => answer,
            Err(error) => {
                log::warn!("no decision: {error}");
                return Ok(Response::new(StatusCode::SERVICE_UNAVAILABLE));
            }
        };
        if answer.status() != StatusCode::OK {
            return Ok(Response::new(StatusCode::FORBIDDEN));
        }
        request.headers_mut().remove("x-user")?;
        if let Some(user) = answer.headers().get("x-user") {
            request.headers_mut().insert("x-user", user)?;
        }
        Ok(next.run(request).await)
    }
}
// ANCHOR_END: ask

// ANCHOR: both
/// Asks two services at once, and tells the upstream what both say.
#[filter(root_id = "cookbook_both")]
#[config]
pub struct Both {
    users: Cluster,
    plans: Cluster,
}

impl HttpFilter for Both {
    async fn handle(&self, mut request: Request, next: Next) -> Result<Response> {
        let user = self.users.get("/user").send();
        let plan = self.plans.get("/plan").send();
        // `join` waits for both outcomes; `try_join` returns the first error as soon as there is one.
        let (user, plan) = future::join(user, plan).await;
        request.headers_mut().insert("x-user", user?.require_success()?.into_body())?;
        let plan = plan.and_then(|plan| plan.require_success());
        request.headers_mut().insert("x-plan", plan.map_or_else(|_| b"free".to_vec(), |plan| plan.into_body()))?;
        Ok(next.run(request).await)
    }
}
// ANCHOR_END: both

// ANCHOR: first
/// Asks two services for the same, and takes the answer that comes first.
#[filter(root_id = "cookbook_first")]
#[config]
pub struct First {
    near: Cluster,
    far: Cluster,
}

impl HttpFilter for First {
    async fn handle(&self, mut request: Request, next: Next) -> Result<Response> {
        let asked = [&self.near, &self.far].map(|cluster| cluster.get("/rate").send());
        let (answer, _other) = future::select_ok(asked).await?;
        request.headers_mut().insert("x-rate", answer.require_success()?.into_body())?;
        Ok(next.run(request).await)
    }
}
// ANCHOR_END: first

// ANCHOR: again
/// Asks a service up to three times.
#[filter(root_id = "cookbook_again")]
#[config]
pub struct Again {
    flags: Cluster,
}

impl HttpFilter for Again {
    async fn handle(&self, mut request: Request, next: Next) -> Result<Response> {
        let retry = Retry::times(2).backoff(Duration::from_millis(10), Duration::from_millis(100));
        let call = self.flags.get("/flags").timeout(Duration::from_millis(200)).retry(retry);
        // All of it, with the pauses between, in half a second.
        let answer = time::timeout(Duration::from_millis(500), call.send()).await??.require_success()?;
        request.headers_mut().insert("x-flags", answer.into_body())?;
        Ok(next.run(request).await)
    }
}
// ANCHOR_END: again
