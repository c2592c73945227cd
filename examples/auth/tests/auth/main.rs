//! What `auth` does, on three hosts.

#![allow(missing_docs, reason = "test code")]

mod api_key;
mod basic;
mod denier;
mod rules;
mod secrets;
