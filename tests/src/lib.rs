//! What the tests share: one Envoy for each process, the modules, and a client and servers that show every byte.

#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "test code: a panic is a failed test"
)]

mod envoy;
mod modules;
mod probe;

pub use self::envoy::{Proxy, throw_away, throw_away_showing, throw_away_with};
pub use self::modules::module;
pub use self::probe::{Conversation, Probe, TcpProbe, expect_probe, until};
pub use inproxy_test::wire::{Connection, Message, Seen, Server};
