//! The test host tells the truth: the same module and the same traffic in the model's wasm engine and in the real Envoy, which prints every call in both directions. Both must make the same calls, in
//! function, arguments, lengths, statuses and ids, and the filters must log the same of what they were given.

#![allow(clippy::disallowed_methods, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "test code")]
#![allow(missing_docs, reason = "test code")]

mod bodies;
mod broken;
mod callouts;
mod case;
mod coverage;
mod foreign;
mod grpc;
mod headers;
mod held;
mod lifecycle;
mod replies;
mod sdk;
mod sharing;
mod streams;
mod tcp;

/// All cases.
fn all() -> Vec<case::Case> {
    [
        bodies::all(),
        callouts::all(),
        foreign::all(),
        grpc::all(),
        headers::all(),
        held::all(),
        lifecycle::all(),
        replies::all(),
        sdk::all(),
        sharing::all(),
        streams::all(),
        tcp::all(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
