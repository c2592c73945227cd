//! What the model of Envoy answers where no SDK stands between: a probe on the bare ABI asks the model and the real Envoy the same, and both must say what is written here.

#![allow(clippy::disallowed_methods, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "test code")]
#![allow(missing_docs, reason = "test code")]

mod attributes;
mod crashes;
mod foreign;
mod grpc;
mod istio;
mod joined;
mod metrics;
mod phases;
mod routes;
mod sharing;
mod signatures;
mod tcp;
mod tls;
