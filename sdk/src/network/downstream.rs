use std::{fmt, future::poll_fn, rc::Rc, task::Poll};

use super::{ConnectionError, tunnel::Tunnel};
use crate::{Result, abi::needs, http::MapChunk};

/// What the client sends. While the filter runs, it is held: what was read goes on when the filter reads more, has it [go](Self::forward), or has ended.
///
/// # Examples
///
/// ```
/// use inproxy::prelude::*;
///
/// /// Lets no `FLUSHALL` through to Redis.
/// #[filter(network)]
/// #[config]
/// struct NoFlush;
///
/// impl NetworkFilter for NoFlush {
///     async fn handle(&self, mut connection: Connection) -> Result<()> {
///         let mut client = connection.downstream();
///         while let Some(commands) = client.read_until(1 << 20, |bytes| bytes.ends_with(b"\r\n")).await? {
///             if commands.windows(8).any(|word| word.eq_ignore_ascii_case(b"flushall")) {
///                 return Err(Error::msg("flushall is not allowed"));
///             }
///             client.forward()?;
///         }
///         Ok(())
///     }
/// }
/// ```
pub struct Downstream<'a> {
    tunnel: &'a Rc<Tunnel>,
}

// === impl Downstream ===

impl<'a> Downstream<'a> {
    pub(super) fn new(tunnel: &'a Rc<Tunnel>) -> Self {
        needs!("downstream_data");
        Self { tunnel }
    }

    /// The next bytes: all that have come since the last ones, which go on now, or together with these if the client has ended meanwhile. `None` when the client has ended its direction, an end that goes on as well.
    ///
    /// # Errors
    ///
    /// [`ConnectionError::Gone`] when the connection is closed, [`ConnectionError::Passed`] when the rest was let go.
    pub async fn read(&mut self) -> Result<Option<Vec<u8>>, ConnectionError> {
        self.next(|_| Next::Read).await
    }

    /// As [`read`](Self::read), when there are at least so many bytes, which are held meanwhile.
    ///
    /// # Errors
    ///
    /// [`ConnectionError::Ended`] if the client ends before; what it has sent stays held. [`ConnectionError::Gone`] when the connection is closed.
    pub async fn read_at_least(&mut self, size: usize) -> Result<Vec<u8>, ConnectionError> {
        let bytes = self.next(|bytes| if bytes.len() >= size { Next::Read } else { Next::Wait }).await?;
        bytes.ok_or(ConnectionError::Ended { size: 0 })
    }

    /// As [`read`](Self::read), when `done` says that there is enough: it is shown all that has come since the last ones, which is held meanwhile. `None` when the client has ended, and nothing has come.
    ///
    /// # Errors
    ///
    /// [`ConnectionError::TooLong`] when there are `limit` bytes, and it does not say so; [`ConnectionError::Ended`] if the client ends before, in the midst of it; what it has sent stays held.
    /// [`ConnectionError::Gone`] when the connection is closed.
    pub async fn read_until(&mut self, limit: usize, mut done: impl FnMut(&[u8]) -> bool) -> Result<Option<Vec<u8>>, ConnectionError> {
        self.next(|bytes| {
            if done(bytes) {
                Next::Read
            } else if bytes.len() >= limit {
                Next::Refuse(ConnectionError::TooLong { limit })
            } else {
                Next::Wait
            }
        })
        .await
    }

