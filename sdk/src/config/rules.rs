//! Configurations for some requests only.

use serde::Deserialize;

use self::pattern::{Host, Path};
use crate::{
    attributes::{AttributeError, Attributes, Optional},
    headers::{HeaderValue, Headers},
};

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
    conditions: Conditions,
    config: T,
}

/// What of a request a rule is for. Lists that are not there are empty.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(try_from = "Lists")]
struct Conditions {
    hosts: Vec<Host>,
    routes: Vec<Box<str>>,
    paths: Vec<Path>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Lists {
    hosts: Option<Vec<Host>>,
    routes: Option<Vec<Box<str>>>,
    paths: Option<Vec<Path>>,
}

#[derive(Debug, thiserror::Error)]
enum Unmatched {
    #[error("a rule without hosts, routes or paths would take all requests: write it as the default")]
    All,
    #[error("an empty list matches nothing: leave {0} out")]
    Nothing(&'static str),
}

/// A request whose headers are there: what [`Rules`] are asked for.
pub trait Routed: sealed::Sealed {}

impl<S: sealed::Sealed> Routed for S {}

/// What of a request was read so far, each once at the most.
struct Asked<'a> {
    headers: Headers<'a>,
    attributes: Attributes<'a>,
    host: Option<Option<HeaderValue>>,
    path: Option<Option<HeaderValue>>,
    route: Option<Option<String>>,
}

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
        let (headers, attributes) = request.parts();
        attributes.is_here()?;
        let mut asked = Asked { headers, attributes, host: None, path: None, route: None };
        for rule in &self.rules {
            if rule.conditions.take(&mut asked)? {
                return Ok(Some(&rule.config));
            }
        }
        Ok(self.default.as_ref())
    }
}

// === impl Conditions ===

impl Conditions {
    fn take(&self, asked: &mut Asked<'_>) -> Result<bool, AttributeError> {
        Ok((self.hosts.is_empty() || asked.host().is_some_and(|host| self.hosts.iter().any(|pattern| pattern.takes(host))))
            && (self.paths.is_empty() || asked.path().is_some_and(|path| self.paths.iter().any(|pattern| pattern.takes(path))))
            && (self.routes.is_empty() || asked.route()?.is_some_and(|route| self.routes.iter().any(|name| &**name == route))))
    }
}

impl TryFrom<Lists> for Conditions {
    type Error = Unmatched;

    fn try_from(lists: Lists) -> Result<Self, Unmatched> {
        fn list<E>(name: &'static str, list: Option<Vec<E>>) -> Result<Vec<E>, Unmatched> {
            match list {
                Some(list) if list.is_empty() => Err(Unmatched::Nothing(name)),
                list => Ok(list.unwrap_or_default()),
            }
        }
        let conditions = Self { hosts: list("hosts", lists.hosts)?, routes: list("routes", lists.routes)?, paths: list("paths", lists.paths)? };
        if conditions.hosts.is_empty() && conditions.routes.is_empty() && conditions.paths.is_empty() { Err(Unmatched::All) } else { Ok(conditions) }
    }
}

// === impl Asked ===

impl Asked<'_> {
    fn host(&mut self) -> Option<&[u8]> {
        self.host.get_or_insert_with(|| self.headers.get(":authority")).as_ref().map(HeaderValue::as_bytes)
    }

    /// Without its query.
    fn path(&mut self) -> Option<&[u8]> {
        let path = self.path.get_or_insert_with(|| self.headers.get(":path")).as_ref()?.as_bytes();
        path.split(|byte| *byte == b'?').next()
    }

    fn route(&mut self) -> Result<Option<&str>, AttributeError> {
        if self.route.is_none() {
            self.route = Some(self.attributes.xds().route_name().optional()?);
        }
        Ok(self.route.as_ref().and_then(Option::as_deref))
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
