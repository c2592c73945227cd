use std::{collections::BTreeMap, fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, Visitor},
};

use crate::{
    attributes::{AttributeError, Attributes, Optional},
    error::Quoted,
};

/// A part of a configuration for each route, by the route's name, and one for the others.
///
/// Envoy has no configuration of a wasm filter per route; but its routes can have
/// [names](https://www.envoyproxy.io/docs/envoy/v1.40.0/api-v3/config/route/v3/route_components.proto#config-route-v3-route), as those have that Istio makes. In JSON:
///
/// ```json
/// { "default": { "limit": 10 }, "routes": { "search": { "limit": 100 }, "checkout": { "limit": 5 } } }
/// ```
///
/// Both members may be left out. What a route has takes the place of the default as a whole. A name that is given twice is an error.
///
/// # Examples
///
/// ```
/// use inproxy::{config::PerRoute, prelude::*};
///
/// /// Lets only so long paths pass, on each route its own.
/// #[filter]
/// #[config]
/// struct Longest {
///     paths: PerRoute<Limit>,
/// }
///
/// #[config]
/// struct Limit {
///     limit: usize,
/// }
///
/// impl HttpFilter for Longest {
///     async fn handle(&self, request: Request, next: Next) -> Result<Response> {
///         let length = request.path().map_or(0, |path| path.as_bytes().len());
///         match self.paths.of(&request)? {
///             Some(path) if length > path.limit => Ok(Response::new(StatusCode::URI_TOO_LONG)),
///             _ => Ok(next.run(request).await),
///         }
///     }
/// }
/// ```
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, bound(deserialize = "T: Deserialize<'de>"))]
pub struct PerRoute<T> {
    #[serde(default = "nothing")]
    default: Option<T>,
    #[serde(default = "no_routes", deserialize_with = "once_each")]
    routes: BTreeMap<Box<str>, T>,
}

// === impl PerRoute ===

impl<T> PerRoute<T> {
    /// What the stream's route has; else the default, if there is one. One call to the proxy.
    ///
    /// The route is the one that the proxy has chosen before the first filter: one that it chooses because a filter has changed the request is known once the request went on.
    ///
    /// # Errors
    ///
    /// [`AttributeError`], but for a request that no route takes: that has the default.
    pub fn of<'a>(&self, stream: impl Into<Attributes<'a>>) -> Result<Option<&T>, AttributeError> {
        if self.routes.is_empty() {
            return Ok(self.default.as_ref());
        }
        let route = stream.into().xds().route_name().optional()?;
        Ok(route.and_then(|route| self.routes.get(&*route)).or(self.default.as_ref()))
    }

    /// What this route has, without the default.
    pub fn named(&self, route: &str) -> Option<&T> {
        self.routes.get(route)
    }
}

fn nothing<T>() -> Option<T> {
    None
}

fn no_routes<T>() -> BTreeMap<Box<str>, T> {
    BTreeMap::new()
}

/// A map in which no name comes twice, of which JSON would let the last one win.
fn once_each<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<BTreeMap<Box<str>, T>, D::Error> {
    struct Routes<T>(PhantomData<T>);

    impl<'de, T: Deserialize<'de>> Visitor<'de> for Routes<T> {
        type Value = BTreeMap<Box<str>, T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object by names of routes")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut routes = BTreeMap::new();
            while let Some(route) = map.next_key::<Box<str>>()? {
                if routes.contains_key(&route) {
                    return Err(de::Error::custom(format_args!("the route {} is given twice", Quoted(&route))));
                }
                routes.insert(route, map.next_value()?);
            }
            Ok(routes)
        }
    }

    deserializer.deserialize_map(Routes(PhantomData))
}
