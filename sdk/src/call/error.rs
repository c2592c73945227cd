use crate::{
    abi::Status,
    error::{HostError, Quoted, debug_as_display},
    headers::HeaderError,
    runtime::calls::NoAnswer,
};

/// A call-out got no answer from the service.
///
/// An answer of the service is never one of these, whatever its status. Envoy makes up an answer with status 503 when a connection is refused or breaks
/// before an answer: that is a [`CallResponse`](super::CallResponse).
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// Nothing was sent: the proxy has no such cluster.
    #[error("the proxy has no cluster {}", Quoted(cluster))]
    UnknownCluster {
        /// The name of the cluster.
        cluster: String,
    },
    /// Nothing was sent: the cluster has no healthy endpoint, or a header has a value that Envoy does not send.
    #[error("the call to cluster {} was refused by the proxy: no healthy endpoint, or an invalid header", Quoted(cluster))]
    Refused {
        /// The name of the cluster.
        cluster: String,
    },
    /// The service did not answer in time.
    #[error("cluster {} did not answer in time", Quoted(cluster))]
    TimedOut {
        /// The name of the cluster.
        cluster: String,
    },
    /// The answer was cut off after its headers.
    #[error("the answer of cluster {} was cut off", Quoted(cluster))]
    CutOff {
        /// The name of the cluster.
        cluster: String,
    },
    /// The request on whose behalf it was sent is over, or none is being handled.
    #[error("a call to cluster {} was awaited outside of the request that it belongs to", Quoted(cluster))]
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

// === impl CallError ===

impl CallError {
    pub(super) fn no_answer(reason: NoAnswer, cluster: String) -> Self {
        match reason {
            // The pseudo headers are always there: what is left is the cluster.
            NoAnswer::NotSent(error) if error.status == Status::BAD_ARGUMENT => Self::UnknownCluster { cluster },
            NoAnswer::NotSent(error) if error.status == Status::INTERNAL_FAILURE => Self::Refused { cluster },
            NoAnswer::NotSent(error) => Self::Host(error),
            NoAnswer::OutsideOfStream | NoAnswer::Orphaned => Self::OutsideOfRequest { cluster },
        }
    }
}
