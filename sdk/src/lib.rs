#![doc = include_str!("lib.md")]

pub mod abi;
pub mod access_log;
pub mod attributes;
pub mod body;
pub mod cache;
pub mod call;
pub mod codec;
pub mod config;
pub mod env;
pub mod envoy;
mod error;
mod fault;
pub mod future;
pub mod grpc;
pub mod headers;
pub mod hooks;
pub mod http;
pub mod log;
pub mod metrics;
pub mod network;
pub mod prelude;
pub mod queue;
pub mod random;
mod reply;
mod runtime;
pub mod service;
pub mod shared;
pub mod task;
pub mod time;

pub use ::http::{Method, StatusCode};
pub use inproxy_macros::{access_logger, config, filter, service};

pub use self::access_log::AccessLogger;
pub use self::config::{Config, Configure, Plugin};
pub use self::error::{Error, HostError, Result};
pub use self::http::{ConfigureAsync, HttpFilter, Next, OnError, Request, Response};
pub use self::network::{Connection, NetworkFilter};
pub use self::reply::LocalReply;
pub use self::service::Service;

/// What `#[filter]` and `#[config]` write into a user's crate. Not for use by hand.
#[doc(hidden)]
pub mod __private {
    #[cfg(all(feature = "schema", not(target_family = "wasm")))]
    pub use crate::hooks::while_configuring;
    pub use crate::{
        config::Config,
        hooks::{Declared, Kind, Registered, Registration, Stamp},
    };
    pub use inventory;
    #[cfg(all(feature = "schema", not(target_family = "wasm")))]
    pub use schemars;
    pub use serde;
}
