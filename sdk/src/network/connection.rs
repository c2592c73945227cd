use std::{fmt, rc::Rc};

use super::{Downstream, Upstream, tunnel::Tunnel};
use crate::attributes::{Attributes, Peer, There};

/// A client's connection, through the proxy to a server. While the filter that was given it runs, what the client sends is held back; see
/// [what can wait, and what cannot](crate::network#what-can-wait-and-what-cannot).
pub struct Connection {
    tunnel: Rc<Tunnel>,
}

// === impl Connection ===

impl Connection {
    pub(super) const fn new(tunnel: Rc<Tunnel>) -> Self {
        Self { tunnel }
    }

    /// What the client sends.
    pub fn downstream(&mut self) -> Downstream<'_> {
        Downstream::new(&self.tunnel)
    }

    /// What the server sends.
    pub fn upstream(&mut self) -> Upstream<'_> {
        Upstream::new(&self.tunnel)
    }

    /// Both, to read them at the same time.
    ///
    /// # Examples
    ///
    /// ```
    /// use inproxy::{future, log, prelude::*};
    ///
    /// /// Logs how much is sent each way.
    /// #[filter(network)]
    /// #[config]
    /// struct Count;
    ///
    /// impl NetworkFilter for Count {
    ///     async fn handle(&self, mut connection: Connection) -> Result<()> {
    ///         let (mut client, mut server) = connection.split();
    ///         let sent = async {
    ///             let mut size = 0;
    ///             while let Some(bytes) = client.read().await? {
    ///                 size += bytes.len();
    ///             }
    ///             Ok::<_, Error>(size)
    ///         };
    ///         let received = async {
    ///             let mut size = 0;
    ///             while let Some(bytes) = server.read().await? {
    ///                 size += bytes.len();
    ///             }
    ///             Ok::<_, Error>(size)
    ///         };
    ///         let (sent, received) = future::try_join(sent, received).await?;
    ///         log::info!("{sent} bytes there, {received} back");
    ///         Ok(())
    ///     }
    /// }
    /// ```
    pub fn split(&mut self) -> (Downstream<'_>, Upstream<'_>) {
        (Downstream::new(&self.tunnel), Upstream::new(&self.tunnel))
    }

    /// Closes it: what is held of it goes nowhere. What the server has sent before still reaches the client.
    pub fn close(self) {
        self.tunnel.close();
    }

    /// What the proxy knows of it. There is no request; what it says of the [upstream](Attributes::upstream) is there when the first data is.
    pub fn attributes(&self) -> Attributes<'_> {
        Attributes::of_stream(self.tunnel.stream(), There::ANYWHERE)
    }

    /// The client's end.
    pub fn source(&self) -> Peer<'_> {
        self.attributes().source()
    }

    /// The proxy's end.
    pub fn destination(&self) -> Peer<'_> {
        self.attributes().destination()
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Connection").field(&self.tunnel.stream()).finish()
    }
}
