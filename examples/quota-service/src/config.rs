use std::collections::{BTreeMap, BTreeSet};

use inproxy::config::Duration;
use serde::Deserialize;

use crate::algorithm::Algorithm;

/// The service's configuration, as Mixer's `redisquota` had it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The quotas.
    #[serde(default)]
    pub(crate) quotas: Vec<Quota>,
    /// Where Redis is: `redis://127.0.0.1:6379`.
    #[serde(alias = "redisServerUrl", default = "local")]
    pub(crate) redis_server_url: String,
    /// Mixer's: this service shares one connection, on which requests do not wait for each other.
    #[serde(alias = "connectionPoolSize", default)]
    pub(crate) connection_pool_size: i64,
}

/// A quota.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Quota {
    #[serde(default)]
    pub(crate) name: String,
    #[serde(alias = "maxAmount", default)]
    pub(crate) max_amount: u64,
    #[serde(alias = "validDuration", default)]
    pub(crate) valid_duration: Duration,
    /// How long a bucket of a rolling window is filled.
    #[serde(alias = "bucketDuration", default)]
    pub(crate) bucket_duration: Duration,
    #[serde(alias = "rateLimitAlgorithm", default)]
    pub(crate) rate_limit_algorithm: Algorithm,
    #[serde(default)]
    pub(crate) overrides: Vec<Exception>,
}

/// Another amount for some dimensions.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Exception {
    #[serde(default)]
    pub(crate) dimensions: BTreeMap<String, String>,
    #[serde(alias = "maxAmount", default)]
    pub(crate) max_amount: u64,
}

/// A configuration that cannot be meant; in Mixer's words, where Mixer had some.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// It is not JSON, or has other fields.
    #[error("the configuration cannot be read: {0}")]
    Json(#[from] serde_json::Error),
    /// A field has a value that it cannot have.
    #[error("{field}: {message}")]
    Field {
        /// The field.
        field: &'static str,
        /// What is wrong with it.
        message: String,
    },
}

// === impl Config ===

impl Config {
    /// Reads it, and looks whether it can be meant.
    ///
    /// # Errors
    ///
    /// [`ConfigError`].
    pub fn parse(json: &[u8]) -> Result<Self, ConfigError> {
        let config: Self = serde_json::from_slice(json)?;
        let field = |field, message: &str| Err(ConfigError::Field { field, message: message.to_owned() });
        if config.quotas.is_empty() {
            return field("quotas", "quota should not be empty");
        }
        if config.redis_server_url.is_empty() {
            return field("redis_server_url", "redis_server_url should not be empty");
        }
        if config.connection_pool_size < 0 {
            return field("connection_pool_size", &format!("connection_pool_size of {} is invalid, must be > 0", config.connection_pool_size));
        }
        let mut names = BTreeSet::new();
        for quota in &config.quotas {
            quota.check()?;
            if !names.insert(&quota.name) {
                return field("quotas", &format!("there are two quotas {}", quota.name));
            }
        }
        Ok(config)
    }

    /// With Redis elsewhere.
    #[must_use]
    pub fn with_redis(mut self, url: &str) -> Self {
        url.clone_into(&mut self.redis_server_url);
        self
    }
}

// === impl Quota ===

impl Quota {
    fn check(&self) -> Result<(), ConfigError> {
        let field = |field, message: String| Err(ConfigError::Field { field, message });
        let (window, bucket) = (self.valid_duration.get(), self.bucket_duration.get());
        if self.name.is_empty() {
            return field("name", "quotas.name should not be empty".to_owned());
        }
        if window.is_zero() {
            return field("valid_duration", "quotas.valid_duration should be bigger must be > 0".to_owned());
        }
        if self.rate_limit_algorithm == Algorithm::RollingWindow {
            if bucket.is_zero() {
                return field("bucket_duration", "quotas.bucket_duration should be > 0 for ROLLING_WINDOW algorithm".to_owned());
            }
            if window <= bucket {
                let message = format!(
                    "quotas.valid_duration: {} should be longer than quotas.bucket_duration: {} for ROLLING_WINDOW algorithm",
                    go(window),
                    go(bucket)
                );
                return field("valid_duration", message);
            }
        }
        for exception in &self.overrides {
            if exception.max_amount == 0 {
                return field("max_amount", "quotas.overrides.max_amount must be > 0".to_owned());
            }
            if exception.dimensions.is_empty() {
                return field("dimensions", "quotas.overrides.dimensions is empty".to_owned());
            }
        }
        Ok(())
    }
}

