//! The server and the client on real sockets.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
    time::timeout,
};

use super::{TcpSeen, TcpServer};

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long it takes to be sure that nothing comes.
const SILENCE: Duration = Duration::from_millis(100);

pub(crate) struct Server {
    address: SocketAddr,
    seen: Seen,
    task: JoinHandle<()>,
}

/// What came, by connection.
type Seen = Arc<Mutex<Vec<TcpSeen>>>;

pub(crate) struct Client {
    stream: TcpStream,
    pending: Vec<u8>,
}

// === impl Server ===

impl Server {
    pub(crate) async fn start(server: TcpServer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let seen = Seen::default();
        let recorder = Arc::clone(&seen);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let number = with(&recorder, |seen| {
                    seen.push(TcpSeen::default());
                    seen.len() - 1
                });
                tokio::spawn(serve(stream, server.clone(), Arc::clone(&recorder), number));
            }
        });
        Self { address, seen, task }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn seen(&self) -> Vec<TcpSeen> {
        with(&self.seen, |seen| seen.clone())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn with<T>(seen: &Seen, act: impl FnOnce(&mut Vec<TcpSeen>) -> T) -> T {
    act(&mut seen.lock().unwrap_or_else(PoisonError::into_inner))
}

/// What cannot be written is what some tests want.
async fn serve(mut stream: TcpStream, server: TcpServer, seen: Seen, number: usize) {
    let mut buffer = vec![0; 1 << 16];
    let mut answers = 0;
    let _ = stream.write_all(&server.greeting).await;
    loop {
        let size = stream.read(&mut buffer).await.unwrap_or(0);
        with(&seen, |seen| {
            seen[number].bytes.extend(&buffer[..size]);
            seen[number].ended |= size == 0;
        });
        if size == 0 {
            let _ = stream.write_all(&server.farewell).await;
            break;
        }
        if server.answers.is_none_or(|limit| answers < limit) {
            let _ = stream.write_all(&(server.answer)(&buffer[..size])).await;
            answers += 1;
        }
        if server.answers == Some(answers) {
            let _ = stream.shutdown().await;
        }
    }
}

// === impl Client ===

impl Client {
    pub(crate) async fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.expect("the proxy listens");
        stream.set_nodelay(true).expect("a socket");
        Self { stream, pending: Vec::new() }
    }

    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        let _ = timeout(PATIENCE, self.stream.write_all(bytes)).await;
    }

    pub(crate) async fn finish(&mut self) {
        let _ = self.stream.shutdown().await;
    }

    pub(crate) async fn read(&mut self, size: usize) -> Vec<u8> {
        while self.pending.len() < size {
            let more = self.more(PATIENCE).await;
            assert!(more == Some(true), "{size} bytes were to come; what came: {:?}", String::from_utf8_lossy(&self.pending));
        }
        self.pending.drain(..size).collect()
    }

    pub(crate) async fn read_to_end(&mut self) -> Vec<u8> {
        while self.more(PATIENCE).await.expect("the end of the connection") {}
        std::mem::take(&mut self.pending)
    }

    pub(crate) async fn is_silent(&mut self) -> bool {
        self.pending.is_empty() && self.more(SILENCE).await.is_none()
    }

    pub(crate) async fn leave(self) {
        // In the place of its end, a reset is sent.
        let _ = self.stream.set_zero_linger();
        drop(self.stream);
        tokio::time::sleep(Duration::from_millis(30)).await;
    }

    /// Whether more has come, or the end; `None` if neither does in time.
    async fn more(&mut self, patience: Duration) -> Option<bool> {
        let mut buffer = vec![0; 1 << 16];
        let size = timeout(patience, self.stream.read(&mut buffer)).await.ok()?.unwrap_or(0);
        self.pending.extend(&buffer[..size]);
        Some(size > 0)
    }
}
