//! The filters that the tests run: one module with all of them, chosen by root id.

pub mod adversarial;
pub mod attributes;
pub mod bodies;
pub mod cached;
pub mod calls;
pub mod cancelling;
pub mod codec;
pub mod cookbook;
pub mod errors;
pub mod grpcs;
pub mod headers;
pub mod hooks;
pub mod leading;
pub mod loggers;
pub mod measure;
pub mod metrics;
pub mod services;
pub mod shared;
pub mod shuffle;
pub mod starting;
pub mod streaming;
pub mod traps;
pub mod waiting;
pub mod wakes;
pub mod workers;
pub mod wrong;
