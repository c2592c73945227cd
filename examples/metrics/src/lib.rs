//! What goes through the proxy, counted: Mixer's telemetry, and Istio's standard metrics.
//!
//! | folder | what is in it |
//! |---|---|
//! | `config` | what the operator writes, and what is wrong with it |
//! | `prometheus` | the rules of Mixer's Prometheus adapter: names, values, buckets. Ordinary Rust: it knows nothing of the proxy |
//! | `istio` | Istio's metrics and labels, how they are customized, and how workloads tell each other who they are, in the same way |
//! | `messages` | gRPC's messages in the bytes of a body, in the same way |
//! | `filter` | the filters: what they read of a request or a connection, and where it is counted |

mod config;
mod filter;
mod istio;
mod messages;
mod pattern;
mod prometheus;

pub use self::config::Settings;
pub use self::filter::{Metrics, TcpMetrics};
