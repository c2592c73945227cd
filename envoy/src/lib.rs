//! A real Envoy on this machine: found or installed, configured, started, asked, stopped.
//!
//! What `cargo inproxy run` and the tests share. It knows nothing of filters but the bytes of their modules.

#![allow(clippy::disallowed_methods, reason = "this runs on the host, not in the proxy")]

mod admin;
pub mod client;
mod config;
mod delivery;
mod install;
mod process;
mod stats;
mod tls;
pub mod upstream;

pub use self::admin::Admin;
pub use self::config::{Cluster, FailurePolicy, Listener, Module, Route, RouteMatch, Source, TcpListener};
pub use self::delivery::Delivery;
pub use self::install::{InstallError, VERSION, cache_dir, find};
pub use self::process::{Envoy, Options, StartError};
pub use self::stats::{StatName, StatsConfig};
pub use self::tls::{ClientTls, KeyPair, ServerTls};
