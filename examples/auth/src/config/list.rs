use std::time;

use inproxy::{config::Duration, envoy::cel::Expression, prelude::*};

use crate::checks::list::{Entries, EntryError};

/// A list, in the configuration or from a service, or both. The defaults are Mixer's.
#[config(schema)]
#[derive(Debug)]
pub(crate) struct Settings {
    /// What is looked up: by default the client's address.
    #[serde(default)]
    pub(crate) value: Lookup,
    /// What the entries are.
    #[serde(default, alias = "entryType")]
    pub(crate) entry_type: EntryType,
    /// Who is on the list may not pass; else, who is not.
    #[serde(default)]
    pub(crate) blacklist: bool,
    /// Entries that are on the list, whatever is fetched.
    #[serde(default)]
    pub(crate) overrides: Vec<String>,
    /// Who serves the list. Without one, it has the overrides only.
    pub(crate) provider: Option<Provider>,
    /// After how long the list is fetched again, a second at least.
    #[serde(default = "a_minute", alias = "refreshInterval")]
    pub(crate) refresh_interval: Duration,
    /// For how long a list is used that cannot be fetched again; not shorter than `refresh_interval`.
    #[serde(default = "five_minutes")]
    pub(crate) ttl: Duration,
    /// For how long a decision about a value holds, also if the list changes meanwhile; with `0s` each request is looked up.
    #[serde(default = "five_minutes", alias = "cachingInterval")]
    pub(crate) caching_interval: Duration,
    /// For how many further requests a decision holds; with 0 each request is looked up.
    #[serde(default = "ten_thousand", alias = "cachingUseCount")]
    pub(crate) caching_use_count: u32,
    /// Whether requests pass while there is no list, or no value to look up.
    #[serde(default)]
    pub(crate) fail_open: bool,
}

/// What is looked up in a list.
#[config(schema)]
#[derive(Debug, Default)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Lookup {
    /// The address of whom Envoy takes for the client, without the port.
    #[default]
    SourceAddress,
    /// The first URI among the alternative names of the client's certificate, in a mesh its SPIFFE id; nothing, if there is none.
    Principal,
    /// The value of a request header; nothing, if it is not there. One that is there more than once is refused.
    Header(HeaderName),
    /// The value of an expression in CEL, a text.
    Expression(Expression),
    /// The value of an expression in CEL, the 4 or 16 bytes of an address.
    AddressExpression(Expression),
}

/// What the entries of a list are.
#[config(schema)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum EntryType {
    /// Texts, one in each line.
    #[default]
    Strings,
    /// Texts, one in each line, in which small letters are as good as capitals.
    CaseInsensitiveStrings,
    /// Addresses, and networks such as `10.0.0.0/8`: `{"whitelist": […]}`, or one in each line.
    IpAddresses,
    /// Regular expressions, one in each line, any part of a value being enough.
    Regex,
}

/// Who serves a list.
#[config(schema)]
#[derive(Clone, Debug)]
pub(crate) struct Provider {
    /// The cluster that is asked.
    pub(crate) cluster: Cluster,
    /// Path and query.
    #[serde(default = "slash")]
    pub(crate) path: String,
    /// The host that is asked for; the cluster's name unless set.
    pub(crate) authority: Option<String>,
    /// How long a fetch may take.
    #[serde(default = "five_seconds")]
    pub(crate) timeout: Duration,
    /// How large a list may be.
    #[serde(default = "a_mebibyte")]
    pub(crate) max_bytes: usize,
    /// For how long requests wait for the very first list.
    #[serde(default = "a_second")]
    pub(crate) wait: Duration,
}

/// A list that cannot be meant.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ListError {
    #[error("provider.path: {0:?} does not begin with a slash")]
    Path(String),
    #[error("provider.timeout: it must be longer than nothing")]
    Timeout,
    #[error("refresh_interval: it must be at least 1s, it is {0}")]
    RefreshInterval(Duration),
    #[error("ttl: it must not be shorter than refresh_interval, which is {refresh_interval}; it is {ttl}")]
    Ttl { ttl: Duration, refresh_interval: Duration },
    #[error("overrides[{0}]: {1}")]
    Override(usize, EntryError),
}

// === impl Settings ===

