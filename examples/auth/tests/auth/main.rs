//! What `auth` does, on three hosts.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, missing_docs, reason = "test code")]

mod api_key;
mod basic;
mod denier;
mod ext_authz;
mod jwt;
mod list;
mod rules;
mod secrets;
