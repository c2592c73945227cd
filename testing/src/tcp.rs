//! What a test of a network filter has: a server that speaks TCP, and a client.

pub(crate) mod wire;

use std::{cell::RefCell, fmt, rc::Rc, sync::Arc};

use crate::model::Model;

/// The server behind a proxy of TCP connections.
///
/// It answers whatever comes to it, piece by piece, and ends its direction when the client has ended its own. As on any network, pieces that are sent one right behind the other may come as one: a test waits for what comes of one
/// before it sends the next.
#[derive(Clone)]
pub struct TcpServer {
    pub(crate) greeting: Vec<u8>,
    pub(crate) answer: Answer,
    pub(crate) farewell: Vec<u8>,
    pub(crate) answers: Option<usize>,
}

type Answer = Arc<dyn Fn(&[u8]) -> Vec<u8> + Send + Sync>;

/// What the server saw of one connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TcpSeen {
    /// What came.
    pub bytes: Vec<u8>,
    /// Whether the client's end has come, or that of the connection.
    pub ended: bool,
}

/// A client's connection, step by step.
pub struct TcpExchange(pub(crate) Step);

pub(crate) enum Step {
    Model(Rc<RefCell<Model>>, usize),
    Envoy(wire::Client),
}

// === impl TcpServer ===

impl TcpServer {
    /// A server that answers with what comes.
    pub fn echo() -> Self {
        Self::answering(<[u8]>::to_vec)
    }

    /// A server that answers what comes with what `answer` makes of it, which may be nothing.
    pub fn answering(answer: impl Fn(&[u8]) -> Vec<u8> + Send + Sync + 'static) -> Self {
        Self { greeting: Vec::new(), answer: Arc::new(answer), farewell: Vec::new(), answers: None }
    }

    /// Says this when a client has connected.
    #[must_use]
    pub fn greeting(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.greeting = bytes.into();
        self
    }

    /// Says this when the client has ended its direction.
    #[must_use]
    pub fn farewell(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.farewell = bytes.into();
        self
    }

    /// Ends its direction after so many answers.
    #[must_use]
    pub fn ending_after(mut self, answers: usize) -> Self {
        self.answers = Some(answers);
        self
    }
}

impl fmt::Debug for TcpServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TcpServer").field("greeting", &self.greeting).finish_non_exhaustive()
    }
}

// === impl TcpSeen ===

impl TcpSeen {
    /// What came, as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }
}

// === impl TcpExchange ===

impl TcpExchange {
    /// Sends bytes. A connection that is closed already takes none.
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        match &mut self.0 {
            Step::Model(model, connection) => model.borrow_mut().client_sends(*connection, bytes.as_ref()),
            Step::Envoy(client) => client.send(bytes.as_ref()).await,
        }
    }

    /// Ends the client's direction; the server's goes on.
    pub async fn finish(&mut self) {
        match &mut self.0 {
            Step::Model(model, connection) => model.borrow_mut().client_finishes(*connection),
            Step::Envoy(client) => client.finish().await,
        }
    }

    /// The next so many bytes.
    ///
    /// # Panics
    ///
    /// If they never come.
    pub async fn read(&mut self, size: usize) -> Vec<u8> {
        match &mut self.0 {
            Step::Model(model, connection) => model.borrow_mut().client_reads(*connection, size),
            Step::Envoy(client) => client.read(size).await,
        }
    }

    /// As [`read`](Self::read) of as many bytes as `text` has; fails unless they are those.
    ///
    /// # Panics
    ///
    /// Then.
    pub async fn expect(&mut self, text: &str) {
        let read = self.read(text.len()).await;
        assert_eq!(String::from_utf8_lossy(&read), text);
    }

    /// All that comes until the server's direction ends, or the connection is closed.
    ///
    /// # Panics
    ///
    /// If it does not end.
    pub async fn read_to_end(&mut self) -> Vec<u8> {
        match &mut self.0 {
            Step::Model(model, connection) => model.borrow_mut().client_reads_to_end(*connection),
            Step::Envoy(client) => client.read_to_end().await,
        }
    }

    /// Whether nothing has come, and nothing comes for a little while: not even an end.
    pub async fn is_silent(&mut self) -> bool {
        match &mut self.0 {
            Step::Model(model, connection) => model.borrow_mut().client_hears_nothing(*connection),
            Step::Envoy(client) => client.is_silent().await,
        }
    }

    /// Breaks the connection off: the proxy is told so by a reset.
    pub async fn leave(self) {
        match self.0 {
            Step::Model(model, connection) => model.borrow_mut().client_leaves(connection),
            Step::Envoy(client) => client.leave().await,
        }
    }
}

impl fmt::Debug for TcpExchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TcpExchange")
    }
}
