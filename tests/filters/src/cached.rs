//! A filter that remembers.

use std::time::{Duration, SystemTime};

use inproxy::{cache::Cache, prelude::*};

/// Asks an authority about each `x-key`, and remembers two of its verdicts for a minute. The time is that of `x-now`, in seconds.
#[filter(root_id = "ask_once")]
pub struct AskOnce {
    authority: Cluster,
    verdicts: Cache<Vec<u8>, bool>,
}

/// Whom to ask.
#[config]
#[derive(Debug)]
pub struct Authority {
    authority: Cluster,
}

impl Configure for AskOnce {
    type Config = Authority;

    fn configure(config: Authority, _: &mut Plugin) -> Result<Self> {
        Ok(Self { authority: config.authority, verdicts: Cache::new(2) })
    }
}

impl HttpFilter for AskOnce {
    async fn handle(&self, request: Request, next: Next) -> Result<Response> {
        let Some(key) = request.headers().get("x-key") else { return Ok(Response::new(StatusCode::UNAUTHORIZED)) };
        let now = request.headers().get("x-now").and_then(|now| now.to_str()?.parse().ok()).unwrap_or(0);
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(now);
        let may_pass = match self.verdicts.get(key.as_bytes(), now) {
            Some(verdict) => verdict,
            None => {
                let verdict = self.authority.get("/ask").header("x-key", &key)?.send().await?.status() == StatusCode::OK;
                self.verdicts.insert(key.as_bytes().to_vec(), verdict, Duration::from_secs(60), now);
                verdict
            }
        };
        if may_pass { Ok(next.run(request).await) } else { Ok(Response::new(StatusCode::FORBIDDEN)) }
    }
}
