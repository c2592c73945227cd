//! Holds a response for something that is not the SDK's, and says so.

use inproxy::prelude::*;

/// The filter.
#[filter(waits)]
#[config]
pub struct HoldForOthersDeclared;

impl HttpFilter for HoldForOthersDeclared {
    async fn handle(&self, request: Request, next: Next) -> Result<Response> {
        let response = next.run(request).await;
        std::future::pending::<()>().await;
        Ok(response)
    }
}
