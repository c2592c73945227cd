use http::StatusCode;

use crate::{
    abi::Status,
    error::{HostError, Quoted, debug_as_display},
    headers::HeaderError,
    runtime::calls::NoAnswer,
};

/// A call-out got no answer from the service.
///
/// An answer of the service is never one of these, whatever its status, unless the filter asks for it ([`CallResponse::require_success`](super::CallResponse::require_success)).
///
/// For most failures Envoy makes up an answer with status 503 or 504. It is told by its text, which is
/// [Envoy's own](https://www.envoyproxy.io/docs/envoy/v1.40.0/configuration/http/http_conn_man/response_code_details), and by its having no header that a service would send: a service that
/// answers just like that is taken for Envoy.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// Nothing was sent: the proxy has no such cluster.
    #[error("the proxy has no cluster {}", Quoted(cluster))]
    UnknownCluster {
        /// The name of the cluster.
        cluster: String,
    },
    /// Nothing was sent: the cluster has no healthy endpoint.
    #[error("cluster {} has no healthy endpoint", Quoted(cluster))]
    NoEndpoint {
        /// The name of the cluster.
        cluster: String,
    },
    /// Nothing was sent: there was no connection to an endpoint.
    #[error("cluster {} refused the connection: {reason}", Quoted(cluster))]
    Refused {
        /// The name of the cluster.
        cluster: String,
        /// Envoy's reason, for example `remote connection failure`.
        reason: String,
    },
    /// The service did not answer in time.
    #[error("cluster {} did not answer in time", Quoted(cluster))]
    TimedOut {
        /// The name of the cluster.
        cluster: String,
    },
    /// The connection broke, or the stream was reset, before an answer. The service may have acted on the call.
    #[error("cluster {} broke off before an answer: {reason}", Quoted(cluster))]
    Reset {
        /// The name of the cluster.
        cluster: String,
        /// Envoy's reason, for example `connection termination`.
        reason: String,
    },
    /// The answer was cut off after its headers.
    #[error("the answer of cluster {} was cut off", Quoted(cluster))]
    CutOff {
        /// The name of the cluster.
        cluster: String,
    },
    /// The body of the answer is larger than [`CallRequest::max_body`](super::CallRequest::max_body) allows, and was not read.
    #[error("the answer of cluster {} has {bytes} bytes, which is more than it may", Quoted(cluster))]
    TooLarge {
        /// The name of the cluster.
        cluster: String,
        /// How many bytes it has.
        bytes: usize,
    },
    /// The service answered, but not with success.
    #[error("cluster {} answered with status {status}", Quoted(cluster))]
    Status {
        /// The name of the cluster.
        cluster: String,
        /// What it answered with.
        status: StatusCode,
    },
    /// The request or task on whose behalf it was sent is over.
    #[error("the request is over on whose behalf cluster {} was called", Quoted(cluster))]
    RequestOver {
        /// The name of the cluster.
        cluster: String,
    },
    /// Nothing was sent: neither a request nor a task is being handled.
    #[error("a call to cluster {} was made outside of a request and of a task", Quoted(cluster))]
    OutsideOfRequest {
        /// The name of the cluster.
        cluster: String,
    },
    /// A header of the call is not valid.
    #[error(transparent)]
    Header(#[from] HeaderError),
    /// The proxy refused for another reason.
    #[error(transparent)]
    Host(#[from] HostError),
}

debug_as_display!(CallError);

/// What Envoy's text begins with when there was no connection, or it broke.
const BROKEN: &str = "upstream connect error or disconnect/reset before headers. ";

// === impl CallError ===

impl CallError {
    pub(super) fn no_answer(reason: NoAnswer, cluster: String) -> Self {
        match reason {
            // The pseudo headers are always there, and the others are valid: what is left is the cluster.
            NoAnswer::NotSent(error) if error.status == Status::BAD_ARGUMENT => Self::UnknownCluster { cluster },
            NoAnswer::NotSent(error) if error.status == Status::INTERNAL_FAILURE => Self::NoEndpoint { cluster },
            NoAnswer::NotSent(error) | NoAnswer::Unreadable(error) => Self::Host(error),
            NoAnswer::OutsideOfStream => Self::OutsideOfRequest { cluster },
            NoAnswer::Orphaned => Self::RequestOver { cluster },
            NoAnswer::TooLarge(bytes) => Self::TooLarge { cluster, bytes },
        }
    }

    /// What an answer means that Envoy has made up.
    pub(super) fn made_up(status: StatusCode, text: &str, cluster: &str) -> Option<Self> {
        let cluster = || cluster.to_owned();
        if status == StatusCode::GATEWAY_TIMEOUT && text == "upstream request timeout" {
            return Some(Self::TimedOut { cluster: cluster() });
        }
        if status != StatusCode::SERVICE_UNAVAILABLE {
            return None;
        }
        if text == "no healthy upstream" {
            return Some(Self::NoEndpoint { cluster: cluster() });
        }
        // "retried and the latest reset reason: …" where the route retries.
        let reason = text.strip_prefix(BROKEN)?.split_once("reset reason: ")?.1.to_owned();
        let connecting = ["connection failure", "connection timeout", "overflow", "remote connection failure", "local connection failure"];
        Some(match connecting.iter().any(|prefix| reason.starts_with(prefix)) {
            true => Self::Refused { cluster: cluster(), reason },
            false => Self::Reset { cluster: cluster(), reason },
        })
    }

    /// Whether the service cannot have acted on the call.
    pub fn was_not_sent(&self) -> bool {
        match self {
            Self::UnknownCluster { .. } | Self::NoEndpoint { .. } | Self::Refused { .. } | Self::OutsideOfRequest { .. } => true,
            Self::Header(_) => true,
            Self::TimedOut { .. } | Self::Reset { .. } | Self::CutOff { .. } | Self::TooLarge { .. } => false,
            Self::Status { .. } | Self::RequestOver { .. } | Self::Host(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_that_envoy_makes_up_are_told_apart() {
        let told = |status: u16, text: &str| CallError::made_up(StatusCode::from_u16(status).unwrap(), text, "c").map(|error| error.to_string());
        for (status, text, error) in [
            (504, "upstream request timeout", r#"cluster "c" did not answer in time"#),
            (503, "no healthy upstream", r#"cluster "c" has no healthy endpoint"#),
            (
                503,
                "upstream connect error or disconnect/reset before headers. reset reason: remote connection failure, transport failure reason: x",
                r#"cluster "c" refused the connection: remote connection failure, transport failure reason: x"#,
            ),
            (
                503,
                "upstream connect error or disconnect/reset before headers. reset reason: connection termination",
                r#"cluster "c" broke off before an answer: connection termination"#,
            ),
            (
                503,
                "upstream connect error or disconnect/reset before headers. retried and the latest reset reason: protocol error",
                r#"cluster "c" broke off before an answer: protocol error"#,
            ),
        ] {
            assert_eq!(told(status, text).as_deref(), Some(error));
        }
        for (status, text) in
            [(200, "no healthy upstream"), (503, ""), (503, "upstream connect error"), (504, "late"), (503, "upstream request timeout")]
        {
            assert_eq!(told(status, text), None, "{status} {text}");
        }
    }
}
