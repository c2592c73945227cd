//! Filters that fail.

use inproxy::prelude::*;

/// Where a filter fails.
#[config]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Where {
    /// Before the request goes on.
    Request,
    /// When the response's headers are there.
    Response,
    /// When the response's headers have gone on.
    ResponseBody,
}

async fn fail(place: Where, mut request: Request, next: Next) -> Result<Response> {
    request.headers_mut().insert("x-edited", "yes")?;
    if place == Where::Request {
        return Err(failure());
    }
    let response = next.run(request).await;
    if place == Where::Response {
        return Err(failure());
    }
    let _body = response.release_headers()?.collect(1 << 20).await?;
    Err(failure())
}

fn failure() -> Error {
    let cause = "x".parse::<u8>().err().map_or_else(|| Error::msg("no cause"), Error::new);
    cause.context("failing on purpose")
}

/// Fails, and denies.
#[filter]
#[config]
#[derive(Debug)]
pub struct FailDeny {
    at: Where,
}

impl HttpFilter for FailDeny {
    async fn handle(&self, request: Request, next: Next) -> Result<Response> {
        fail(self.at, request, next).await
    }
}

/// Fails, and allows.
#[filter(on_error = allow)]
#[config]
#[derive(Debug)]
pub struct FailAllow {
    at: Where,
}

impl HttpFilter for FailAllow {
    async fn handle(&self, request: Request, next: Next) -> Result<Response> {
        fail(self.at, request, next).await
    }
}
