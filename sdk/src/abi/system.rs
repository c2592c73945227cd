//! Clocks and random numbers: the two things that a filter asks of the system rather than of the proxy.

use super::{Status, sys};

/// Nanoseconds since the epoch.
pub(crate) fn wall_clock() -> Result<u64, Status> {
    let mut time = 0;
    // SAFETY: the host writes one u64 to a live local.
    Status::from_raw(unsafe { sys::proxy_get_current_time_nanoseconds(&raw mut time) }).ok()?;
    Ok(time)
}

/// Nanoseconds of a clock that only goes forward, from some time on. A proxy without one gives the wall clock.
#[cfg(target_family = "wasm")]
pub(crate) fn monotonic_clock() -> u64 {
    /// The number of that clock in WASI.
    const MONOTONIC: u32 = 1;
    let mut time = 0;
    // SAFETY: the host writes one u64 to a live local.
    match unsafe { sys::clock_time_get(MONOTONIC, 0, &raw mut time) } {
        0 => time,
        _ => wall_clock().unwrap_or_default(),
    }
}

/// Nanoseconds of a clock that only goes forward, from some time on.
#[cfg(not(target_family = "wasm"))]
pub(crate) fn monotonic_clock() -> u64 {
    super::installed().map_or(0, |host| host.monotonic_clock())
}

/// Fills `bytes` with random ones; whether the system has any.
#[cfg(target_family = "wasm")]
pub(crate) fn random(bytes: &mut [u8]) -> bool {
    // What WASI in Envoy gives at once.
    const MOST: usize = 65_536;
    // SAFETY: pointer and length are those of a live slice, which the host only writes to.
    bytes.chunks_mut(MOST).all(|bytes| unsafe { sys::random_get(bytes.as_mut_ptr(), bytes.len()) } == 0)
}

/// Fills `bytes` with random ones; whether the system has any.
#[cfg(not(target_family = "wasm"))]
pub(crate) fn random(bytes: &mut [u8]) -> bool {
    super::installed().is_some_and(|host| host.random(bytes))
}
