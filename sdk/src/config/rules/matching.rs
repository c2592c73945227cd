use serde::Deserialize;

use super::{
    Routed,
    pattern::{Host, Path},
};
use crate::{
    attributes::{AttributeError, Attributes, Optional},
    headers::{HeaderValue, Headers},
};

/// Which requests something is for, by host, route, method and path: the `match` of a rule of [`Rules`](super::Rules), for filters that have rules of their own. What its lists can say is shown there.
///
/// # Examples
///
/// ```
/// use inproxy::{config::Match, prelude::*};
///
/// /// Counts for all that applies, not only for the first.
/// #[config]
/// struct Cost {
///     r#match: Match,
///     cost: u64,
/// }
///
/// fn cost(costs: &[Cost], request: &Request) -> Result<u64> {
///     let mut sum = 0;
///     for entry in costs {
///         if entry.r#match.takes(request)? {
///             sum += entry.cost;
///         }
///     }
///     Ok(sum)
/// }
/// ```
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(try_from = "Lists")]
pub struct Match {
    /// Lists that are not there are empty.
    hosts: Vec<Host>,
    routes: Vec<Box<str>>,
    methods: Vec<Box<str>>,
    paths: Vec<Path>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Lists {
    hosts: Option<Vec<Host>>,
    routes: Option<Vec<Box<str>>>,
    methods: Option<Vec<Box<str>>>,
    paths: Option<Vec<Path>>,
}

#[derive(Debug, thiserror::Error)]
enum Unmatched {
    #[error("a rule without hosts, routes, methods or paths would take all requests: write it as the default")]
    All,
    #[error("an empty list matches nothing: leave {0} out")]
    Nothing(&'static str),
    #[error("{0:?} is not a method: write GET, with its case, or another token of HTTP")]
    Method(Box<str>),
}

/// What of a request was read so far, each once at the most.
pub(super) struct Asked<'a> {
    headers: Headers<'a>,
    attributes: Attributes<'a>,
    host: Option<Option<HeaderValue>>,
    method: Option<Option<HeaderValue>>,
    path: Option<Option<HeaderValue>>,
    route: Option<Option<String>>,
}

// === impl Match ===

impl Match {
    /// Whether it takes a request: each list that it has takes it by one of its elements.
    ///
    /// Only what it asks for is read: host, method and path are headers, the route's name is an attribute, of which the same holds as for [`PerRoute::of`](crate::config::PerRoute::of).
    ///
    /// # Errors
    ///
    /// [`AttributeError`].
    pub fn takes(&self, request: &impl Routed) -> Result<bool, AttributeError> {
        self.takes_asked(&mut Asked::try_new(request)?)
    }

    pub(super) fn takes_asked(&self, asked: &mut Asked<'_>) -> Result<bool, AttributeError> {
        Ok((self.hosts.is_empty() || asked.host().is_some_and(|host| self.hosts.iter().any(|pattern| pattern.takes(host))))
            && (self.methods.is_empty() || asked.method().is_some_and(|method| self.methods.iter().any(|known| known.as_bytes() == method)))
            && (self.paths.is_empty() || asked.path().is_some_and(|path| self.paths.iter().any(|pattern| pattern.takes(path))))
            && (self.routes.is_empty() || asked.route()?.is_some_and(|route| self.routes.iter().any(|name| &**name == route))))
    }
}

impl TryFrom<Lists> for Match {
    type Error = Unmatched;

    fn try_from(lists: Lists) -> Result<Self, Unmatched> {
        fn list<E>(name: &'static str, list: Option<Vec<E>>) -> Result<Vec<E>, Unmatched> {
            match list {
                Some(list) if list.is_empty() => Err(Unmatched::Nothing(name)),
                list => Ok(list.unwrap_or_default()),
            }
        }
        let all = lists.hosts.is_none() && lists.routes.is_none() && lists.methods.is_none() && lists.paths.is_none();
        let matching = Self {
            hosts: list("hosts", lists.hosts)?,
            routes: list("routes", lists.routes)?,
            methods: list("methods", lists.methods)?,
            paths: list("paths", lists.paths)?,
        };
        if let Some(method) = matching.methods.iter().find(|method| http::Method::from_bytes(method.as_bytes()).is_err()) {
            return Err(Unmatched::Method(method.clone()));
        }
        if all { Err(Unmatched::All) } else { Ok(matching) }
    }
}

// === impl Asked ===

impl<'a> Asked<'a> {
    pub(super) fn try_new(request: &'a impl Routed) -> Result<Self, AttributeError> {
        let (headers, attributes) = request.parts();
        attributes.is_here()?;
        Ok(Self { headers, attributes, host: None, method: None, path: None, route: None })
    }

    fn host(&mut self) -> Option<&[u8]> {
        self.host.get_or_insert_with(|| self.headers.get(":authority")).as_ref().map(HeaderValue::as_bytes)
    }

    fn method(&mut self) -> Option<&[u8]> {
        self.method.get_or_insert_with(|| self.headers.get(":method")).as_ref().map(HeaderValue::as_bytes)
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