    async fn next(&mut self, mut decide: impl FnMut(&[u8]) -> Next) -> Result<Option<Vec<u8>>, ConnectionError> {
        let tunnel = &**self.tunnel;
        let client = &tunnel.client;
        tunnel.check()?;
        tunnel.forward()?;
        // How many bytes there were when it was last decided.
        let mut before = 0;
        poll_fn(|cx| {
            tunnel.check()?;
            let mut held = client.held.borrow_mut();
            if held.unread() > before {
                let bytes = held.read()?;
                match decide(&bytes) {
                    Next::Read => return Poll::Ready(Ok(Some(bytes))),
                    Next::Refuse(error) => {
                        held.unread_piece()?;
                        return Poll::Ready(Err(error));
                    }
                    Next::Wait => {
                        before = bytes.len();
                        held.unread_piece()?;
                    }
                }
            }
            if client.passed.get() && !client.ended.get() {
                return Poll::Ready(Err(ConnectionError::Passed));
            }
            if client.ended.get() {
                return Poll::Ready(if before > 0 { Err(ConnectionError::Ended { size: before }) } else { Ok(None) });
            }
            drop(held);
            tunnel.stream().wait(&client.reader, cx.waker());
            tunnel.connect();
            Poll::Pending
        })
        .await
        .inspect(|bytes| {
            // Nothing of the client is left to be read: its end goes on.
            if bytes.is_none() {
                self.end();
            }
        })
    }

    fn end(&self) {
        if let Err(error) = self.tunnel.pass() {
            self.tunnel.finish(Err(error));
        }
    }

    /// Has what was read go on at once: before something is waited for that is not the client, such as the server's answer.
    ///
    /// # Errors
    ///
    /// [`ConnectionError::Gone`] when the connection is closed, [`ConnectionError::Host`] if the proxy refuses.
    pub fn forward(&mut self) -> Result<(), ConnectionError> {
        self.tunnel.check()?;
        Ok(self.tunnel.forward()?)
    }

    /// Has other bytes go on in the place of what was read last, or nothing, if they are empty.
    ///
    /// # Errors
    ///
    /// [`ConnectionError::Passed`] if that has gone on, or nothing was read; [`ConnectionError::Gone`] when the connection is closed.
    pub fn replace(&mut self, bytes: impl Into<Vec<u8>>) -> Result<(), ConnectionError> {
        self.tunnel.check()?;
        let mut held = self.tunnel.client.held.borrow_mut();
        if !held.has_piece() {
            return Err(ConnectionError::Passed);
        }
        held.replace(bytes.into());
        Ok(())
    }

    /// Has the rest pass as it is, while the filter goes on with other things.
    ///
    /// # Errors
    ///
    /// [`ConnectionError::Gone`] when the connection is closed, [`ConnectionError::Host`] if the proxy refuses.
    pub fn finish(self) -> Result<()> {
        self.tunnel.check()?;
        self.tunnel.pass()?;
        self.tunnel.connect();
        Ok(())
    }

    /// Changes what was not read as it goes by, also when the filter has ended: each part that arrives is handed to `map`, and what that returns goes on in its place.
    ///
    /// When `map` fails, the connection is closed; with `on_error = allow` the rest passes as it is.
    ///
    /// # Errors
    ///
    /// As [`finish`](Self::finish), and whatever `map` returns for what has come already.
    ///
    /// # Examples
    ///
    /// ```
    /// use inproxy::prelude::*;
    ///
    /// #[filter(network)]
    /// #[config]
    /// struct Shout;
    ///
    /// impl NetworkFilter for Shout {
    ///     async fn handle(&self, mut connection: Connection) -> Result<()> {
    ///         let (client, server) = connection.split();
    ///         client.map(|bytes: Vec<u8>| bytes.to_ascii_uppercase())?;
    ///         server.map(|bytes: Vec<u8>| bytes.to_ascii_lowercase())?;
    ///         Ok(())
    ///     }
    /// }
    /// ```
    pub fn map(self, map: impl MapChunk + 'static) -> Result<()> {
        self.tunnel.check()?;
        self.tunnel.client.mapper.replace(Some(Box::new(map)));
        self.finish()
    }
}

impl fmt::Debug for Downstream<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Downstream").field(&self.tunnel.stream()).finish()
    }
}

/// What becomes of what has come.
enum Next {
    Read,
    Wait,
    Refuse(ConnectionError),
}
