//! What `rate-limit` does, on three hosts.

#![allow(missing_docs, reason = "test code")]

mod bucket;
mod limits;
mod quota;
