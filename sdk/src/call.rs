//! Call-outs: asking another service before a request goes on.
//!
//! # Examples
//!
//! ```
//! use std::time::Duration;
//!
//! use inproxy::prelude::*;
//!
//! async fn user_of(authority: &Cluster, key: &HeaderValue) -> Result<Option<HeaderValue>> {
//!     let verdict = authority.get("/check").header("x-api-key", key)?.timeout(Duration::from_millis(200)).send().await?;
//!     Ok(verdict.headers().get("x-user").filter(|_| verdict.status() == StatusCode::OK))
//! }
//! ```

mod cluster;
mod error;
mod request;
mod response;
mod retry;

pub use self::cluster::Cluster;
pub use self::error::CallError;
pub use self::request::{CallRequest, Send};
pub use self::response::CallResponse;
pub use self::retry::{Retry, RetryingCall};
