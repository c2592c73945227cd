use std::collections::BTreeMap;

use inproxy::{config::Duration, http::BodyError, prelude::*};

use crate::checks::ext_authz::{Failure, Names, NotAName, grpc, http};

/// A service that decides, asked as Envoy's `ext_authz` filter asks it. It is reached over one of `grpc` and `http`.
#[config(schema)]
#[derive(Debug)]
pub(crate) struct Settings {
    /// The service speaks `envoy.service.auth.v3.Authorization`.
    pub(crate) grpc: Option<Grpc>,
    /// The service gets the client's request, and answers it.
    pub(crate) http: Option<Http>,
    /// Which headers of the request the service sees: names, or their beginnings and ends as in `x-user-*` and `*-id`. Over gRPC all, if there is none here; over HTTP these, and `authorization`.
    #[serde(default)]
    allowed_headers: Vec<String>,
    /// Which headers it does not see, though they are among those.
    #[serde(default)]
    disallowed_headers: Vec<String>,
    /// The service gets the body too. The plugin must be configured with `allow_on_headers_stop_iteration`.
    pub(crate) with_request_body: Option<WithRequestBody>,
    /// Requests pass when the service cannot decide: it is down, slow, or says so.
    #[serde(default)]
    pub(crate) fail_open: bool,
    /// A request that passes so has the header `x-envoy-auth-failure-mode-allowed: true`.
    #[serde(default)]
    failure_mode_allow_header_add: bool,
    /// The status that clients get when the service cannot decide.
    #[serde(default = "forbidden")]
    status_on_error: u16,
    /// Decisions are used again for requests of the same method, host and path.
    pub(crate) cache: Option<Cache>,
}

/// A service that speaks gRPC.
#[config(schema)]
#[derive(Debug)]
pub(crate) struct Grpc {
    /// Where it is: a cluster that speaks HTTP/2.
    pub(crate) cluster: Cluster,
    /// How long it may take.
    #[serde(default = "two_hundred_milliseconds")]
    pub(crate) timeout: Duration,
    /// What it is told with each request.
    #[serde(default)]
    context_extensions: BTreeMap<String, String>,
    /// A name in the filter state, under which other filters find as JSON what the service says beside its decision (`dynamic_metadata`).
    filter_state: Option<String>,
}

/// A service that speaks HTTP.
#[config(schema)]
#[derive(Debug)]
pub(crate) struct Http {
    /// Where it is.
    pub(crate) cluster: Cluster,
    /// How long it may take.
    #[serde(default = "two_hundred_milliseconds")]
    pub(crate) timeout: Duration,
    /// What stands before the path of each request.
    #[serde(default)]
    path_prefix: String,
    /// Headers that it gets with each request, in the place of the client's.
    #[serde(default)]
    headers_to_add: BTreeMap<HeaderName, HeaderValue>,
    /// Which headers of a yes the upstream gets, in the place of the client's.
    #[serde(default)]
    allowed_upstream_headers: Vec<String>,
    /// Which headers of a yes the upstream gets, behind the client's.
    #[serde(default)]
    allowed_upstream_headers_to_append: Vec<String>,
    /// Which headers of a no the client gets, beside `www-authenticate` and `location`; all, if there is none here.
    #[serde(default)]
    allowed_client_headers: Vec<String>,
    /// Which headers of a yes the client gets, with the upstream's response.
    #[serde(default)]
    allowed_client_headers_on_success: Vec<String>,
}

/// How much of a body the service gets.
#[config(schema)]
#[derive(Clone, Copy, Debug)]
pub(crate) struct WithRequestBody {
    /// In bytes; no more than the listener's `per_connection_buffer_limit_bytes`. A longer body is refused with 413.
    pub(crate) max_request_bytes: usize,
    /// Of a longer body the service gets so much, and is told in `x-envoy-auth-partial-body`.
    #[serde(default)]
    pub(crate) allow_partial_message: bool,
    /// Over gRPC, the body is bytes and not text.
    #[serde(default)]
    pack_as_bytes: bool,
}

