//! The async layer as an implementation of [`NetworkHooks`].

use std::rc::Rc;

use super::{
    Connection, NetworkFilter,
    tunnel::{Tunnel, close},
};
use crate::{
    Configure,
    abi::needs,
    hooks::{
        Action, Closed, ConnectionCallResponse, DownstreamData, Finished, NetworkHooks, NewConnection, Registration, Stamp, Tapped, UpstreamData,
        configure,
    },
    http::OnError,
    runtime::{StreamId, calls},
};

struct Async<F> {
    filter: Rc<F>,
    on_error: OnError,
}

/// A connection that runs a future; closed when the proxy forgets it, whatever it called before.
#[derive(Default)]
struct AsyncConnection(Option<Rc<Tunnel>>);

// === impl Registration ===

impl Registration {
    /// A filter that implements [`NetworkFilter`]; `stamp` as for [`hooks`](Self::hooks), `ALLOW` as `on_error = allow` of `#[filter]`.
    pub const fn network<F: NetworkFilter + Configure, const ALLOW: bool>(stamp: Stamp) -> Self {
        Self::new(stamp, |json, mut plugin| {
            needs!("new_connection", "downstream_connection_close");
            let on_error = if ALLOW { OnError::Allow } else { OnError::Deny };
            Ok(Rc::new(Tapped(Async { filter: Rc::new(configure::<F>(json, &mut plugin)?), on_error })))
        })
    }
}

// === impl Async ===

impl<F: NetworkFilter> NetworkHooks for Async<F> {
    type Connection = AsyncConnection;

    fn on_new_connection(&self, connection: &mut AsyncConnection, new: NewConnection<'_>) -> Action {
        let fail = |id, error| {
            log::error!("the filter failed, and its connection is closed: {error:#}");
            close(id);
        };
        let id = StreamId::open(new.connection.context, new.connection.root, fail, false);
        let tunnel = Rc::new(Tunnel::new(id, self.on_error));
        connection.0 = Some(Rc::clone(&tunnel));
        let (filter, own) = (Rc::clone(&self.filter), Rc::clone(&tunnel));
        id.spawn(Box::pin(async move {
            let result = filter.handle(Connection::new(Rc::clone(&own))).await;
            own.finish(result);
        }));
        tunnel.leave_new()
    }

    fn on_downstream_data(&self, connection: &mut AsyncConnection, data: DownstreamData<'_>) -> Action {
        connection.0.as_ref().map_or(Action::Continue, |tunnel| tunnel.client_sent(data.size, data.end_of_stream))
    }

    fn on_upstream_data(&self, connection: &mut AsyncConnection, data: UpstreamData<'_>) {
        if let Some(tunnel) = &connection.0 {
            data.connection.closed |= tunnel.server_sent(data.size, data.end_of_stream);
        }
    }

    fn on_downstream_close(&self, connection: &mut AsyncConnection, _: Closed<'_>) {
        connection.close();
    }

    fn on_call_response(&self, _: &mut AsyncConnection, call: ConnectionCallResponse<'_>) {
        calls::answered(call.token, call.sizes);
    }

    fn on_log(&self, connection: &mut AsyncConnection, _: Finished<'_>) {
        connection.close();
    }
}

// === impl AsyncConnection ===

impl AsyncConnection {
    fn close(&mut self) {
        if let Some(tunnel) = self.0.take() {
            tunnel.stream().close();
        }
    }
}

impl Drop for AsyncConnection {
    fn drop(&mut self) {
        self.close();
    }
}