/// As Go writes a duration: `1m0s`.
fn go(time: std::time::Duration) -> String {
    let (seconds, milliseconds) = (time.as_secs(), time.subsec_millis());
    let fraction = if milliseconds == 0 { String::new() } else { format!(".{milliseconds:03}").trim_end_matches('0').to_owned() };
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, 0) => format!("{milliseconds}ms"),
        (0, 0, seconds) => format!("{seconds}{fraction}s"),
        (0, minutes, seconds) => format!("{minutes}m{seconds}{fraction}s"),
        (hours, minutes, seconds) => format!("{hours}h{minutes}m{seconds}{fraction}s"),
    }
}

fn local() -> String {
    "redis://127.0.0.1:6379".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// §4.13, and the messages of §1.2.
    #[test]
    fn what_cannot_be_meant_is_refused_in_mixers_words() {
        let quota = |more: &str| format!(r#"{{"quotas":[{{"name":"q","max_amount":5,"valid_duration":"60s"{more}}}]}}"#);
        for (json, message) in [
            (r#"{}"#.to_owned(), "quotas: quota should not be empty"),
            (r#"{"quotas":[{"valid_duration":"1s"}]}"#.to_owned(), "name: quotas.name should not be empty"),
            (r#"{"quotas":[{"name":"q"}]}"#.to_owned(), "valid_duration: quotas.valid_duration should be bigger must be > 0"),
            (r#"{"quotas":[{"name":"q","valid_duration":"0s"}]}"#.to_owned(), "valid_duration: quotas.valid_duration should be bigger must be > 0"),
            (
                quota(r#","rate_limit_algorithm":"ROLLING_WINDOW""#),
                "bucket_duration: quotas.bucket_duration should be > 0 for ROLLING_WINDOW algorithm",
            ),
            (
                quota(r#","rate_limit_algorithm":"ROLLING_WINDOW","bucket_duration":"120s""#),
                "valid_duration: quotas.valid_duration: 1m0s should be longer than quotas.bucket_duration: 2m0s for ROLLING_WINDOW algorithm",
            ),
            (quota(r#","overrides":[{"dimensions":{"a":"b"}}]"#), "max_amount: quotas.overrides.max_amount must be > 0"),
            (quota(r#","overrides":[{"max_amount":5}]"#), "dimensions: quotas.overrides.dimensions is empty"),
            (
                r#"{"quotas":[{"name":"q","valid_duration":"1s"}],"connection_pool_size":-10}"#.to_owned(),
                "connection_pool_size: connection_pool_size of -10 is invalid, must be > 0",
            ),
            (
                r#"{"quotas":[{"name":"q","valid_duration":"1s"}],"redis_server_url":""}"#.to_owned(),
                "redis_server_url: redis_server_url should not be empty",
            ),
            (r#"{"quotas":[{"name":"q","valid_duration":"1s"},{"name":"q","valid_duration":"1s"}]}"#.to_owned(), "quotas: there are two quotas q"),
        ] {
            assert_eq!(Config::parse(json.as_bytes()).unwrap_err().to_string(), message, "{json}");
        }
        assert!(Config::parse(quota(r#","rateLimitAlgorithm":"ROLLING_WINDOW","bucketDuration":"0.5s""#).as_bytes()).is_ok());
    }

    #[test]
    fn durations_are_written_as_go_does() {
        for (milliseconds, text) in [(60_000, "1m0s"), (500, "500ms"), (1500, "1.5s"), (3_661_000, "1h1m1s")] {
            assert_eq!(go(std::time::Duration::from_millis(milliseconds)), text);
        }
    }
}
