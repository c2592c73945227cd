use std::{
    rc::Rc,
    time::{Duration, SystemTime},
};

use proxy_wasm::{
    traits::{Context, HttpContext, StreamContext},
    types::{Action, Bytes, ContextType, GrpcStatusCode, Status},
};

use super::uncalled;
use crate::{abi, reply::LocalReply};

/// What a plugin is, and so where a proxy can have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// An [HTTP filter](https://www.envoyproxy.io/docs/envoy/v1.40.0/configuration/http/http_filters/wasm_filter).
    Http,
    /// A [network filter](https://www.envoyproxy.io/docs/envoy/v1.40.0/configuration/listeners/network_filters/wasm_filter).
    Network,
    /// An [access logger](https://www.envoyproxy.io/docs/envoy/v1.40.0/api-v3/extensions/access_loggers/wasm/v3/wasm.proto).
    AccessLogger,
    /// A [service of the bootstrap](https://www.envoyproxy.io/docs/envoy/v1.40.0/configuration/other_features/wasm_service).
    Service,
}

/// A configured plugin, without its type: the contexts that the proxy has of it.
pub(crate) trait Contexts {
    /// The context of an HTTP stream, or of what an access logger is told of.
    fn http(self: Rc<Self>, _context: u32, _root: u32) -> Box<dyn HttpContext> {
        Box::new(Misplaced)
    }

    /// The context of a connection, for plugins that are [`over_connections`](Self::over_connections).
    fn connection(self: Rc<Self>, _context: u32, _root: u32) -> Box<dyn StreamContext> {
        Box::new(Misplaced)
    }

    /// What an access logger is told of is over; it can be seen from the root context.
    fn log(&self, _root: u32) {}

    /// Which of the two the proxy's streams are.
    fn over_connections(&self) -> bool {
        false
    }
}

/// A stream of what is no filter, or was never configured. Nothing gets past.
pub(super) struct Misplaced;

pub(super) fn context_type(plugin: &dyn Contexts) -> ContextType {
    if plugin.over_connections() { ContextType::StreamContext } else { ContextType::HttpContext }
}

// === impl Misplaced ===

impl Context for Misplaced {
    uncalled::context!();
}

impl HttpContext for Misplaced {
    uncalled::http!();

    fn on_http_request_headers(&mut self, _: usize, _: bool) -> Action {
        abi::callback((), || {
            log::error!("a request came to what is no HTTP filter, or was not configured");
            if let Err(error) = LocalReply::new(http::StatusCode::INTERNAL_SERVER_ERROR).with_details("inproxy_not_configured").send() {
                log::error!("{error:#}");
            }
        });
        Action::Pause
    }

    fn on_http_request_body(&mut self, _: usize, _: bool) -> Action {
        Action::Pause
    }

    fn on_http_request_trailers(&mut self, _: usize) -> Action {
        Action::Pause
    }
}

impl StreamContext for Misplaced {
    uncalled::connection!();
}
