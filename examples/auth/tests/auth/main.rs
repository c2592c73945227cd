//! What `auth` does, on three hosts.

#![allow(clippy::indexing_slicing, clippy::unwrap_used, missing_docs, reason = "test code")]

mod denier;
mod list;
mod rules;
