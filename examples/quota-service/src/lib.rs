//! Mixer's `redisquota` as a service: quotas that many proxies share, counted in Redis by one script per request.
//!
//! It speaks [`envoy.service.ratelimit.v3.RateLimitService`](https://www.envoyproxy.io/docs/envoy/v1.40.0/api-v3/service/ratelimit/v3/rls.proto), so that Envoy's own filter could ask it as well as `rate-limit` does: the domain is the quota's name,
//! the entries of a descriptor are its dimensions, and `hits_addend` is how much is wanted.

#![allow(clippy::disallowed_methods, clippy::disallowed_macros, reason = "this runs on the host, not in the proxy")]

mod algorithm;
mod config;
pub mod proto;
mod quotas;
mod server;

pub use self::algorithm::{Ask, Grant};
pub use self::config::{Config, ConfigError};
pub use self::quotas::{Dimensions, QuotaError, Quotas};
pub use self::server::RateLimitServer;
