//! Where `proxy-wasm`'s traits of a TCP stream are implemented, as [`shim`](super::super::shim) does for HTTP.

use std::{
    rc::Rc,
    time::{Duration, SystemTime},
};

use proxy_wasm::{
    traits::{Context, StreamContext},
    types::{Action as ProxyAction, Bytes, PeerType, Status},
};

use super::{CloseType, Closed, Connection, ConnectionCallResponse, DownstreamData, NetworkHooks, NewConnection, UpstreamData};
use crate::{
    abi, fault,
    hooks::{
        Action, CallToken, Finished,
        above::{self, GrpcEvent, Sizes},
        contexts::Contexts,
        uncalled,
    },
};

/// A network filter as a plugin.
pub(crate) struct Tapped<H>(pub(crate) H);

/// A connection at a filter.
struct NetworkShim<H: NetworkHooks> {
    plugin: Rc<Tapped<H>>,
    state: H::Connection,
    connection: Connection,
}

// === impl Tapped ===

impl<H: NetworkHooks> Contexts for Tapped<H> {
    fn connection(self: Rc<Self>, context: u32, root: u32) -> Box<dyn StreamContext> {
        Box::new(NetworkShim { plugin: self, state: H::Connection::default(), connection: Connection::new(context, root) })
    }

    /// Unless it was put where HTTP filters go: what has a protocol is a request.
    fn over_connections(&self) -> bool {
        abi::property(b"request\0protocol").is_err()
    }
}

// === impl NetworkShim ===

impl<H: NetworkHooks> NetworkShim<H> {
    /// A callback; what it returns, unless the filter has closed the connection.
    fn called(&mut self, call: impl FnOnce(&H, &mut H::Connection, &mut Connection) -> Action) -> Action {
        abi::callback(Action::Pause, || {
            let Self { plugin, state, connection } = self;
            if connection.closed {
                return Action::Pause;
            }
            let mut action = call(&plugin.0, state, connection);
            fail(connection);
            if connection.closed {
                action = Action::Pause;
            }
            above::after(connection.context);
            action
        })
    }

    /// As [`called`](Self::called), where what the client sends can be held.
    fn holding(&mut self, call: impl FnOnce(&H, &mut H::Connection, &mut Connection) -> Action) -> ProxyAction {
        let action = self.called(call);
        self.connection.paused = action == Action::Pause;
        action.for_dispatcher()
    }

    fn grpc(&mut self, token: u32, event: GrpcEvent) {
        abi::callback((), || {
            above::grpc(token, event, None);
            fail(&mut self.connection);
            above::after(self.connection.context);
        });
    }

    fn closed(&mut self, peer: PeerType, call: impl FnOnce(&H, &mut H::Connection, Closed<'_>)) {
        let by = match peer {
            PeerType::Local => CloseType::Local,
            PeerType::Remote => CloseType::Remote,
            _ => CloseType::Unknown,
        };
        abi::callback((), || {
            let Self { plugin, state, connection } = self;
            call(&plugin.0, state, Closed { by, connection });
            fail(connection);
            above::after(connection.context);
        });
    }
}

impl<H: NetworkHooks> Drop for NetworkShim<H> {
    fn drop(&mut self) {
        abi::callback((), || {
            drop(std::mem::take(&mut self.state));
            // Of edits that it tried though it was over.
            drop(fault::take());
            above::after(self.connection.context);
        });
    }
}

/// The proxy refused something that could not say so: the connection is closed.
fn fail(connection: &mut Connection) {
    let Some(error) = fault::take() else { return };
    log::error!("the filter failed: {error:#}");
    connection.close();
    // Of closing it: there is nobody left to tell.
    if let Some(error) = fault::take() {
        log::error!("{error:#}");
    }
}

impl<H: NetworkHooks> Context for NetworkShim<H> {
    uncalled::context!();
    above::grpc_callbacks!();

    fn on_http_call_response(&mut self, token: u32, headers: usize, body: usize, trailers: usize) {
        abi::callback((), || {
            let Self { plugin, state, connection } = self;
            plugin
                .0
                .on_call_response(state, ConnectionCallResponse { connection, token: CallToken(token), sizes: Sizes { headers, body, trailers } });
            fail(connection);
            above::after(connection.context);
        });
    }
}

impl<H: NetworkHooks> StreamContext for NetworkShim<H> {
    uncalled::connection!();

    fn on_new_connection(&mut self) -> ProxyAction {
        self.holding(|hooks, state, connection| hooks.on_new_connection(state, NewConnection { connection }))
    }

    fn on_downstream_data(&mut self, size: usize, end_of_stream: bool) -> ProxyAction {
        self.holding(|hooks, state, connection| hooks.on_downstream_data(state, DownstreamData { connection, size, end_of_stream }))
    }

    fn on_upstream_data(&mut self, size: usize, end_of_stream: bool) -> ProxyAction {
        self.called(|hooks, state, connection| {
            hooks.on_upstream_data(state, UpstreamData { connection, size, end_of_stream });
            Action::Continue
        })
        .for_dispatcher()
    }

    fn on_downstream_close(&mut self, peer: PeerType) {
        self.closed(peer, |hooks, state, closed| hooks.on_downstream_close(state, closed));
    }

    fn on_upstream_close(&mut self, peer: PeerType) {
        self.closed(peer, |hooks, state, closed| hooks.on_upstream_close(state, closed));
    }

    fn on_log(&mut self) {
        abi::callback((), || {
            let Self { plugin, state, connection } = self;
            plugin.0.on_log(state, Finished::unfiltered(connection.root));
            // Nothing can be closed any more.
            if let Some(error) = fault::take() {
                log::error!("the filter failed: {error:#}");
            }
            above::after(connection.context);
        });
    }
}
