//! From the bytes of the plugin's configuration to a filter, or to an error that names the fault.

mod duration;
mod per_route;
mod rules;
#[cfg(all(feature = "schema", not(target_family = "wasm")))]
mod schema;

pub use self::duration::{Duration, DurationError};
pub use self::per_route::PerRoute;
pub use self::rules::{Match, Routed, Rules};
pub(crate) use self::rules::{routed, sealed::Sealed as Parts};

#[cfg(all(feature = "schema", not(target_family = "wasm")))]
pub use self::schema::{schema, schemars};

use serde::de::{self, DeserializeOwned, value::MapDeserializer};

use crate::{
    Result,
    attributes::{Attributes, Node, There},
    envoy::{Property, PropertyError},
    error::debug_as_display,
};

/// A struct marked with [`#[config]`](macro@crate::config): it is read from JSON, and unknown fields are refused.
pub trait Config: DeserializeOwned {}

/// Makes a filter from its configuration.
///
/// A struct that is its own configuration is marked with [`#[config]`](macro@crate::config) and has this already. Others say how they are made, and
/// get what they need of the proxy from [`Plugin`].
///
/// # Examples
///
/// ```
/// use inproxy::{metrics::Counter, prelude::*};
///
/// #[config]
/// struct Settings {
///     #[serde(default)]
///     realm: String,
/// }
///
/// struct ApiKey {
///     realm: HeaderValue,
///     denied: Counter,
/// }
///
/// impl Configure for ApiKey {
///     type Config = Settings;
///
///     fn configure(config: Settings, plugin: &mut Plugin) -> Result<Self> {
///         Ok(Self { realm: config.realm.try_into()?, denied: plugin.counter("api_key.denied")? })
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no configuration",
    label = "neither read from the configuration, nor made by `configure`",
    note = "if its fields are its configuration, put `#[config]` under `#[filter]` (also for a struct without fields)",
    note = "if it is made from its configuration: `impl Configure for {Self} {{ type Config = …; fn configure(config: Self::Config, plugin: &mut Plugin) -> Result<Self> {{ … }} }}`"
)]
pub trait Configure: Sized {
    /// What the JSON is read into.
    type Config: DeserializeOwned;

    /// Makes the filter. This runs in every VM: once for each worker, once on the main thread, and once in a VM that only tries the configuration.
    ///
    /// # Errors
    ///
    /// An error refuses the configuration: Envoy keeps the one it has, or does not start with it.
    fn configure(config: Self::Config, plugin: &mut Plugin) -> Result<Self>;
}

/// The proxy, as [`Configure::configure`] sees it.
#[derive(Debug)]
pub struct Plugin {
    root_id: String,
    /// The root context.
    pub(crate) context: u32,
}

/// The configuration is not what the filter reads.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A value is missing, unknown, of another type, or refused by its own validation.
    #[error("{path}: {fault}")]
    At {
        /// Where, for example `rules[3].limit`.
        path: String,
        /// What is wrong there.
        fault: serde_json::Error,
    },
    /// The text is not JSON, or the fault concerns the whole.
    #[error("{0}")]
    Whole(serde_json::Error),
}

/// The filter takes no configuration, and was given one. An error of its own, since the others know the JSON parser.
#[derive(Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this filter takes no configuration: leave it out, or give {{}}")]
pub struct Unexpected;

debug_as_display!(ConfigError, Unexpected);

// === impl Configure ===

impl<C: Config> Configure for C {
    type Config = Self;

    fn configure(config: Self, _: &mut Plugin) -> Result<Self> {
        Ok(config)
    }
}

// === impl Plugin ===

impl Plugin {
    pub(crate) const fn new(root_id: String, context: u32) -> Self {
        Self { root_id, context }
    }

    /// The same plugin once more.
    pub(crate) fn again(&self) -> Self {
        Self { root_id: self.root_id.clone(), context: self.context }
    }

    /// The root id under which the proxy loads the filter.
    pub fn root_id(&self) -> &str {
        &self.root_id
    }

