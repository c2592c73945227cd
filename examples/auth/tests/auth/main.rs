//! What `auth` does, on three hosts.

#![allow(missing_docs, clippy::indexing_slicing, clippy::unwrap_used, reason = "test code")]

mod api_key;
mod basic;
mod denier;
mod jwt;
mod list;
mod rules;
mod secrets;
