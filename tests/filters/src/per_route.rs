//! Filters that are configured for some requests in another way than for others.

use inproxy::{
    config::{PerRoute, Rules},
    hooks::{Action, HttpHooks, RequestHeaders},
    prelude::*,
    time,
};

// ANCHOR: routes
/// Bounds bodies by what they say of their length, on each route in its own way.
#[filter(root_id = "cookbook_per_route")]
#[config]
pub struct Sizes {
    sizes: PerRoute<Size>,
}

/// How large a body may be.
#[config]
#[derive(Debug)]
pub struct Size {
    bytes: u64,
}

impl HttpFilter for Sizes {
    async fn handle(&self, request: Request, next: Next) -> Result<Response> {
        let length = request.headers().get("content-length").and_then(|length| length.to_str()?.parse().ok()).unwrap_or(0_u64);
        match self.sizes.of(&request)? {
            Some(size) if length > size.bytes => Ok(Response::new(StatusCode::PAYLOAD_TOO_LARGE)),
            _ => Ok(next.run(request).await),
        }
    }
}
// ANCHOR_END: routes

// ANCHOR: rules
/// Says for how long a response may be cached, as the first rule that matches says.
#[filter(root_id = "cookbook_rules")]
#[config]
pub struct CacheControl {
    max_age: Rules<MaxAge>,
}

/// For how long.
#[config]
#[derive(Debug)]
pub struct MaxAge {
    seconds: u32,
}

impl HttpFilter for CacheControl {
    async fn handle(&self, request: Request, next: Next) -> Result<Response> {
        let max_age = self.max_age.of(&request)?;
        let mut response = next.run(request).await;
        if let Some(MaxAge { seconds }) = max_age {
            response.headers_mut().insert("cache-control", format!("max-age={seconds}"))?;
        }
        Ok(response)
    }
}
// ANCHOR_END: rules

/// Tells what its rules say, after it has waited and edited the request.
#[filter(root_id = "rules_later")]
#[config]
#[derive(Debug)]
pub struct Later {
    rules: Rules<u32>,
    routes: PerRoute<u32>,
}

impl HttpFilter for Later {
    async fn handle(&self, mut request: Request, next: Next) -> Result<Response> {
        time::sleep(std::time::Duration::from_millis(2)).await;
        if request.headers().contains("x-edit") {
            request.headers_mut().insert(":path", "/edited")?;
        }
        let told = format!("{:?} {:?}", self.rules.of(&request)?, self.routes.of(&request)?);
        let mut response = next.run(request).await;
        response.headers_mut().insert("x-told", told)?;
        Ok(response)
    }
}

/// Tells what its rules say, in a callback.
#[filter(hooks(request_headers), root_id = "rules_in_a_callback")]
#[config]
#[derive(Debug)]
pub struct InACallback {
    rules: Rules<u32>,
}

impl HttpHooks for InACallback {
    type Stream = ();

    fn on_request_headers(&self, (): &mut (), mut request: RequestHeaders<'_>) -> Action {
        let told = self.rules.of(&request).map_or_else(|error| error.to_string(), |rule| format!("{rule:?}"));
        if let Err(error) = request.headers_mut().insert("x-told", told) {
            log::error!("{error}");
        }
        Action::Continue
    }
}
