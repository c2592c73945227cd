//! Formats of bodies that arrive in pieces: what a piece completes is returned, the rest is kept until it is.
//!
//! These only compute: they take bytes from wherever, and ask the proxy for nothing. They never panic, whatever the bytes, and keep no more of them than they are allowed to.
//!
//! | for | see |
//! |---|---|
//! | server-sent events | [`sse`] |
//! | a JSON value in each line | [`lines`] |

pub mod lines;
pub mod sse;

use crate::error::debug_as_display;

/// The bytes are not what a decoder can take.
///
/// A decoder that has returned one has lost its place: it returns the same again, whatever it is given.
#[derive(Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CodecError {
    /// An event or a line is longer than the filter is willing to keep.
    #[error("{what} has more than {limit} bytes")]
    TooLong {
        /// What is too long.
        what: &'static str,
        /// What the filter would keep, in bytes.
        limit: usize,
    },
}

debug_as_display!(CodecError);

/// What was decoded, or the error that came instead of anything.
///
/// An error behind what was decoded of the same piece comes with the next call: what is returned then does not depend on where the pieces were cut.
fn first_what_came<T>(items: Vec<T>, failed: Option<CodecError>) -> Result<Vec<T>, CodecError> {
    match failed {
        Some(error) if items.is_empty() => Err(error),
        _ => Ok(items),
    }
}
