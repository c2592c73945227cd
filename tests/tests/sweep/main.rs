//! The fault sweep: every host call that a request makes, and its configuration, refused with every status in turn.
//!
//! What comes of it is `docs/faults.md`: `FAULTS=overwrite cargo test -p inproxy-tests --test sweep` writes it anew.

#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "test code"
)]
#![allow(missing_docs, unreachable_pub, reason = "test code")]

mod case;
mod cases;
mod found;
mod outcome;
mod page;
mod panics;
mod table;
