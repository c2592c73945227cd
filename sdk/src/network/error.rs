use crate::error::{HostError, debug_as_display};

/// A connection cannot be read, or not be changed.
#[derive(Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectionError {
    /// The client has ended before it had sent what was waited for.
    #[error("the client ended after {size} bytes, which were not all that was waited for")]
    Ended {
        /// How many bytes it had sent of what was waited for.
        size: usize,
    },
    /// The client sends more than the filter is willing to read, and what was waited for is not in it.
    #[error("the client sent {limit} bytes and more, and what was waited for is not among them")]
    TooLong {
        /// What the filter would read, in bytes.
        limit: usize,
    },
    /// What was to be read or changed went on already, or goes by: of what the server sends, that can be changed only which was read since the filter last waited for anything.
    #[error("what was to be read or changed went on already")]
    Passed,
    /// The connection is closed, or it is another one's turn.
    #[error("the connection is closed, or this is not its task")]
    Gone,
    /// The proxy refused.
    #[error(transparent)]
    Host(#[from] HostError),
}

debug_as_display!(ConnectionError);
