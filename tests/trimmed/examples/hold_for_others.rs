//! Holds a response for something that is not the SDK's, and does not say so.

use inproxy::prelude::*;

/// The filter.
#[filter]
#[config]
pub struct HoldForOthers;

impl HttpFilter for HoldForOthers {
    async fn handle(&self, request: Request, next: Next) -> Result<Response> {
        let response = next.run(request).await;
        std::future::pending::<()>().await;
        Ok(response)
    }
}
