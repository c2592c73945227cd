//! What a network filter is written against: one async function over a [`Connection`], for TCP and whatever is spoken over it.
//!
//! Envoy has [network filters](https://www.envoyproxy.io/docs/envoy/v1.40.0/configuration/listeners/network_filters/wasm_filter) in the filter chain of a listener, before its
//! [TCP proxy](https://www.envoyproxy.io/docs/envoy/v1.40.0/configuration/listeners/network_filters/tcp_proxy_filter).
//!
//! # What can wait, and what cannot
//!
//! | what | is held | until |
//! |---|---|---|
//! | the connection to the upstream | from the beginning | the filter waits for data of either side, or has ended |
//! | what the client sends | while the filter runs | it has read it, and asks for more or lets it [go](Downstream::forward); or has ended |
//! | what the server sends | never: the proxy has no way to resume it | the filter can see it, change it, drop it, or close, in the moment in which it comes |
//!
//! The proxy reads nothing from the client before it has connected to the upstream. So whoever decides by the client's first bytes keeps those from the upstream, but not the connection; whoever decides by
//! the client's [address](Connection::source) keeps both.
//!
//! Nothing can be written to a client but in the place of what the server sends, or together with it: a filter that refuses a client closes the connection, and cannot tell why.
//!
//! While the connection to the upstream is held, and when the client has sent as much as the listener buffers, the proxy does not read from the client, and does not notice when it leaves.
//! What a filter then waits for should have a [timeout](crate::time::timeout), as calls have.
//!
//! # Several network filters
//!
//! The network filters of a listener share one buffer: what a filter holds is shown again to those before it. Let only the last of them hold.

mod adapter;
mod connection;
mod downstream;
mod error;
mod filter;
mod held;
mod tunnel;
mod upstream;

pub use self::connection::Connection;
pub use self::downstream::Downstream;
pub use self::error::ConnectionError;
pub use self::filter::NetworkFilter;
pub use self::upstream::Upstream;