impl Settings {
    /// The entries that need no service.
    pub(crate) fn validate(&self) -> Result<Entries, ListError> {
        if let Some(provider) = &self.provider {
            if !provider.path.starts_with('/') {
                return Err(ListError::Path(provider.path.clone()));
            }
            if provider.timeout.get().is_zero() {
                return Err(ListError::Timeout);
            }
            if self.refresh_interval.get() < time::Duration::from_secs(1) {
                return Err(ListError::RefreshInterval(self.refresh_interval));
            }
            if self.ttl < self.refresh_interval {
                return Err(ListError::Ttl { ttl: self.ttl, refresh_interval: self.refresh_interval });
            }
        }
        for (place, entry) in self.overrides.iter().enumerate() {
            Entries::parse(self.entry_type, b"", std::slice::from_ref(entry)).map_err(|error| ListError::Override(place, error))?;
        }
        Entries::parse(self.entry_type, b"", &self.overrides).map_err(|error| ListError::Override(0, error))
    }
}

fn slash() -> String {
    "/".to_owned()
}

fn a_second() -> Duration {
    Duration::from_secs(1)
}

fn five_seconds() -> Duration {
    Duration::from_secs(5)
}

fn a_minute() -> Duration {
    Duration::from_secs(60)
}

fn five_minutes() -> Duration {
    Duration::from_secs(300)
}

fn ten_thousand() -> u32 {
    10_000
}

fn a_mebibyte() -> usize {
    1024 * 1024
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(json: &str) -> Option<String> {
        match inproxy::config::parse::<Settings>(json.as_bytes()) {
            Ok(settings) => settings.validate().err().map(|error| error.to_string()),
            Err(error) => Some(error.to_string()),
        }
    }

    /// Mixer's cases, with its names for the fields or ours; an address of a service is a cluster and a path here.
    #[test]
    fn a_list_that_cannot_be_meant_names_the_field() {
        for (json, expected) in [
            (r#"{ "provider_url": "http://lists" }"#, "provider_url: unknown field `provider_url`, expected one of"),
            (r#"{ "provider": { "cluster": "" } }"#, "provider.cluster: the name of a cluster must not be empty"),
            (r#"{ "provider": { "cluster": "lists", "path": "list" } }"#, r#"provider.path: "list" does not begin with a slash"#),
            (r#"{ "provider": { "cluster": "lists", "timeout": "0s" } }"#, "provider.timeout: it must be longer than nothing"),
            (r#"{ "provider": { "cluster": "lists" }, "refresh_interval": "0s" }"#, "refresh_interval: it must be at least 1s, it is 0ns"),
            (r#"{ "provider": { "cluster": "lists" }, "refreshInterval": "999ms" }"#, "refresh_interval: it must be at least 1s, it is 999ms"),
            (r#"{ "provider": { "cluster": "lists" }, "refreshInterval": "-1s" }"#, "refreshInterval: "),
            (r#"{ "provider": { "cluster": "lists" }, "ttl": "59s" }"#, "ttl: it must not be shorter than refresh_interval, which is 60s; it is 59s"),
            (r#"{ "cachingInterval": "-1s" }"#, "cachingInterval: "),
            (r#"{ "caching_interval": "5" }"#, "caching_interval: "),
            (r#"{ "cachingUseCount": -1 }"#, "cachingUseCount: invalid value: integer `-1`, expected u32"),
            (r#"{ "entry_type": "IP_ADDRESSES", "overrides": ["1.2.3.4", "XYZ"] }"#, r#"overrides[1]: "XYZ" is neither an IP address nor"#),
            (r#"{ "entryType": "REGEX", "overrides": ["(["] }"#, r#"overrides[0]: "([" is not a regular expression: "#),
            (r#"{ "entry_type": "NAMES" }"#, "entry_type: unknown variant `NAMES`, expected one of `STRINGS`"),
            (r#"{ "value": { "header": "x user" } }"#, "value.header: "),
            (r#"{ "value": "source" }"#, "value: unknown variant `source`, expected one of `source_address`"),
        ] {
            let fault = fault(json).unwrap_or_else(|| panic!("{json} is taken"));
            assert!(fault.starts_with(expected), "{json}: {fault}");
        }
    }

    #[test]
    fn a_list_that_mixer_took_is_taken() {
        for json in [
            "{}",
            r#"{ "overrides": ["src1", "src2"], "blacklist": true }"#,
            r#"{ "entryType": "IP_ADDRESSES", "overrides": ["1.2.3.4", "10.57.0.0/16", "2001:db8::/32"] }"#,
            r#"{ "provider": { "cluster": "lists" }, "refreshInterval": "1s", "ttl": "1s", "cachingInterval": "0s", "cachingUseCount": 0 }"#,
            // Without a service they are not looked at.
            r#"{ "refresh_interval": "0s", "ttl": "0s" }"#,
        ] {
            assert_eq!(fault(json), None, "{json}");
        }
    }
}
