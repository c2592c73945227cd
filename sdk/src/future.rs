//! Waiting for several things: for all of them, or for the first.
//!
//! These are those of [`futures-util`](https://docs.rs/futures-util). What waits runs within one request or task, one part at a time. A part that is dropped, because another was first, is cancelled: the answer
//! of a call-out that nobody waits for is ignored, a timer is taken away.
//!
//! # Examples
//!
//! ```
//! use inproxy::{future, prelude::*};
//!
//! async fn both(users: &Cluster, limits: &Cluster, key: &HeaderValue) -> Result<bool> {
//!     let user = users.get("/user").header("x-key", key)?.send();
//!     let limit = limits.get("/limit").header("x-key", key)?.send();
//!     let (user, limit) = future::try_join(user, limit).await?;
//!     Ok(user.status() == StatusCode::OK && limit.status() == StatusCode::OK)
//! }
//! ```

pub use futures_util::future::{Either, join, join_all, join3, join4, select, select_all, select_ok, try_join, try_join_all, try_join3, try_join4};
