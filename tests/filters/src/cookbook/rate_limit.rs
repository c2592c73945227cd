//! A filter that limits each client, over all workers.

use std::time::{Duration, SystemTime};

use inproxy::{
    prelude::*,
    shared::{SharedError, Slots},
    time,
};

// ANCHOR: limit
/// Lets each client send so many requests in each window of time, over all workers.
#[filter(root_id = "cookbook_limit")]
pub struct Limit {
    config: LimitConfig,
    sent: Slots<u64>,
}

/// How many requests, in which time.
#[config]
pub struct LimitConfig {
    requests: u64,
    window_seconds: u64,
    /// About as many as clients at the same time; each slot has eight entries.
    #[serde(default = "slots")]
    slots: u32,
}

impl Configure for Limit {
    type Config = LimitConfig;

    fn configure(config: LimitConfig, _: &mut Plugin) -> Result<Self> {
        if config.window_seconds == 0 {
            return Err(Error::msg("window_seconds: must be at least 1"));
        }
        Ok(Self { sent: Slots::new("cookbook_limit/sent", config.slots), config })
    }
}

impl HttpFilter for Limit {
    async fn handle(&self, request: Request, next: Next) -> Result<Response> {
        let Some(client) = request.headers().get("x-api-key") else { return Ok(Response::new(StatusCode::UNAUTHORIZED)) };
        let now = time::now()?;
        let left = self.left(now);
        // What the counter counts is over when the window is.
        let count = |sent: Option<u64>| Some(sent.unwrap_or(0) + 1).filter(|sent| *sent <= self.config.requests);
        let refused = match self.sent.try_update(client.as_bytes(), now, left, count) {
            Ok(Some(_)) => return Ok(next.run(request).await),
            Ok(None) => StatusCode::TOO_MANY_REQUESTS,
            // No room to count this client. To let it pass here is to fail open.
            Err(SharedError::Full { .. }) => StatusCode::SERVICE_UNAVAILABLE,
            Err(error) => return Err(error.into()),
        };
        let seconds = left.as_millis().div_ceil(1000);
        Response::new(refused).with_header("retry-after", seconds.to_string())
    }
}

impl Limit {
    /// How much of the window is left, in whole milliseconds, as the table counts. All workers have the same windows: they begin with the clock, not with a request.
    fn left(&self, now: SystemTime) -> Duration {
        let now = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_millis();
        let window = u128::from(self.config.window_seconds) * 1000;
        Duration::from_millis(u64::try_from(window - now % window).unwrap_or(u64::MAX))
    }
}
// ANCHOR_END: limit

fn slots() -> u32 {
    1024
}