    /// The proxy's node: its id, its cluster, its metadata, before any request is there.
    ///
    /// # Examples
    ///
    /// ```
    /// use inproxy::{attributes::{AttributeError, Optional}, prelude::*};
    ///
    /// fn namespace(plugin: &Plugin) -> Result<Option<String>, AttributeError> {
    ///     plugin.node().metadata().text("NAMESPACE").optional()
    /// }
    /// ```
    pub fn node(&self) -> Node<'_> {
        Attributes::in_callback(There::ANYWHERE).xds().node()
    }

    /// Whether bodies can be read while their headers are held ([`Request::collect`](crate::Request::collect), [`Request::peek_body`](crate::Request::peek_body)): if the plugin's configuration has `allow_on_headers_stop_iteration`, and says so in the VM's
    /// environment. A filter that always does so is `#[filter(held)]`; one that does if its own configuration asks for it refuses that where it cannot be.
    ///
    /// # Examples
    ///
    /// ```
    /// use inproxy::{http::BodyError, prelude::*};
    ///
    /// #[config]
    /// struct Settings {
    ///     #[serde(default)]
    ///     reads_bodies: bool,
    /// }
    ///
    /// struct Guard(Settings);
    ///
    /// impl Configure for Guard {
    ///     type Config = Settings;
    ///
    ///     fn configure(config: Settings, plugin: &mut Plugin) -> Result<Self> {
    ///         if config.reads_bodies && !plugin.can_hold_bodies() {
    ///             return Err(BodyError::NotHeld.into());
    ///         }
    ///         Ok(Self(config))
    ///     }
    /// }
    /// ```
    pub fn can_hold_bodies(&self) -> bool {
        crate::http::can_hold()
    }

    /// Says what filter state of this name is, before any is set: see [`Property`]. In [`Configure::configure`]; Envoy forgets what is said elsewhere.
    ///
    /// # Errors
    ///
    /// [`PropertyError`].
    pub fn declare_property(&mut self, property: Property) -> Result<(), PropertyError> {
        property.declare()
    }
}

/// Reads a configuration. No bytes at all are `{}`: that is what Istio sends for an empty `pluginConfig`.
///
/// # Errors
///
/// [`ConfigError`], with the path of the fault; [`Unexpected`].
pub fn parse<C: DeserializeOwned>(json: &[u8]) -> Result<C> {
    // A filter that is not configured has no JSON parser in its module, which would be a third of it.
    if const { size_of::<C>() == 0 } { Ok(nothing(json)?) } else { Ok(something(json)?) }
}

fn something<C: DeserializeOwned>(json: &[u8]) -> Result<C, ConfigError> {
    let json = if json.trim_ascii().is_empty() { b"{}" } else { json };
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    let config = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let path = error.path().to_string();
        match path.as_str() {
            "." => ConfigError::Whole(error.into_inner()),
            _ => ConfigError::At { path, fault: error.into_inner() },
        }
    })?;
    deserializer.end().map_err(ConfigError::Whole)?;
    Ok(config)
}

/// Reads the configuration of a filter that has none.
fn nothing<C: DeserializeOwned>(json: &[u8]) -> Result<C, Unexpected> {
    let json = json.trim_ascii();
    let inner = json.strip_prefix(b"{").and_then(|json| json.strip_suffix(b"}")).unwrap_or(json);
    if !inner.trim_ascii().is_empty() {
        return Err(Unexpected);
    }
    let fields = std::iter::empty::<((), ())>();
    C::deserialize(MapDeserializer::<_, de::value::Error>::new(fields)).map_err(|_| Unexpected)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Empty {}

    #[test]
    fn a_filter_that_is_not_configured_takes_nothing_or_an_empty_object() {
        for json in ["", " ", "{}", " {\n} "] {
            assert_eq!(parse::<Empty>(json.as_bytes()).unwrap(), Empty {}, "{json:?}");
        }
        for json in [r#"{"x":1}"#, "x", "{", "[]"] {
            let error = parse::<Empty>(json.as_bytes()).unwrap_err().to_string();
            assert_eq!(error, "this filter takes no configuration: leave it out, or give {}", "{json:?}");
        }
    }

    #[derive(Debug, serde::Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Rules {
        #[serde(default)]
        rules: Vec<Rule>,
    }

    #[derive(Debug, serde::Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Rule {
        limit: u32,
    }

    #[test]
    fn nothing_is_an_empty_object() {
        for json in ["", " \n", "{}", r#"{"rules":[]}"#] {
            assert_eq!(parse::<Rules>(json.as_bytes()).unwrap(), Rules { rules: vec![] });
        }
    }

    #[test]
    fn a_fault_is_named_by_its_path() {
        for (json, expected) in [
            (r#"{"rules":[{"limit":1},{"limit":"x"}]}"#, "rules[1].limit: invalid type: string \"x\", expected u32"),
            (r#"{"rules":[{"limit":-1}]}"#, "rules[0].limit: invalid value: integer `-1`, expected u32"),
            (r#"{"rules":[{}]}"#, "rules[0]: missing field `limit`"),
            (r#"{"rules":[{"limit":1,"max":2}]}"#, "rules[0].max: unknown field `max`, expected `limit`"),
            (r#"{"rule":1}"#, "rule: unknown field `rule`, expected `rules`"),
            (r#"{"rules""#, "EOF while parsing an object"),
            ("{} {}", "trailing characters"),
            ("\u{1}", "expected value"),
        ] {
            let error = parse::<Rules>(json.as_bytes()).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{json}: {error}");
        }
    }
}
