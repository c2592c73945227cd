use std::{collections::BTreeMap, fmt::Write, time::Duration};

use redis::{
    Client,
    aio::{ConnectionManager, ConnectionManagerConfig},
};

use crate::{
    algorithm::{Ask, Grant, Limit},
    config::{Config, Quota},
};

/// What a request is counted by, by name.
pub type Dimensions = BTreeMap<String, String>;

/// Quotas, in Redis.
#[derive(Clone)]
pub struct Quotas {
    quotas: BTreeMap<String, Quota>,
    redis: ConnectionManager,
}

/// Nothing is granted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum QuotaError {
    /// There is not enough left.
    #[error("redisquota: Resource exhausted")]
    Exhausted(Grant),
    /// Redis does not answer.
    #[error("redisquota: Service Unavailable")]
    Unavailable(String),
}

/// For how long Redis is waited for.
const PATIENCE: Duration = Duration::from_secs(1);

// === impl Quotas ===

impl Quotas {
    /// Connects to Redis when it is first asked, and again whenever the connection is lost.
    ///
    /// # Errors
    ///
    /// [`QuotaError::Unavailable`] if the address is none.
    pub async fn connect(config: &Config) -> Result<Self, QuotaError> {
        let unavailable = |error: redis::RedisError| QuotaError::Unavailable(error.to_string());
        let client = Client::open(config.redis_server_url.as_str()).map_err(unavailable)?;
        let patience =
            ConnectionManagerConfig::new().set_number_of_retries(1).set_connection_timeout(Some(PATIENCE)).set_response_timeout(Some(PATIENCE));
        let redis = ConnectionManager::new_lazy_with_config(client, patience).map_err(unavailable)?;
        Ok(Self { quotas: config.quotas.iter().map(|quota| (quota.name.clone(), quota.clone())).collect(), redis })
    }

    /// Grants so much of a quota, at a time since the epoch. `None` for a quota that nobody has declared: Mixer granted what was asked of it.
    ///
    /// # Errors
    ///
    /// [`QuotaError`].
    pub async fn allocate(&self, quota: &str, dimensions: &Dimensions, ask: &Ask, now: Duration) -> Result<Option<(Grant, u64)>, QuotaError> {
        let Some(quota) = self.quotas.get(quota) else { return Ok(None) };
        let limit = limit(quota, dimensions);
        let counted = quota.rate_limit_algorithm.count(&mut self.redis.clone(), &limit, ask, now).await;
        let grant = counted.map_err(|error| QuotaError::Unavailable(error.to_string()))?;
        if grant.amount == 0 && ask.amount > 0 { Err(QuotaError::Exhausted(grant)) } else { Ok(Some((grant, limit.max))) }
    }

    /// The limit of a quota for these dimensions.
    pub(crate) fn limit(&self, quota: &str, dimensions: &Dimensions) -> Option<u64> {
        self.quotas.get(quota).map(|quota| limit(quota, dimensions).max)
    }
}

/// The first override that has all its dimensions; it counts under a key of its own.
fn limit(quota: &Quota, dimensions: &Dimensions) -> Limit {
    let escaped = |text: &str| text.replace('%', "%25").replace(';', "%3B").replace('=', "%3D").replace('}', "%7D");
    let mut key = escaped(&quota.name);
    for (name, value) in dimensions {
        let _ = write!(key, ";{}={}", escaped(name), escaped(value));
    }
    let mut max = quota.max_amount;
    if let Some(exception) =
        quota.overrides.iter().find(|exception| exception.dimensions.iter().all(|(name, value)| dimensions.get(name) == Some(value)))
    {
        max = exception.max_amount;
        let of: String = exception.dimensions.iter().map(|(name, value)| format!("{name}\t{value}\n")).collect();
        let _ = write!(key, "-{}", fnv1a(&of));
    }
    Limit { key, max, window: quota.valid_duration.get(), bucket: quota.bucket_duration.get() }
}

/// As Mixer told overrides apart.
fn fnv1a(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}
