//! What is logged, and when.

use inproxy::prelude::*;

// ANCHOR: logging
/// Logs what it refuses.
#[filter(root_id = "cookbook_logging")]
#[config]
pub struct Refusing {
    user: HeaderValue,
}

impl HttpFilter for Refusing {
    async fn handle(&self, request: Request, next: Next) -> Result<Response> {
        let user = request.headers().get("x-user");
        if log::log_enabled!(log::Level::Debug) {
            // Made only if somebody reads it.
            let names: Vec<_> = request.headers().iter().map(|(name, _)| String::from_utf8_lossy(&name).into_owned()).collect();
            log::debug!("headers: {}", names.join(" "));
        }
        if user.as_ref() == Some(&self.user) {
            // With the feature `log-kv`: values by name, behind the text.
            let path = request.path().map(|path| path.to_string_lossy().into_owned()).unwrap_or_default();
            log::warn!(path = &*path; "refused");
            return Ok(Response::new(StatusCode::FORBIDDEN));
        }
        Ok(next.run(request).await)
    }
}
// ANCHOR_END: logging
