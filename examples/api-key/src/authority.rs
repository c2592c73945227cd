use inproxy::prelude::*;

use crate::config::Authority;

/// What is known of a key.
pub(crate) enum Verdict {
    /// It belongs to this consumer.
    Known(HeaderValue),
    /// It belongs to nobody.
    Unknown,
}

impl Authority {
    /// Asks whose key it is.
    ///
    /// # Errors
    ///
    /// If there is no answer, or one that is no decision.
    pub(crate) async fn decide(&self, key: &HeaderValue) -> Result<Verdict> {
        let answer = self.cluster.get(&self.path).header("x-api-key", key)?.timeout(self.timeout()).send().await?;
        match answer.status() {
            StatusCode::OK => {
                let consumer = answer.headers().get("x-consumer");
                consumer.map(Verdict::Known).ok_or_else(|| Error::msg("the authority answered 200 without x-consumer"))
            }
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::NOT_FOUND => Ok(Verdict::Unknown),
            other => Err(Error::msg(format!("the authority answered {other}"))),
        }
    }
}
