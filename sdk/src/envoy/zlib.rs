use super::{ForeignError, foreign};
use crate::{abi::Status, error::debug_as_display};

/// How much input [`uncompress`] takes. A byte can become 1032 bytes, and Envoy has no bound of its own.
const LONGEST: usize = 64 << 10;

/// Bytes were not uncompressed.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UncompressError {
    /// They are not what zlib writes, or are cut off.
    #[error("the bytes are not zlib's, or are cut off")]
    Invalid,
    /// They are more than 64 KiB, which may become as much as 64 MiB in the proxy, or have become more than the limit.
    #[error("{length} bytes are more than the {limit} that are taken")]
    TooLarge {
        /// How many there are.
        length: usize,
        /// How many there may be.
        limit: usize,
    },
    /// The proxy cannot do it.
    #[error(transparent)]
    Foreign(#[from] ForeignError),
}

debug_as_display!(UncompressError);

/// Compresses bytes with zlib ([RFC 1950](https://www.rfc-editor.org/rfc/rfc1950), which HTTP calls `deflate`), in the proxy.
///
/// # Errors
///
/// [`ForeignError`].
///
/// # Examples
///
/// ```
/// # use inproxy::{envoy::{self, UncompressError}};
/// fn round_trip(state: &[u8]) -> Result<Vec<u8>, UncompressError> {
///     let packed = envoy::compress(state)?;
///     envoy::uncompress(&packed, 16 << 10)
/// }
/// ```
pub fn compress(bytes: &[u8]) -> Result<Vec<u8>, ForeignError> {
    super::call("compress", bytes)
}

/// Uncompresses what zlib has written, in the proxy; what follows behind its end is ignored.
///
/// It is for what a filter has packed itself, or a token's claims. Envoy uncompresses whatever it is given, so that 64 KiB from a stranger may take 64 MiB for a moment: more is not taken. For whole bodies use a library that
/// uncompresses part by part.
///
/// # Errors
///
/// [`UncompressError::TooLarge`] if the bytes are more than 64 KiB, or become more than `limit`; [`UncompressError::Invalid`].
pub fn uncompress(bytes: &[u8], limit: usize) -> Result<Vec<u8>, UncompressError> {
    const FUNCTION: &str = "uncompress";
    within(bytes.len(), LONGEST)?;
    let uncompressed = foreign(FUNCTION, bytes).map_err(|status| match status {
        Status::SERIALIZATION_FAILURE => UncompressError::Invalid,
        status => ForeignError::new(FUNCTION, status).into(),
    })?;
    within(uncompressed.len(), limit)?;
    Ok(uncompressed)
}

fn within(length: usize, limit: usize) -> Result<(), UncompressError> {
    if length > limit { Err(UncompressError::TooLarge { length, limit }) } else { Ok(()) }
}
