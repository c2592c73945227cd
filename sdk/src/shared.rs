//! Data that all workers share.
//!
//! Each worker of a proxy has a VM of its own, and what a filter keeps in memory is that of one worker. What is kept here is seen by all VMs with the same
//! [`vm_id`](https://www.envoyproxy.io/docs/envoy/v1.40.0/api-v3/extensions/wasm/v3/wasm.proto#extensions-wasm-v3-vmconfig), whichever filter and module runs in them: begin keys with the filter's name. It lives as
//! long as the proxy's process, through updates of configuration and module.
//!
//! | for | see |
//! |---|---|
//! | one value | [`Shared`] |
//! | a number that all add to | [`SharedCounter`] |
//! | a value for each client, user or path | [`Slots`] |
//! | what only one of them does | [`Lease`] |
//!
//! Nothing can be deleted: the proxy has no call for it. So the number of keys must be bounded by the filter, which is what [`Slots`] is for.
//!
//! Two workers may change a value at the same time. Reading it and setting it then loses one of the changes; [`Shared::update`] does not: it writes only if nobody else did meanwhile, and else tries
//! again with the new value.
//!
//! # Examples
//!
//! ```
//! use inproxy::{prelude::*, shared::SharedCounter};
//!
//! #[filter]
//! struct Numbered {
//!     requests: SharedCounter,
//! }
//!
//! # #[config]
//! # struct Nothing;
//! impl Configure for Numbered {
//! #   type Config = Nothing;
//!     // …
//! #   fn configure(_: Nothing, _: &mut Plugin) -> Result<Self> {
//! #       Ok(Self { requests: SharedCounter::new("numbered/requests") })
//! #   }
//! }
//!
//! impl HttpFilter for Numbered {
//!     async fn handle(&self, mut request: Request, next: Next) -> Result<Response> {
//!         let nth = self.requests.increment()?;
//!         request.headers_mut().insert("x-number", nth.to_string())?;
//!         Ok(next.run(request).await)
//!     }
//! }
//! ```

mod counter;
mod entries;
mod error;
mod key;
mod lease;
mod slots;
mod stored;
mod value;

#[cfg(test)]
mod tests;

pub use self::counter::SharedCounter;
pub use self::error::SharedError;
pub use self::lease::Lease;
pub use self::slots::Slots;
pub use self::stored::{Json, Stored, StoredError};
pub use self::value::Shared;

/// How often a change is tried before it fails as [`SharedError::Contended`], unless `with_attempts` says otherwise.
///
/// Each failure means that another worker's change went through in the microsecond or two between a read and a write, so this many in a row do not happen unless the closure takes
/// long, or a key is changed by tens of workers without pause.
pub const ATTEMPTS: u32 = 64;
