//! What `auth` does, on three hosts.

#![allow(missing_docs, reason = "test code")]

mod api_key;
mod denier;
mod rules;
