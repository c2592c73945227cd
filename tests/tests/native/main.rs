//! Filters as ordinary Rust code in this process, through the dispatcher of `proxy-wasm`, over a small host.

#![allow(clippy::disallowed_methods, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "test code")]
#![allow(missing_docs, reason = "test code")]

mod chain;
mod host;
mod panics;
mod refusals;
