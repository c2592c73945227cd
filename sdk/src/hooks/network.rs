//! The callbacks of a network filter.

mod phase;
mod shim;

use self::phase::Connection;
pub(crate) use self::phase::Way;
pub use self::phase::{CloseType, Closed, ConnectionCallResponse, DownstreamData, NewConnection, UpstreamData};
pub(crate) use self::shim::Tapped;

use super::{Action, Finished};

/// The callbacks of a network filter, in the order in which a connection meets them. Each has a default that lets all pass.
///
/// `self` is the plugin, shared by all its connections; `connection` is the state of one. What the client sends can be held with `Action::Pause`, until
/// [`ConnectionCallResponse::resume`]; the proxy has no way to hold what the server sends.
///
/// # Pausing
///
/// What Envoy 1.40 does:
///
/// - `Pause` at [`on_new_connection`](Self::on_new_connection): the upstream is not connected to, and nothing is read from the client, so that it is not noticed either when the client leaves.
/// - `Continue` there: Envoy connects to the upstream, and shows what the client sends only once it is connected.
/// - `Pause` at [`on_downstream_data`](Self::on_downstream_data): the bytes stay, and are shown again, with those that come behind them, in the next call. When there are as many as
///   [`per_connection_buffer_limit_bytes`](https://www.envoyproxy.io/docs/envoy/v1.40.0/api-v3/config/listener/v3/listener.proto) no more are read, and nothing more is shown.
/// - The filters of a chain share the buffer: what a filter behind this one holds, this one is shown again.
///
/// # Examples
///
/// ```
/// use inproxy::{hooks::{Action, DownstreamData, NetworkHooks}, prelude::*};
///
/// /// Lets only TLS pass: the first byte is that of a handshake.
/// #[filter(network, hooks(downstream_data))]
/// #[config]
/// struct OnlyTls;
///
/// impl NetworkHooks for OnlyTls {
///     type Connection = bool;
///
///     fn on_downstream_data(&self, seen: &mut bool, mut data: DownstreamData<'_>) -> Action {
///         if std::mem::replace(seen, true) || data.buffer().read().is_ok_and(|bytes| bytes.first() == Some(&0x16)) {
///             return Action::Continue;
///         }
///         data.close()
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is registered with `#[filter(network, hooks)]` but has no callbacks",
    label = "does not implement `NetworkHooks`",
    note = "write `impl NetworkHooks for {Self} {{ type Connection = (); … }}`, or `#[filter(network)]` alone for a filter that implements `NetworkFilter`"
)]
#[allow(unused_variables, reason = "the names of the defaults' parameters are documentation")]
pub trait NetworkHooks: Sized + 'static {
    /// What a connection remembers from one callback to the next.
    type Connection: Default + 'static;

    /// A client has connected.
    fn on_new_connection(&self, connection: &mut Self::Connection, new: NewConnection<'_>) -> Action {
        Action::Continue
    }

    /// The client has sent something, or has ended its direction; all that it has sent so far, if earlier bytes were paused.
    fn on_downstream_data(&self, connection: &mut Self::Connection, data: DownstreamData<'_>) -> Action {
        Action::Continue
    }

    /// The server has sent something, or has ended its direction. It goes on to the client when this returns, as it then is.
    fn on_upstream_data(&self, connection: &mut Self::Connection, data: UpstreamData<'_>) {}

    /// The server has ended its direction. Not called if its connection breaks off: then the proxy closes the client's.
    fn on_upstream_close(&self, connection: &mut Self::Connection, closed: Closed<'_>) {}

    /// The client's connection is closed.
    fn on_downstream_close(&self, connection: &mut Self::Connection, closed: Closed<'_>) {}

    /// A call-out of this connection was answered, or failed.
    fn on_call_response(&self, connection: &mut Self::Connection, call: ConnectionCallResponse<'_>) {}

    /// The connection is over. It has no headers, but [attributes](Finished::attributes).
    fn on_log(&self, connection: &mut Self::Connection, finished: Finished<'_>) {}
}
