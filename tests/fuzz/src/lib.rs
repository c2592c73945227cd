//! What decodes bytes of the proxy or a peer, as functions that a fuzzer calls: any input must come back without a panic, and hold what the function asserts.
//!
//! `fuzz/` makes a libFuzzer binary of each; `tests/short.rs` runs each for some seconds, with what a small mutator of its own makes of the corpus, so that stable Rust and no further tool are enough.

#![allow(clippy::disallowed_methods, clippy::disallowed_macros, reason = "this runs on the host, not in the proxy")]
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is a finding")]

mod attributes;
mod codecs;
mod config;
mod connections;
mod jwt;
mod labels;
mod pairs;
pub mod proxy;
pub mod run;
mod script;
mod shared;
mod streams;
mod vm;

/// A target: its name, which is that of its binary and of the folder of its corpus, and its body.
pub type Target = (&'static str, fn(&[u8]));

/// All targets.
pub const TARGETS: [Target; 10] = [
    ("attributes", attributes::fuzz),
    ("codecs", codecs::fuzz),
    ("config", config::fuzz),
    ("connections", connections::fuzz),
    ("jwt", jwt::fuzz),
    ("labels", labels::fuzz),
    ("pairs", pairs::fuzz),
    ("proxy", proxy::fuzz),
    ("shared", shared::fuzz),
    ("streams", streams::fuzz),
];

/// The body of a target.
///
/// # Panics
///
/// If there is none of this name.
pub fn target(name: &str) -> fn(&[u8]) {
    TARGETS.iter().find(|(other, _)| *other == name).unwrap_or_else(|| panic!("there is no target {name}")).1
}
