//! The filters that `docs/migration.md` moves from the raw `proxy-wasm` crate (`tests/before`) to this SDK.

use std::time::Duration;

use inproxy::{metrics::Counter, prelude::*};

// ANCHOR: check_key
/// Asks a service whether a request may pass.
#[filter(root_id = "check_key")]
#[config]
pub struct CheckKey {
    authority: Cluster,
    timeout_ms: u64,
}

impl HttpFilter for CheckKey {
    async fn handle(&self, mut request: Request, next: Next) -> Result<Response> {
        let Some(key) = request.headers().get("x-api-key") else {
            return Ok(Response::new(StatusCode::UNAUTHORIZED).with_body("missing x-api-key\n"));
        };
        let call = self.authority.get("/check").header("x-api-key", key)?.timeout(Duration::from_millis(self.timeout_ms));
        let answer = match call.send().await {
            Ok(answer) => answer,
            Err(error) => {
                log::warn!("no decision: {error}");
                return Ok(Response::new(StatusCode::SERVICE_UNAVAILABLE));
            }
        };
        match answer.status() {
            StatusCode::OK => {}
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT => return Ok(Response::new(StatusCode::SERVICE_UNAVAILABLE)),
            _ => return Ok(Response::new(StatusCode::FORBIDDEN)),
        }
        request.headers_mut().remove("x-user")?;
        if let Some(user) = answer.headers().get("x-user") {
            request.headers_mut().insert("x-user", user)?;
        }
        Ok(next.run(request).await)
    }
}
// ANCHOR_END: check_key

// ANCHOR: mask_configure
/// Masks a text in responses, and counts and logs it.
#[filter(root_id = "mask")]
pub struct Mask {
    text: String,
    masked: Counter,
}

/// What is masked.
#[config]
pub struct Text {
    text: String,
}

impl Configure for Mask {
    type Config = Text;

    fn configure(config: Text, plugin: &mut Plugin) -> Result<Self> {
        if config.text.is_empty() {
            return Err(Error::msg("text: is empty"));
        }
        Ok(Self { text: config.text, masked: plugin.counter("mask.masked")? })
    }
}
// ANCHOR_END: mask_configure

// ANCHOR: mask
impl HttpFilter for Mask {
    async fn handle(&self, request: Request, next: Next) -> Result<Response> {
        let response = next.run(request).await;
        if !response.has_body() {
            return Ok(response);
        }
        let mut body = response.release_headers_to_rewrite()?.collect(1024 * 1024).await?;
        let text = String::from_utf8_lossy(body.as_bytes());
        let count = text.matches(&self.text).count();
        if count > 0 {
            let masked = text.replace(&self.text, "***");
            body.replace(masked)?;
            self.masked.add(count as u64);
            log::info!("masked {count} times");
        }
        Ok(body.into())
    }
}
// ANCHOR_END: mask