/// How long decisions are used again.
#[config(schema)]
#[derive(Debug)]
pub(crate) struct Cache {
    /// For so long.
    pub(crate) valid_duration: Duration,
    /// So many times; without a bound, if it is not there.
    pub(crate) valid_use_count: Option<u32>,
    /// So many of them are kept, in each worker.
    #[serde(default = "ten_thousand")]
    pub(crate) max_entries: usize,
    /// The headers that the service decides by: a decision is for requests with the same values of them.
    pub(crate) key: Vec<HeaderName>,
}

/// A service that cannot be meant.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ExtAuthzError {
    #[error("the service is reached over one of grpc and http: write one of them")]
    Protocol,
    #[error("status_on_error: {0} is no status of an answer with a body: write one of 200 to 599, not 204 or 304")]
    Status(u16),
    #[error(
        "with_request_body.max_request_bytes: nothing of a body is no body: leave with_request_body out, or write how many bytes the service gets"
    )]
    NoBody,
    #[error("with_request_body: {0}")]
    NotHeld(BodyError),
    #[error("http.path_prefix: {0:?} is no beginning of a path: it must begin with a slash, and have neither spaces nor a query")]
    PathPrefix(String),
    #[error("{0}: {1}")]
    Names(&'static str, NotAName),
}

/// How the service is reached, and what it is told.
#[derive(Debug)]
pub(crate) enum Protocol {
    Grpc(grpc::Grpc),
    Http(http::Http),
}

// === impl Settings ===

impl Settings {
    pub(crate) fn failure(&self) -> Failure {
        Failure { status_on_error: self.status_on_error, tells_the_upstream: self.failure_mode_allow_header_add }
    }

    /// What is wrong with it in a proxy that can hold bodies, or cannot.
    pub(crate) fn check(&self, can_hold_bodies: bool) -> Result<(), ExtAuthzError> {
        if !(200..600).contains(&self.status_on_error) || matches!(self.status_on_error, 204 | 304) {
            return Err(ExtAuthzError::Status(self.status_on_error));
        }
        match self.with_request_body {
            Some(WithRequestBody { max_request_bytes: 0, .. }) => Err(ExtAuthzError::NoBody),
            Some(_) if !can_hold_bodies => Err(ExtAuthzError::NotHeld(BodyError::NotHeld)),
            _ => Ok(()),
        }
    }

    pub(crate) fn protocol(&self) -> Result<Protocol, ExtAuthzError> {
        let (allowed_headers, disallowed_headers) =
            (names("allowed_headers", &self.allowed_headers)?, names("disallowed_headers", &self.disallowed_headers)?);
        let failure = self.failure();
        match (&self.grpc, &self.http) {
            (Some(grpc), None) => Ok(Protocol::Grpc(grpc::Grpc {
                allowed_headers,
                disallowed_headers,
                context_extensions: grpc.context_extensions.clone(),
                pack_as_bytes: self.with_request_body.is_some_and(|body| body.pack_as_bytes),
                filter_state: grpc.filter_state.clone(),
                failure,
            })),
            (None, Some(http)) => {
                let prefix = &http.path_prefix;
                let is_path = prefix.starts_with('/') && prefix.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'?' | b'#'));
                if !prefix.is_empty() && !is_path {
                    return Err(ExtAuthzError::PathPrefix(prefix.clone()));
                }
                Ok(Protocol::Http(http::Http {
                    path_prefix: prefix.clone(),
                    allowed_headers,
                    disallowed_headers,
                    headers_to_add: http.headers_to_add.iter().map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec())).collect(),
                    allowed_upstream_headers: names("http.allowed_upstream_headers", &http.allowed_upstream_headers)?,
                    allowed_upstream_headers_to_append: names("http.allowed_upstream_headers_to_append", &http.allowed_upstream_headers_to_append)?,
                    allowed_client_headers: names("http.allowed_client_headers", &http.allowed_client_headers)?,
                    allowed_client_headers_on_success: names("http.allowed_client_headers_on_success", &http.allowed_client_headers_on_success)?,
                    failure,
                }))
            }
            _ => Err(ExtAuthzError::Protocol),
        }
    }
}

fn names(field: &'static str, patterns: &[String]) -> Result<Names, ExtAuthzError> {
    Names::try_new(patterns).map_err(|error| ExtAuthzError::Names(field, error))
}

fn two_hundred_milliseconds() -> Duration {
    Duration::from_millis(200)
}

fn forbidden() -> u16 {
    403
}

fn ten_thousand() -> usize {
    10_000
}
