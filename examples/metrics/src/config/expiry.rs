use inproxy::prelude::*;
use serde::{Deserialize, Deserializer, de};

/// When a label set would be forgotten that nothing is counted for. Envoy cannot.
#[config(schema)]
#[derive(Debug)]
#[serde(transparent)]
pub(crate) struct Expiry(#[serde(deserialize_with = "refuse")] Never);

/// What no configuration has.
#[config(schema)]
#[derive(Debug)]
pub(crate) enum Never {}

fn refuse<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Never, D::Error> {
    de::IgnoredAny::deserialize(deserializer)?;
    Err(de::Error::custom(
        "a metric cannot expire: Envoy has no call with which a filter could make it forget one. Leave this out, and bound the label sets with `label_sets`",
    ))
}
