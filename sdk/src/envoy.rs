//! What Envoy offers to modules beyond the ABI: its [foreign functions](https://github.com/proxy-wasm/spec/tree/main/abi-versions/v0.2.1#proxy_call_foreign_function), typed.
//!
//! | for | see |
//! |---|---|
//! | expressions in an operator's configuration, over what the proxy knows of a stream | [`cel`] |
//! | signatures with RSA and ECDSA, without a library in the module | [`PublicKey`], [`PrivateKey`] |
//! | having the route chosen anew | [`Request::clear_route_cache`](crate::Request::clear_route_cache) |
//! | filter state that other parts of Envoy read | [`FilterState::set_object`](crate::attributes::FilterState::set_object) |
//! | filter state of the module's own: its type, how long it lives, who may change it | [`Plugin::declare_property`](crate::Plugin::declare_property) |
//! | zlib | [`compress`], [`uncompress`] |
//! | any other | [`call`] |
//!
//! Envoy 1.40 has all of these. Another proxy, or one that was built without, answers [`ForeignError::Unknown`].

use crate::abi::{self, Status};

pub mod cel;
mod error;
mod message;
mod property;
mod signature;
mod zlib;

pub use self::error::ForeignError;
pub(crate) use self::message::Message;
pub use self::property::{Property, PropertyError, PropertyType, Span};
pub use self::signature::{Hash, PrivateKey, PublicKey, SignatureError};
pub use self::zlib::{UncompressError, compress, uncompress};

/// Calls a function of the proxy by its name, with bytes, and gives back the bytes that it answers: for what has no method here.
///
/// It acts on the stream whose turn it is. Which functions there are, and what they do with the bytes, is the proxy's affair: some crash it, or misread the stream, where this module takes care that they cannot.
///
/// # Errors
///
/// [`ForeignError`].
///
/// # Examples
///
/// ```
/// use inproxy::envoy::{self, ForeignError};
///
/// fn resolve(name: &str) -> Result<Vec<u8>, ForeignError> {
///     envoy::call("my_proxy_resolves", name.as_bytes())
/// }
/// ```
pub fn call(function: &str, argument: &[u8]) -> Result<Vec<u8>, ForeignError> {
    foreign(function, argument).map_err(|status| ForeignError::new(function, status))
}

/// Has the route of the stream whose turn it is chosen anew.
pub(crate) fn clear_route_cache() -> Result<(), ForeignError> {
    call("clear_route_cache", &[]).map(drop)
}

/// As [`call`], with the bare status.
pub(crate) fn foreign(function: &str, argument: &[u8]) -> Result<Vec<u8>, Status> {
    abi::foreign_function(function, argument)
}
