//! The table: which filters, with which configurations and requests.

mod asking;
mod auth;
mod bodies;
mod envoy;
mod limits;
mod metrics;
mod plain;
mod sharing;
mod tcp;

use crate::case::Case;

/// All of them, in the page's order.
pub fn all() -> Vec<Case> {
    let sdk = [plain::cases(), bodies::cases(), asking::cases(), sharing::cases(), envoy::cases(), tcp::cases()];
    sdk.into_iter().chain([auth::cases(), limits::cases(), metrics::cases()]).flatten().collect()
}
