use std::{fmt, future::poll_fn, rc::Rc, task::Poll};

use super::{
    ConnectionError,
    tunnel::{Tunnel, get},
};
use crate::{Result, abi::needs, hooks::Way, http::MapChunk};

/// What the server sends. The proxy cannot hold it: it goes on to the client at once. What comes while it is [read](Self::read) can be changed before the filter waits for anything else; what comes while
/// it is not, passes unseen. A [`map`](Self::map) sees all.
///
/// # Examples
///
/// ```
/// use inproxy::prelude::*;
///
/// /// Closes the connection when the server says what its clients must not know.
/// #[filter(network)]
/// #[config]
/// struct Discreet;
///
/// impl NetworkFilter for Discreet {
///     async fn handle(&self, mut connection: Connection) -> Result<()> {
///         let (client, mut server) = connection.split();
///         client.finish()?;
///         while let Some(bytes) = server.read().await? {
///             if bytes.windows(6).any(|word| word == b"secret") {
///                 return Err(Error::msg("the server said a secret"));
///             }
///         }
///         Ok(())
///     }
/// }
/// ```
pub struct Upstream<'a> {
    tunnel: &'a Rc<Tunnel>,
}

// === impl Upstream ===

impl<'a> Upstream<'a> {
    pub(super) fn new(tunnel: &'a Rc<Tunnel>) -> Self {
        // The client's direction is held while this one is read.
        needs!("downstream_data", "upstream_data");
        Self { tunnel }
    }

    /// The next bytes that the server sends. They go on when the filter waits for anything, or has ended; unless it fails, or [closes](super::Connection::close) the connection. `None` when the server has ended its direction.
    ///
    /// What was [read](super::Downstream::read) of the client stays held meanwhile: an answer comes only if the question was [let go](super::Downstream::forward).
    ///
    /// # Errors
    ///
    /// [`ConnectionError::Gone`] when the connection is closed, [`ConnectionError::Passed`] when what comes is [mapped](Self::map).
    pub async fn read(&mut self) -> Result<Option<Vec<u8>>, ConnectionError> {
        let tunnel = &**self.tunnel;
        let server = &tunnel.server;
        poll_fn(|cx| {
            tunnel.check()?;
            if server.mapper.borrow().is_some() {
                return Poll::Ready(Err(ConnectionError::Passed));
            }
            let size = server.unread.take();
            if size > 0 {
                return Poll::Ready(Ok(Some(get(Way::Upstream, size)?)));
            }
            if server.ended.get() {
                return Poll::Ready(Ok(None));
            }
            tunnel.stream().wait(&server.reader, cx.waker());
            tunnel.connect();
            Poll::Pending
        })
        .await
    }

    /// Has other bytes go on in the place of what was read last, or nothing, if they are empty.
    ///
    /// # Errors
    ///
    /// [`ConnectionError::Passed`] if the filter has waited for anything since; [`ConnectionError::Gone`] when the connection is closed.
    pub fn replace(&mut self, bytes: impl Into<Vec<u8>>) -> Result<(), ConnectionError> {
        self.tunnel.check()?;
        if !self.tunnel.shows_server() || self.tunnel.server.unread.get() > 0 {
            return Err(ConnectionError::Passed);
        }
        self.tunnel.server.replacement.set(Some(bytes.into()));
        Ok(())
    }

    /// Changes what comes as it goes by, also when the filter has ended: each part that arrives is handed to `map`, and what that returns goes on in its place.
    ///
    /// When `map` fails, the connection is closed; with `on_error = allow` the rest passes as it is.
    ///
    /// # Errors
    ///
    /// [`ConnectionError::Gone`] when the connection is closed.
    pub fn map(self, map: impl MapChunk + 'static) -> Result<()> {
        self.tunnel.check()?;
        self.tunnel.server.mapper.replace(Some(Box::new(map)));
        Ok(())
    }
}

impl fmt::Debug for Upstream<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Upstream").field(&self.tunnel.stream()).finish()
    }
}
