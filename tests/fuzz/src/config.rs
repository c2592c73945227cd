//! Configurations, which an operator writes, and what is validated on the way.

use inproxy::{
    config::{ConfigError, Duration, PerRoute, Rules, parse},
    prelude::*,
};

/// Of everything that the SDK reads.
#[config]
#[expect(dead_code, reason = "it is only read")]
struct Everything {
    #[serde(default)]
    name: Option<HeaderName>,
    #[serde(default)]
    value: Option<HeaderValue>,
    #[serde(default)]
    values: Vec<HeaderValue>,
    #[serde(default)]
    cluster: Option<Cluster>,
    #[serde(default)]
    timeout: Option<Duration>,
    #[serde(default)]
    rules: Option<Rules<Limit>>,
    #[serde(default)]
    routes: Option<PerRoute<Limit>>,
    #[serde(default)]
    all: std::collections::BTreeMap<String, PerRoute<Rules<Limit>>>,
}

#[config]
#[expect(dead_code, reason = "it is only read")]
struct Limit {
    limit: u32,
}

#[config]
struct Nothing;

/// Nothing that was refused when it was built from text gets in through JSON, and an error says where it is.
pub(crate) fn fuzz(data: &[u8]) {
    match parse::<Everything>(data) {
        Ok(everything) => check(&everything),
        Err(error) => {
            let message = format!("{error} {error:?} {error:#}");
            assert!(!message.trim().is_empty());
            assert!(error.downcast_ref::<ConfigError>().is_some(), "{message}");
        }
    }
    if parse::<Nothing>(data).is_ok() {
        let is_empty = data.iter().all(|byte| byte.is_ascii_whitespace() || matches!(byte, b'{' | b'}'));
        assert!(is_empty, "a configuration of nothing is {}", data.escape_ascii());
    }
    raw(data);
}

fn check(everything: &Everything) {
    everything.name.iter().for_each(is_name);
    everything.value.iter().chain(&everything.values).for_each(is_value);
    assert!(everything.cluster.as_ref().is_none_or(|cluster| !cluster.name().is_empty()));
}

/// The same without JSON around it.
fn raw(data: &[u8]) {
    if let Ok(value) = HeaderValue::try_from(data) {
        is_value(&value);
        assert_eq!(value.as_bytes(), data);
    }
    if let Ok(text) = std::str::from_utf8(data)
        && let Ok(name) = HeaderName::try_from(text)
    {
        is_name(&name);
        assert!(name.as_str().eq_ignore_ascii_case(text));
    }
    if let Ok(text) = std::str::from_utf8(data)
        && let Ok(duration) = text.parse::<Duration>()
    {
        assert_eq!(duration.to_string().parse(), Ok(duration), "{text} is {duration}");
    }
}

fn is_name(name: &HeaderName) {
    let name = name.as_str().strip_prefix(':').unwrap_or(name.as_str());
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    assert!(!name.is_empty() && name.bytes().all(|byte| is_token(byte) && !byte.is_ascii_uppercase()), "{name:?} is the name of a header");
}

fn is_value(value: &HeaderValue) {
    assert!(!value.as_bytes().iter().any(|byte| b"\r\n\0".contains(byte)), "a value splits the message: {}", value.as_bytes().escape_ascii());
}
