//! A filter on the bare ABI, without any SDK, that asks a proxy whatever its configuration says and logs what it got: so can a test hold the model of a proxy against the real one,
//! in calls that the SDK never makes.
//!
//! The configuration is a script of lines `callback: call arguments…`; a callback runs its lines in order, and logs `callback call arguments -> status result`. A line
//! `callback: return 1` sets what it returns. In arguments `\s` is a space, `\0` a NUL, `\xNN` a byte, `-` nothing; `$last` is the last number that a call gave, `$stream` the last
//! stream's context, `$root` the root's, `$bytes` the last bytes.

#![cfg(target_family = "wasm")]
#![allow(
    unsafe_code,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    static_mut_refs,
    missing_docs,
    reason = "this speaks the ABI by hand, in one thread, and a trap of it is a fault of the test"
)]

mod abi;
mod callbacks;
mod script;
