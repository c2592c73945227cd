//! Holds a request until another server has said that it may go on, and never touches a body.

use inproxy::prelude::*;

/// The filter.
#[filter]
#[config]
pub struct HoldRequest {
    authority: Cluster,
}

impl HttpFilter for HoldRequest {
    async fn handle(&self, request: Request, next: Next) -> Result<Response> {
        let verdict = self.authority.get("/").send().await?;
        if verdict.status() != StatusCode::OK {
            return Ok(Response::new(StatusCode::FORBIDDEN));
        }
        Ok(next.run(request).await)
    }
}
