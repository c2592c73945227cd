//! A module that must be refused: two of its filters have the same root id.

use inproxy::prelude::*;

/// One.
#[filter]
#[config]
#[derive(Debug)]
pub struct Auth;

impl HttpFilter for Auth {
    async fn handle(&self, request: Request, next: Next) -> Result<Response> {
        Ok(next.run(request).await)
    }
}

/// Another.
#[filter(root_id = "auth")]
#[config]
#[derive(Debug)]
pub struct Authentication;

impl HttpFilter for Authentication {
    async fn handle(&self, request: Request, next: Next) -> Result<Response> {
        Ok(next.run(request).await)
    }
}
