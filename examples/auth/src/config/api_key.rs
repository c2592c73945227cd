use inproxy::prelude::*;

use super::{
    secret::Secrets,
    source::{Source, SourceError},
};
use crate::checks::api_key::{ApiKey, ApiKeyError, Consumer as Known, Consumers, ConsumersError};

/// Keys and their consumers.
#[config(schema)]
#[derive(Debug)]
pub(crate) struct Settings {
    /// Where a key may be.
    #[serde(default = "x_api_key")]
    sources: Vec<Source>,
    /// Who has which keys.
    consumers: Vec<Consumer>,
    /// Only these consumers may pass; all, if neither this nor `allow_groups` is there.
    allow_consumers: Option<Vec<String>>,
    /// The consumers of these groups may pass.
    allow_groups: Option<Vec<String>>,
    /// The request header in which the upstream finds the consumer's name. What the client put there is removed.
    #[serde(default = "x_consumer")]
    consumer_header: HeaderName,
    /// The upstream sees the key.
    #[serde(default)]
    forward: bool,
    /// What `www-authenticate` names as the realm.
    realm: Option<String>,
}

/// A consumer and its keys.
#[config(schema)]
#[derive(Debug)]
struct Consumer {
    /// What the upstream and `allow_consumers` call it.
    name: String,
    /// A key, or a list of keys.
    #[serde(default)]
    key: Secrets,
    /// The SHA-256 of a key in hexadecimal digits, or a list of such.
    #[serde(default)]
    sha256: Secrets,
    /// The groups that it is in.
    #[serde(default)]
    groups: Vec<String>,
}

/// Settings that cannot be meant.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SettingsError {
    #[error("sources: a key must be somewhere: name a header, a query parameter or a cookie")]
    NoSource,
    #[error("sources[{0}].{1}")]
    Source(usize, SourceError),
    #[error(transparent)]
    Consumers(#[from] ConsumersError),
    #[error(transparent)]
    Check(#[from] ApiKeyError),
}

// === impl Settings ===

impl Settings {
    pub(crate) fn check(self) -> Result<ApiKey, SettingsError> {
        if self.sources.is_empty() {
            return Err(SettingsError::NoSource);
        }
        let source = |(place, source): (usize, Source)| source.try_into_policy().map_err(|error| SettingsError::Source(place, error));
        let sources = self.sources.into_iter().enumerate().map(source).collect::<Result<_, _>>()?;
        let consumers = self.consumers.into_iter().map(|consumer| Known {
            name: consumer.name,
            keys: consumer.key.0,
            hashes: consumer.sha256.0,
            groups: consumer.groups,
        });
        let consumers = Consumers::try_new(consumers, self.allow_consumers.as_deref(), self.allow_groups.as_deref())?;
        Ok(ApiKey::try_new(sources, consumers, self.consumer_header.as_str(), self.realm.as_deref())?.forwarding(self.forward))
    }
}

fn x_api_key() -> Vec<Source> {
    vec![Source::header(HeaderName::from_static("x-api-key"))]
}

fn x_consumer() -> HeaderName {
    HeaderName::from_static("x-consumer")
}
