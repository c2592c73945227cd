//! Which route a stream takes.
//!
//! Envoy chooses before the first filter, and once more at the router if a filter has had it forget its choice: meanwhile the old one is what attributes tell.

use inproxy_envoy::RouteMatch;

use super::{
    UPSTREAM,
    state::{State, StreamState},
};
use crate::proxy::Around;

/// Chooses a stream's route.
pub(crate) fn choose(state: &mut State, stream: usize) {
    let State { around, streams, .. } = state;
    let stream = &mut streams[stream];
    stream.route = around.routes.iter().position(|route| takes(&route.matches, stream)).unwrap_or(around.routes.len());
    stream.route_cleared = false;
}

/// As [`choose`], if a filter has had the choice forgotten.
pub(crate) fn choose_anew(state: &mut State, stream: usize) {
    if state.streams[stream].route_cleared {
        choose(state, stream);
    }
}

/// The name of a stream's route, and of its cluster.
pub(crate) fn of<'a>(around: &'a Around, stream: &StreamState) -> (&'a str, &'a str) {
    around.routes.get(stream.route).map_or((&around.route, UPSTREAM), |route| (&route.name, &route.cluster))
}

fn takes(matches: &RouteMatch, stream: &StreamState) -> bool {
    let header = |name: &str| stream.headers[0].iter().find(|(other, _)| other == name.as_bytes()).map(|(_, value)| &**value);
    match matches {
        RouteMatch::Header { name, value } => header(name) == Some(value.as_bytes()),
        RouteMatch::Path { prefix } => header(":path").is_some_and(|path| path.starts_with(prefix.as_bytes())),
        RouteMatch::FilterState { key, value } => {
            key.strip_prefix("wasm.").and_then(|name| stream.filter_state.get(name.as_bytes())).is_some_and(|state| state == value.as_bytes())
        }
    }
}
