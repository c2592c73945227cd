//! What `auth` does, on three hosts.

#![allow(missing_docs, reason = "test code")]

mod denier;
mod list;
mod rules;
