//! What each callback of a network filter can see and do.

use crate::{
    abi::{self, BufferType, MapType, StreamType},
    attributes::{Attributes, There},
    body::BodyBuffer,
    error::HostError,
    fault,
    headers::{Headers, Source},
    hooks::{Action, CallToken, HttpCall, above::Sizes, call::answered},
};

/// One of the two ways through a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// From the client to the server.
    Downstream,
    /// From the server to the client.
    Upstream,
}

/// What the shim knows of a connection.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) context: u32,
    pub(crate) root: u32,
    /// The proxy was told to hold it, or what the client has sent.
    pub(crate) paused: bool,
    /// The filter has closed it.
    pub(crate) closed: bool,
}

/// Who has closed a connection, as far as the proxy says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CloseType {
    /// Nobody knows: what Envoy says of the server's end.
    Unknown,
    /// The proxy, also after both directions have ended.
    Local,
    /// The other side.
    Remote,
}

// === impl Way ===

impl Way {
    pub(crate) const fn buffer(self) -> BufferType {
        match self {
            Self::Downstream => BufferType::DownstreamData,
            Self::Upstream => BufferType::UpstreamData,
        }
    }
}

// === impl Connection ===

impl Connection {
    pub(crate) const fn new(context: u32, root: u32) -> Self {
        Self { context, root, paused: false, closed: false }
    }

    /// Closes it, once.
    pub(super) fn close(&mut self) {
        if !std::mem::replace(&mut self.closed, true)
            && let Err(status) = abi::close_stream(StreamType::Downstream)
        {
            fault::record(HostError::new("close a connection", status).into());
        }
    }

    const fn attributes<'a>(&self) -> Attributes<'a> {
        Attributes::in_own_callback(self.root, There::ANYWHERE)
    }
}

/// What all phases of an open connection can do.
macro_rules! of_a_connection {
    () => {
        /// What the proxy knows of the connection.
        pub fn attributes(&self) -> Attributes<'_> {
            self.connection.attributes()
        }

        of_a_connection!(call);
    };
    (call) => {
        /// Sends a call-out; its answer comes to [`on_call_response`](super::NetworkHooks::on_call_response).
        ///
        /// # Errors
        ///
        /// As [`RequestHeaders::call`](crate::hooks::RequestHeaders::call).
        pub fn call(&mut self, call: &HttpCall) -> Result<CallToken, HostError> {
            call.dispatch()
        }
    };
}

/// A client has connected.
#[derive(Debug)]
pub struct NewConnection<'a> {
    pub(crate) connection: &'a mut Connection,
}

impl NewConnection<'_> {
    of_a_connection!();

    /// Closes the connection; the returned action is what the callback must return.
    pub fn close(self) -> Action {
        self.connection.close();
        Action::Pause
    }
}

macro_rules! data_phase {
    ($(#[$doc:meta])* $name:ident, $way:expr) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name<'a> {
            pub(crate) connection: &'a mut Connection,
            pub(crate) size: usize,
            pub(crate) end_of_stream: bool,
        }

        impl $name<'_> {
            of_a_connection!();

            /// The bytes that the proxy holds now.
            pub fn buffer(&mut self) -> BodyBuffer<'_> {
                BodyBuffer::new($way.buffer(), self.size)
            }

            /// Whether nothing follows.
            pub fn end_of_stream(&self) -> bool {
                self.end_of_stream
            }
        }
    };
}

data_phase!(
    /// The client has sent something.
    DownstreamData, Way::Downstream
);
data_phase!(
    /// The server has sent something.
    UpstreamData, Way::Upstream
);

impl DownstreamData<'_> {
    /// Closes the connection; the returned action is what the callback must return.
    pub fn close(self) -> Action {
        self.connection.close();
        Action::Pause
    }
}

impl UpstreamData<'_> {
    /// Closes the connection: nothing of this goes on to the client.
    pub fn close(self) {
        self.connection.close();
    }
}

/// A connection, or one direction of it, is closed.
#[derive(Debug)]
pub struct Closed<'a> {
    pub(super) by: CloseType,
    pub(super) connection: &'a Connection,
}

impl Closed<'_> {
    /// By whom.
    pub fn by(&self) -> CloseType {
        self.by
    }

    /// What the proxy knows of the connection.
    pub fn attributes(&self) -> Attributes<'_> {
        self.connection.attributes()
    }
}

/// A call-out of a connection was answered, or failed.
#[derive(Debug)]
pub struct ConnectionCallResponse<'a> {
    pub(crate) connection: &'a mut Connection,
    pub(crate) token: CallToken,
    pub(crate) sizes: Sizes,
}

impl ConnectionCallResponse<'_> {
    of_a_connection!(call);

    /// What the proxy knows of the connection.
    pub fn attributes(&self) -> Attributes<'_> {
        Attributes::in_callback(There::ANYWHERE)
    }

    answered!();

    /// Lets the connection, or what the client has sent, go on. Does nothing if it is not held.
    ///
    /// # Errors
    ///
    /// [`HostError`] if the proxy refuses.
    pub fn resume(&mut self) -> Result<(), HostError> {
        if std::mem::take(&mut self.connection.paused) && !self.connection.closed {
            abi::continue_stream(StreamType::Downstream).map_err(|status| HostError::new("resume a connection", status))?;
        }
        Ok(())
    }

    /// Closes the connection.
    pub fn close(self) {
        self.connection.close();
    }
}
