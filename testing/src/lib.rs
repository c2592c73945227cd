//! One test for a filter, three hosts: the filter as ordinary Rust code in the test's process, its module in a wasm engine, and its module in the real Envoy.
//!
//! ```
//! # mod tests {
//! # use inproxy::prelude::*;
//! # #[filter] #[config] #[derive(Debug)] struct Hello { name: HeaderName, value: HeaderValue }
//! # impl HttpFilter for Hello {
//! #     async fn handle(&self, request: inproxy::Request, next: Next) -> Result<inproxy::Response> {
//! #         let mut response = next.run(request).await;
//! #         response.headers_mut().insert(&self.name, &self.value);
//! #         Ok(response)
//! #     }
//! # }
//! # mod hello {
//! # use super::Hello;
//! use inproxy_test::{Proxy, Request, json};
//!
//! #[inproxy_test::test]
//! async fn every_response_has_the_header(proxy: Proxy<Hello>) {
//!     let proxy = proxy.configure(json!({ "name": "x-hello", "value": "hi" })).start().await;
//!     let response = proxy.send(Request::get("/")).await;
//!     assert_eq!((response.status(), response.header("x-hello")), (200, Some("hi")));
//! }
//! # }
//! # }
//! ```
//!
//! makes the tests `every_response_has_the_header::native`, `…::wasm` and `…::envoy`. `INPROXY_HOSTS=native,wasm` runs only those two: the others then say that they were left out.
//!
//! Native and wasm share one model of Envoy ([`model`] says how far it goes); its clock is virtual, so that nothing is waited for.

#![allow(clippy::disallowed_methods, clippy::disallowed_macros, reason = "this runs on the host, not in the proxy")]
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "for tests: a panic is how a test fails, and says what is wrong"
)]

mod allocations;
mod compare;
mod envoy;
mod grpc;
mod message;
pub mod model;
mod prometheus;
mod proxy;
mod run;
mod running;
#[cfg(feature = "schema")]
mod schema;
mod tcp;
mod tls;
pub mod trace;
mod vm;
pub mod wire;

pub use inproxy_envoy::{FailurePolicy, RouteMatch};
pub use inproxy_test_macros::test;
pub use serde_json::{Value, json};

pub use self::allocations::CountingAllocator;
pub use self::grpc::{GrpcCall, GrpcReply};
pub use self::message::{Request, Response};
pub use self::prometheus::Series;
pub use self::proxy::Proxy;
pub use self::run::HostKind;
pub use self::running::{Access, Costs, Exchange, LogLevel, LogLine, Refusal, Running, Service};
#[cfg(feature = "schema")]
pub use self::schema::{Schema, schema};
pub use self::tcp::{TcpExchange, TcpSeen, TcpServer};
pub use self::tls::{Certificate, Client, Tls};
pub use self::vm::built as built_module;

/// What `#[inproxy_test::test]` writes into a test. Not for use by hand.
#[doc(hidden)]
pub mod __private {
    pub use crate::model::Broken;
    pub use crate::run::run;
}
