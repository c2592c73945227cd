//! Typed callbacks, one for each phase of a stream: the proxy's own model, with full control and nothing hidden.
//!
//! A filter that wants this instead of one async function implements [`HttpHooks`] and is registered with `#[filter(hooks)]`, or [`NetworkHooks`] with `#[filter(network, hooks)]`. The async layer
//! ([`HttpFilter`](crate::HttpFilter), [`NetworkFilter`](crate::NetworkFilter)) is itself such an implementation.

pub(crate) mod above;
mod action;
mod call;
mod contexts;
mod http;
mod network;
mod phase;
mod registry;
mod root;
mod shim;
mod uncalled;

pub use self::action::Action;
pub use self::call::{CallToken, HttpCall};
pub use self::contexts::Kind;
pub use self::http::HttpHooks;
pub use self::network::{CloseType, Closed, ConnectionCallResponse, DownstreamData, NetworkHooks, NewConnection, UpstreamData};
pub use self::phase::{
    CallResponse, Direction, Finished, RequestBody, RequestHeaders, RequestTrailers, ResponseBody, ResponseHeaders, ResponseTrailers,
};
#[doc(hidden)]
pub use self::registry::{Declared, Registered, Registration, Stamp};

pub(crate) use self::contexts::Contexts;
pub(crate) use self::network::{Tapped, Way};
pub(crate) use self::registry::configure;
pub(crate) use self::root::configuring;
#[cfg(all(feature = "schema", not(target_family = "wasm")))]
pub use self::root::while_configuring;
pub(crate) use self::shim::{Holds, Plugged};
