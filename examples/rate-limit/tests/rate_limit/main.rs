//! What `rate-limit` does, on three hosts.

#![allow(missing_docs, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "test code")]

mod bucket;
mod faults;
mod global;
mod limits;
mod quota;
