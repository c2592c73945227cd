//! What `rate-limit` does, on three hosts.

#![allow(missing_docs, reason = "test code")]

mod bucket;
mod global;
mod limits;
mod quota;
