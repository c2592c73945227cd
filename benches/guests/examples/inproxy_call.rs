//! Asks a server before a request goes on: as an async function.

use std::time::Duration;

use inproxy::prelude::*;

/// The filter.
#[filter]
#[config]
pub struct Ask {
    authority: Cluster,
}

impl HttpFilter for Ask {
    async fn handle(&self, request: Request, next: Next) -> Result<Response> {
        let verdict = self.authority.get("/check").timeout(Duration::from_secs(1)).send().await?;
        if verdict.status() != StatusCode::OK {
            return Ok(Response::new(StatusCode::FORBIDDEN));
        }
        Ok(next.run(request).await)
    }
}
