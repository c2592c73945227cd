use std::{sync::LazyLock, time::Duration};

use redis::{RedisError, Script, aio::ConnectionManager};
use serde::Deserialize;

/// How a quota is counted.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum Algorithm {
    /// In windows that each begin with their first request. Up to twice as much may be granted around the end of one.
    #[default]
    FixedWindow,
    /// Within any so long, to the accuracy of a bucket.
    RollingWindow,
}

/// What is asked of a quota.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ask {
    /// How much.
    pub amount: u64,
    /// Whether less is better than nothing.
    pub best_effort: bool,
    /// By which a request is known again that is sent once more.
    pub id: Option<String>,
}

/// What is granted of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Grant {
    /// How much.
    pub amount: u64,
    /// For how long.
    pub valid: Duration,
    /// How much is left.
    pub left: u64,
    /// When there will be more.
    pub reset: Duration,
}

/// How much is granted, within which time, to which key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Limit {
    pub(crate) key: String,
    pub(crate) max: u64,
    pub(crate) window: Duration,
    pub(crate) bucket: Duration,
}

static FIXED_WINDOW: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("scripts/fixed_window.lua")));
static ROLLING_WINDOW: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("scripts/rolling_window.lua")));

// === impl Algorithm ===

impl Algorithm {
    /// Counts: one script, so that nobody counts in between.
    pub(crate) async fn count(self, redis: &mut ConnectionManager, limit: &Limit, ask: &Ask, now: Duration) -> Result<Grant, RedisError> {
        let milliseconds = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        // All keys of a quota are in one slot of a cluster.
        let key = |what: &str| format!("{{{}}}.{what}", limit.key);
        let mut call = match self {
            Self::FixedWindow => FIXED_WINDOW.key(key("window")),
            Self::RollingWindow => ROLLING_WINDOW.key(key("sum")),
        };
        if self == Self::RollingWindow {
            call.key(key("buckets"));
        }
        call.key(key(&format!("id.{}", ask.id.as_deref().unwrap_or_default())));
        call.arg(limit.max).arg(milliseconds(limit.window)).arg(milliseconds(now)).arg(ask.amount);
        call.arg(u8::from(ask.best_effort)).arg(u8::from(ask.id.is_some()));
        if self == Self::RollingWindow {
            call.arg(milliseconds(limit.bucket));
        }
        let (amount, valid, left, reset): (u64, u64, u64, u64) = call.invoke_async(redis).await?;
        Ok(Grant { amount, valid: Duration::from_millis(valid), left, reset: Duration::from_millis(reset) })
    }
}
