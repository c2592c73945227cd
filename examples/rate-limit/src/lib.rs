//! How much may pass: Mixer's quotas, and what is expected of a limiter today.
//!
//! A **limit** says which requests count, by what they are told apart (its **dimensions**), and how much is granted to each of these. All limits that match a request are asked, in their order; the first that refuses is the answer.
//!
//! | folder | what is in it |
//! |---|---|
//! | `config` | what the operator writes, and what is wrong with it |
//! | `quota` | Mixer's quotas: windows, overrides, best effort, deduplication. Ordinary Rust: it knows nothing of the proxy |
//! | `bucket` | a token bucket, in the same way |
//! | `global` | what is asked of a service that counts for many proxies, and what it says, in the same way |
//! | `filter` | the filter: what it reads of a request, where the counts are, whom it asks, what it answers |

mod bucket;
mod config;
mod decision;
mod filter;
mod global;
mod quota;

pub use self::config::Settings;
pub use self::filter::RateLimit;
