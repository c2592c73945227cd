//! What the SDK promises, written once and run on three hosts.

#![allow(clippy::disallowed_methods, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "test code")]
#![allow(missing_docs, reason = "test code")]

/// So that tests can hold what filters allocate.
#[global_allocator]
static ALLOCATOR: inproxy_test::CountingAllocator = inproxy_test::CountingAllocator;

mod attributes;
mod bodies;
mod cached;
mod calls;
mod cancelling;
mod chains;
mod codec;
mod cookbook;
mod crates;
mod errors;
mod expressions;
mod flags;
mod foreign;
mod grpcs;
mod headers;
mod hooks;
mod leading;
mod leaving;
mod loggers;
mod metrics;
mod panics;
mod per_route;
mod policies;
mod refusals;
mod replies;
mod safety;
mod services;
mod shared;
mod shuffle;
mod starting;
mod streaming;
mod tcp;
mod tls;
mod updates;
mod waiting;
mod wakes;
mod workers;
mod wrong;
