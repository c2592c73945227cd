use std::fmt;

use crate::{
    abi::Status,
    error::{HostError, Quoted, debug_as_display},
    headers::HeaderError,
    runtime::grpc::NotMade,
};

/// A [gRPC status code](https://grpc.io/docs/guides/status-codes/). A service may answer with any number.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Code(u32);

/// How a call ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct GrpcStatus {
    /// The code.
    pub code: Code,
    /// What the service, or Envoy in its place, says of it. May be empty.
    pub message: String,
}

/// A call did not end well.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GrpcError {
    /// The service answered with another status than "ok"; or Envoy did in its place: `UNAVAILABLE` where the service cannot be reached, for a call that took too long too, `CANCELLED` when the request that it belongs
    /// to is over.
    #[error("{0}")]
    Status(GrpcStatus),
    /// A message is not of the type that was asked for.
    #[error("a message cannot be read: {0}")]
    Decode(String),
    /// A call with one answer had none.
    #[error("the call ended without an answer")]
    NoAnswer,
    /// It was made outside of a request and of a task.
    #[error("a gRPC call to cluster {} was made outside of a request and of a task", Quoted(cluster))]
    OutsideOfRequest {
        /// The name of the cluster.
        cluster: String,
    },
    /// An entry of the metadata is not valid.
    #[error(transparent)]
    Metadata(#[from] HeaderError),
    /// The proxy refused for another reason.
    #[error(transparent)]
    Host(#[from] HostError),
}

debug_as_display!(GrpcError);

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $number:literal $text:literal;)+) => {
        impl Code {
            $($(#[$doc])* pub const $name: Self = Self($number);)+

            const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)+
                    _ => "unknown code",
                }
            }
        }
    };
}

codes! {
    /// Success.
    OK = 0 "ok";
    /// The call was cancelled.
    CANCELLED = 1 "cancelled";
    /// Nobody knows what it is.
    UNKNOWN = 2 "unknown";
    /// An argument is not valid, whatever the state of the service.
    INVALID_ARGUMENT = 3 "invalid argument";
    /// It took too long.
    DEADLINE_EXCEEDED = 4 "deadline exceeded";
    /// It is not there.
    NOT_FOUND = 5 "not found";
    /// It is there already.
    ALREADY_EXISTS = 6 "already exists";
    /// The caller may not.
    PERMISSION_DENIED = 7 "permission denied";
    /// Something is used up.
    RESOURCE_EXHAUSTED = 8 "resource exhausted";
    /// The service is not in the state for it.
    FAILED_PRECONDITION = 9 "failed precondition";
    /// Somebody else was first.
    ABORTED = 10 "aborted";
    /// Beyond the end.
    OUT_OF_RANGE = 11 "out of range";
    /// The service does not have it.
    UNIMPLEMENTED = 12 "unimplemented";
    /// Something is broken.
    INTERNAL = 13 "internal";
    /// The service cannot be reached now.
    UNAVAILABLE = 14 "unavailable";
    /// Data is lost.
    DATA_LOSS = 15 "data loss";
    /// Nobody knows who the caller is.
    UNAUTHENTICATED = 16 "unauthenticated";
}

// === impl Code ===

impl Code {
    /// The code of this number.
    pub const fn from_raw(code: u32) -> Self {
        Self(code)
    }

    /// Its number.
    pub const fn as_raw(self) -> u32 {
        self.0
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name(), self.0)
    }
}

debug_as_display!(Code);

impl fmt::Display for GrpcStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.message.as_str() {
            "" => write!(f, "gRPC status {}", self.code),
            message => write!(f, "gRPC status {}: {message}", self.code),
        }
    }
}

// === impl GrpcError ===

impl GrpcError {
    pub(super) fn not_made(reason: NotMade, cluster: &str) -> Self {
        match reason {
            // Unknown, or without a healthy endpoint: Envoy does not tell which.
            NotMade::Refused(Status::INTERNAL_FAILURE | Status::PARSE_FAILURE) => Self::ended(
                Code::UNAVAILABLE.0,
                format!("cluster {} cannot be reached: it is not there, or has no healthy endpoint", Quoted(cluster)),
            ),
            NotMade::Refused(status) => Self::Host(HostError::new("make a gRPC call", status)),
            NotMade::OutsideOfStream => Self::OutsideOfRequest { cluster: cluster.to_owned() },
        }
    }

    pub(super) const fn ended(status: u32, message: String) -> Self {
        Self::Status(GrpcStatus { code: Code(status), message })
    }

    /// The status, if it is one.
    pub fn status(&self) -> Option<&GrpcStatus> {
        match self {
            Self::Status(status) => Some(status),
            _ => None,
        }
    }
}
