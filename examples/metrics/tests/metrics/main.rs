//! What is counted of what goes through the proxy.

#![allow(clippy::disallowed_methods, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "test code")]
#![allow(missing_docs, unreachable_pub, reason = "test code")]

mod attributes;
mod configuration;
mod exchange;
mod flood;
mod istio;
mod labels;
mod messages;
mod own;
mod tcp;
