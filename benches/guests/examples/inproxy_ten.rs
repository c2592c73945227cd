//! Reads ten headers: as an async function.

use inproxy::prelude::*;

const NAMES: [HeaderName; 10] = [
    HeaderName::from_static("x-h0"),
    HeaderName::from_static("x-h1"),
    HeaderName::from_static("x-h2"),
    HeaderName::from_static("x-h3"),
    HeaderName::from_static("x-h4"),
    HeaderName::from_static("x-h5"),
    HeaderName::from_static("x-h6"),
    HeaderName::from_static("x-h7"),
    HeaderName::from_static("x-h8"),
    HeaderName::from_static("x-h9"),
];

/// The filter.
#[filter]
#[config]
pub struct Ten;

impl HttpFilter for Ten {
    async fn handle(&self, request: Request, next: Next) -> Result<Response> {
        let found = NAMES.iter().filter(|name| request.headers().get(*name).is_some_and(|value| !value.as_bytes().is_empty())).count();
        if found < NAMES.len() {
            return Ok(Response::new(StatusCode::FORBIDDEN));
        }
        Ok(next.run(request).await)
    }
}
