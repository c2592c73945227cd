//! Random numbers, from the system that the proxy runs on.
//!
//! # Examples
//!
//! ```
//! use inproxy::{Result, random};
//!
//! fn request_id() -> Result<String> {
//!     Ok(random::bytes::<16>()?.iter().map(|byte| format!("{byte:02x}")).collect())
//! }
//! ```

use std::time::Duration;

use crate::{
    abi::{self, Status},
    error::HostError,
};

/// So many random bytes, good enough for secrets in a proxy. (In a test on the native host they are not.)
///
/// # Errors
///
/// [`HostError`] if the system has none; that of Envoy always has.
pub fn bytes<const N: usize>() -> Result<[u8; N], HostError> {
    let mut bytes = [0; N];
    if abi::random(&mut bytes) { Ok(bytes) } else { Err(HostError::new("get random bytes", Status::UNIMPLEMENTED)) }
}

/// A random number, for what is no secret: to choose one of several, to spread what would come at once. Where the system has none, it is made of the time.
pub fn number() -> u64 {
    bytes().map_or_else(|_| abi::monotonic_clock().wrapping_mul(0x9E37_79B9_7F4A_7C15), u64::from_le_bytes)
}

/// A random time from nothing up to `most`.
pub fn duration(most: Duration) -> Duration {
    // The upper half of a product of two 64-bit numbers is below the second.
    let most = u64::try_from(most.as_nanos()).unwrap_or(u64::MAX);
    let nanoseconds = (u128::from(number()) * (u128::from(most) + 1)) >> 64;
    Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(most))
}
