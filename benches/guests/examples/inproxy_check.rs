//! Checks one header, sets one request header, adds one response header: as an async function.

use inproxy::prelude::*;

const KEY: HeaderName = HeaderName::from_static("x-key");
const CHECKED: HeaderName = HeaderName::from_static("x-checked");
const SERVED: HeaderName = HeaderName::from_static("x-served");
const YES: HeaderValue = HeaderValue::from_static("yes");

/// The filter.
#[filter]
#[config]
pub struct Check;

impl HttpFilter for Check {
    async fn handle(&self, mut request: Request, next: Next) -> Result<Response> {
        if request.headers().get(&KEY).is_none_or(|key| key != "secret") {
            return Ok(Response::new(StatusCode::FORBIDDEN));
        }
        request.headers_mut().insert(&CHECKED, &YES);
        let mut response = next.run(request).await;
        response.headers_mut().append(&SERVED, &YES);
        Ok(response)
    }
}
