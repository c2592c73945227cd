//! Holds a response until another server has said that it may go on, and never touches a body.

use inproxy::prelude::*;

/// The filter.
#[filter]
#[config]
pub struct HoldResponse {
    authority: Cluster,
}

impl HttpFilter for HoldResponse {
    async fn handle(&self, request: Request, next: Next) -> Result<Response> {
        let response = next.run(request).await;
        let verdict = self.authority.get("/").send().await?;
        if verdict.status() != StatusCode::OK {
            return Ok(Response::new(StatusCode::FORBIDDEN));
        }
        Ok(response)
    }
}
