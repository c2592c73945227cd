//! Errors: what ends a request, and what does not.

use std::time::Duration;

use inproxy::prelude::*;

// ANCHOR: closed
/// Fails closed: without a verdict nobody passes.
#[filter(root_id = "cookbook_fail_closed")]
#[config]
pub struct Guard {
    authority: Cluster,
}

impl HttpFilter for Guard {
    async fn handle(&self, request: Request, next: Next) -> Result<Response> {
        let call = self.authority.get("/check").timeout(Duration::from_millis(200));
        call.send().await.and_then(|answer| answer.require_success()).map_err(|error| Error::new(error).context("no verdict"))?;
        Ok(next.run(request).await)
    }
}
// ANCHOR_END: closed

// ANCHOR: open
/// Fails open: a team is good to know, and not worth an outage.
#[filter(root_id = "cookbook_fail_open", on_error = allow)]
#[config]
pub struct Enrich {
    directory: Cluster,
}

impl HttpFilter for Enrich {
    async fn handle(&self, mut request: Request, next: Next) -> Result<Response> {
        // First: edits stay when what follows fails.
        request.headers_mut().remove("x-team")?;
        let answer = self.directory.get("/team").timeout(Duration::from_millis(200)).send().await?.require_success()?;
        request.headers_mut().insert("x-team", answer.into_body())?;
        Ok(next.run(request).await)
    }
}
// ANCHOR_END: open
