//! The JSON Schema of a configuration, held against what is read: each sample is shown to both.

#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "test code"
)]
#![allow(missing_docs, unreachable_pub, dead_code, reason = "test code: the configurations are only read")]

mod enums;
mod file;
mod structs;
mod types;
