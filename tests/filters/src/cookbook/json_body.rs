//! Filters that check and change a JSON body.

use inproxy::prelude::*;

// ANCHOR: json_held
/// Lets requests for a language model pass if the model is allowed, tells the router which it is, and bounds the length of the answer.
#[filter(root_id = "cookbook_json_held", held)]
#[config]
pub struct Models {
    allowed: Vec<String>,
    max_tokens: u64,
}

impl HttpFilter for Models {
    async fn handle(&self, request: Request, next: Next) -> Result<Response> {
        let mut request = request.collect(256 * 1024).await?;
        let Ok(mut body) = serde_json::from_slice::<serde_json::Value>(request.body()) else {
            return Ok(Response::new(StatusCode::BAD_REQUEST).with_body("the body is not JSON\n"));
        };
        let Some(model) = body.get("model").and_then(|model| model.as_str()).map(str::to_owned) else {
            return Ok(Response::new(StatusCode::BAD_REQUEST).with_body("model: missing, or not a text\n"));
        };
        if !self.allowed.contains(&model) {
            return Ok(Response::new(StatusCode::FORBIDDEN).with_body("this model is not allowed\n"));
        }
        bound(&mut body, self.max_tokens);
        request.headers_mut().insert("x-model", model)?;
        request.replace_body(body.to_string())?;
        Ok(next.run(request).await)
    }
}

/// Sets `max_tokens`, unless it is there and small enough.
fn bound(body: &mut serde_json::Value, most: u64) {
    let small_enough = body.get("max_tokens").and_then(|tokens| tokens.as_u64()).is_some_and(|tokens| tokens <= most);
    if let Some(body) = body.as_object_mut().filter(|_| !small_enough) {
        body.insert("max_tokens".to_owned(), most.into());
    }
}
// ANCHOR_END: json_held

// ANCHOR: json_portable
/// Bounds the length of a language model's answer, in any proxy.
#[filter(root_id = "cookbook_json_portable")]
#[config]
pub struct Bounded {
    max_tokens: u64,
}

impl HttpFilter for Bounded {
    async fn handle(&self, request: Request, next: Next) -> Result<Response> {
        if !request.headers().get("content-type").is_some_and(|kind| kind.as_bytes().starts_with(b"application/json")) {
            return Ok(Response::new(StatusCode::UNSUPPORTED_MEDIA_TYPE));
        }
        let mut request = request.release_headers_to_rewrite().collect(256 * 1024).await?;
        let Ok(mut body) = serde_json::from_slice(request.as_bytes()) else {
            return Ok(Response::new(StatusCode::BAD_REQUEST).with_body("the body is not JSON\n"));
        };
        bound(&mut body, self.max_tokens);
        request.replace(body.to_string())?;
        Ok(next.run(request).await)
    }
}
// ANCHOR_END: json_portable
