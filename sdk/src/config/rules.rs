//! Configurations for some requests only.

use serde::Deserialize;

use self::matching::Asked;
pub use self::matching::Match;
use crate::attributes::AttributeError;

mod matching;
mod pattern;

/// A part of a configuration for some requests, by host, route and path, and one for the others.
///
/// In JSON:
///
/// ```json
/// {
///   "default": { "limit": 10 },
///   "rules": [
///     { "match": { "hosts": ["*.example.com"], "paths": ["/api", "=/login"] }, "config": { "limit": 100 } },
///     { "match": { "routes": ["checkout"] }, "config": { "limit": 5 } }
///   ]
/// }
/// ```
///
/// **The first rule that matches is taken**, as the first route is in Envoy; its `config` takes the place of the default as a whole. A rule matches if each list that it has does, and a list if one of its elements does:
///
/// | | element | takes |
/// |---|---|---|
/// | `hosts` | `example.com` | this host, at any port; the case of letters does not matter |
/// | | `example.com:8443` | this host, if the client named this port |
/// | | `*.example.com` | all hosts below it, and not itself |
/// | `routes` | `checkout` | the [route](https://www.envoyproxy.io/docs/envoy/v1.40.0/api-v3/config/route/v3/route_components.proto#config-route-v3-route) of this name |
/// | `methods` | `GET` | this method |
/// | `paths` | `/api` | `/api`, `/api/…`; not `/apis` |
/// | | `/api/` | `/api/…`; not `/api` |
/// | | `=/login` | `/login` only |
///
/// A query is not part of the path. **Paths are compared as Envoy gives them**: a listener without `normalize_path` and `merge_slashes` gives `/x/../api` and `//api` as the client wrote them, which is not `/api` here, but may be for the upstream.
///
/// A rule without any list, an empty list, and an element that could match nothing are errors, with their path.
///
/// # Examples
///
/// ```
/// use inproxy::{config::Rules, prelude::*};
///
/// /// Demands a header where the operator says so.
/// #[filter]
/// #[config]
/// struct Demands {
///     header: Rules<Demand>,
/// }
///
/// #[config]
/// struct Demand {
///     name: HeaderName,
/// }
///
/// impl HttpFilter for Demands {
///     async fn handle(&self, request: Request, next: Next) -> Result<Response> {
///         match self.header.of(&request)? {
///             Some(demand) if !request.headers().contains(&demand.name) => Ok(Response::new(StatusCode::UNAUTHORIZED)),
///             _ => Ok(next.run(request).await),
///         }
///     }
/// }
/// ```
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, bound(deserialize = "T: Deserialize<'de>"))]
pub struct Rules<T> {
    #[serde(default = "nothing")]
    default: Option<T>,
    #[serde(default = "no_rules")]
    rules: Vec<Rule<T>>,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
struct Rule<T> {
    #[serde(rename = "match")]
    conditions: Match,
    config: T,
}

/// A request whose headers are there: what [`Rules`] and [`Match`] are asked for.
pub trait Routed: sealed::Sealed {}

impl<S: sealed::Sealed> Routed for S {}

// === impl Rules ===

impl<T> Rules<T> {
    /// What the first rule that matches has; else the default, if there is one.
    ///
    /// Only what some rule asks for is read, and once: the host and the path are headers, the route's name is an attribute, of which the same holds as for [`PerRoute::of`](super::PerRoute::of).
    ///
    /// # Errors
    ///
    /// [`AttributeError`].
    pub fn of(&self, request: &impl Routed) -> Result<Option<&T>, AttributeError> {
        let mut asked = Asked::try_new(request)?;
        for rule in &self.rules {
            if rule.conditions.takes_asked(&mut asked)? {
                return Ok(Some(&rule.config));
            }
        }
        Ok(self.default.as_ref())
    }
}

fn nothing<T>() -> Option<T> {
    None
}

fn no_rules<T>() -> Vec<T> {
    Vec::new()
}

pub(crate) mod sealed {
    use crate::{attributes::Attributes, headers::Headers};

    pub trait Sealed {
        #[doc(hidden)]
        fn parts(&self) -> (Headers<'_>, Attributes<'_>);
    }
}

/// Types with methods `headers`, of a request's headers, and `attributes`.
macro_rules! routed {
    ($($request:ty),+) => {
        $(impl $crate::config::Parts for $request {
            fn parts(&self) -> ($crate::headers::Headers<'_>, $crate::attributes::Attributes<'_>) {
                (self.headers(), self.attributes())
            }
        })+
    };
}

pub(crate) use routed;
