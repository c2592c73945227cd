//! The table: which filters, with which configurations and requests.

mod asking;
mod bodies;
mod envoy;
mod plain;
mod sharing;
mod tcp;

use crate::case::Case;

/// All of them, in the page's order.
pub fn all() -> Vec<Case> {
    [plain::cases(), bodies::cases(), asking::cases(), sharing::cases(), envoy::cases(), tcp::cases()].into_iter().flatten().collect()
}
