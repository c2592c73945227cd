//! HTTP/1.1 as it is on the wire: a client and a server that send what a test writes, and show what came, byte by byte. For tests of a proxy itself; a filter's tests use
//! [`Running`](crate::Running).

use std::{
    collections::BTreeMap,
    fmt,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
    time::timeout,
};

use crate::tls::{self, Client, Tls};

/// How long a test waits for bytes that must come.
const PATIENCE: Duration = Duration::from_secs(10);

/// A message as it came: its head, and its body with the framing taken off.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Message {
    /// The first line.
    pub start: String,
    /// Header lines, name in lower case, in their order.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The body.
    pub body: Vec<u8>,
    /// Trailer lines.
    pub trailers: Vec<(String, Vec<u8>)>,
    /// Whether the message ended as its framing says.
    pub whole: bool,
}

/// A client's connection.
#[derive(Debug)]
pub struct Connection {
    stream: Stream,
    pending: Vec<u8>,
}

/// What goes to and fro over it, with TLS or without.
type Stream = Box<dyn Duplex>;

trait Duplex: AsyncRead + AsyncWrite + Send + Unpin + fmt::Debug {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin + fmt::Debug> Duplex for T {}

/// A server on a free loopback port, whose answers are bytes; it records every byte that it gets.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    seen: Seen,
    task: JoinHandle<()>,
}

/// What a server saw.
#[derive(Clone, Debug, Default)]
pub struct Seen(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    bytes: Vec<u8>,
    /// Of each connection, the bytes behind its last whole request, if it had one.
    rest: BTreeMap<usize, Vec<u8>>,
    requests: Vec<Message>,
    connections: usize,
    closed: usize,
}

// === impl Message ===

impl Message {
    /// The status of a response.
    pub fn status(&self) -> u16 {
        self.start.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0)
    }

    /// The values of a header.
    pub fn all(&self, name: &str) -> Vec<&[u8]> {
        self.headers.iter().filter(|(other, _)| other == name).map(|(_, value)| &**value).collect()
    }

    /// The only value of a header, as text.
    pub fn header(&self, name: &str) -> Option<String> {
        match self.all(name)[..] {
            [] => None,
            [one] => Some(String::from_utf8_lossy(one).into_owned()),
            ref several => panic!("{name} has {} values: {self:?}", several.len()),
        }
    }

    /// The body, as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// As text, one line for each header.
impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.start)?;
        for (name, value) in &self.headers {
            writeln!(f, "  {name}: {}", value.escape_ascii())?;
        }
        let start = self.body.get(..200).unwrap_or(&self.body);
        writeln!(f, "  {} bytes: {}", self.body.len(), start.escape_ascii())?;
        for (name, value) in &self.trailers {
            writeln!(f, "  {name}: {}", value.escape_ascii())?;
        }
        f.write_str(if self.whole { "  (whole)" } else { "  (broken off)" })
    }
}

// === impl Connection ===

impl Connection {
    /// Connects.
    pub async fn open(address: SocketAddr) -> Self {
        Self { stream: Box::new(TcpStream::connect(address).await.expect("the proxy listens")), pending: Vec::new() }
    }

    /// Connects over TLS; `None` if the handshake fails. A client whose certificate is refused may not learn of it before it reads.
    pub async fn open_from(address: SocketAddr, client: &Client) -> Option<Self> {
        let stream = TcpStream::connect(address).await.expect("the proxy listens");
        Some(Self { stream: Box::new(tls::connect(stream, client).await.ok()?), pending: Vec::new() })
    }

    /// Sends bytes as they are. An early answer may have closed the connection: what then cannot be sent is not.
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        let _ = self.stream.write_all(bytes.as_ref()).await;
    }

    /// Reads one response.
    pub async fn response(&mut self) -> Message {
        let Self { stream, pending } = self;
        timeout(PATIENCE, read(stream, pending, true, |_| {})).await.expect("no response in time").expect("no response, but the end").0
    }

    /// Reads one response; `None` if the connection ends without one.
    pub async fn response_or_end(&mut self) -> Option<Message> {
        let Self { stream, pending } = self;
        Some(timeout(PATIENCE, read(stream, pending, true, |_| {})).await.expect("no response in time, and no end")?.0)
    }

    /// What has come behind the last response.
    pub fn rest(&self) -> &[u8] {
        &self.pending
    }

    /// Whether no byte comes for this long.
    pub async fn silent_for(&mut self, time: Duration) -> bool {
        if !self.pending.is_empty() {
            return false;
        }
        let mut byte = [0];
        match timeout(time, self.stream.read(&mut byte)).await {
            Err(_) => true,
            Ok(read) => {
                self.pending.extend(&byte[..read.unwrap_or(0)]);
                false
            }
        }
    }

    /// The bytes that come, whatever they are, until the connection ends or is silent for this long; and whether it has ended.
    pub async fn bytes_until_silent_for(&mut self, time: Duration) -> (Vec<u8>, bool) {
        let mut bytes = std::mem::take(&mut self.pending);
        let mut chunk = [0; 16 * 1024];
        loop {
            match timeout(time, self.stream.read(&mut chunk)).await {
                Err(_) => return (bytes, false),
                Ok(Ok(read)) if read > 0 => bytes.extend(&chunk[..read]),
                Ok(_) => return (bytes, true),
            }
        }
    }

    /// Sends a request and reads its response, on a connection of its own.
    pub async fn exchange(address: SocketAddr, request: impl AsRef<[u8]>) -> Message {
        let mut connection = Self::open(address).await;
        connection.send(request).await;
        connection.response().await
    }
}

// === impl Server ===

impl Server {
    /// Answers each request with the bytes that `answer` makes of it; without an answer it waits for ever, with an empty one it closes the connection.
    pub async fn answering(answer: impl Fn(&Message) -> Option<Vec<u8>> + Send + Sync + 'static) -> Self {
        Self::answering_after(Duration::ZERO, answer).await
    }

    /// As [`answering`](Self::answering), but only after some time.
    pub async fn answering_after(delay: Duration, answer: impl Fn(&Message) -> Option<Vec<u8>> + Send + Sync + 'static) -> Self {
        Self::answering_in_parts(move |request| vec![(delay, answer(request))]).await
    }

    /// As [`answering`](Self::answering), in parts, each after its own time.
    pub async fn answering_in_parts(answer: impl Fn(&Message) -> Vec<(Duration, Option<Vec<u8>>)> + Send + Sync + 'static) -> Self {
        Self::over(None, answer).await
    }

    /// As [`answering_in_parts`](Self::answering_in_parts), over TLS if it is given.
    pub async fn over(tls: Option<Tls>, answer: impl Fn(&Message) -> Vec<(Duration, Option<Vec<u8>>)> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let seen = Seen::default();
        let (answer, recorder) = (Arc::new(answer), seen.clone());
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (tls, answer, recorder) = (tls.clone(), Arc::clone(&answer), recorder.clone());
                tokio::spawn(async move {
                    let stream: Stream = match tls {
                        None => Box::new(stream),
                        // Whoever is refused is told by TLS.
                        Some(tls) => match tls::accept(stream, &tls).await {
                            Ok(stream) => Box::new(stream),
                            Err(_) => return,
                        },
                    };
                    serve(stream, answer, recorder).await;
                });
            }
        });
        Self { address, seen, task }
    }

    /// Answers each request with the same text.
    pub async fn saying(text: &'static str) -> Self {
        Self::answering(move |_| Some(format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{text}", text.len()).into_bytes())).await
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it saw so far.
    pub fn seen(&self) -> &Seen {
        &self.seen
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(mut stream: Stream, answer: Arc<impl Fn(&Message) -> Vec<(Duration, Option<Vec<u8>>)>>, seen: Seen) {
    let mut pending = Vec::new();
    let connection = seen.with(|state| {
        state.connections += 1;
        state.connections
    });
    let record = |bytes: &[u8]| {
        seen.with(|state| {
            state.bytes.extend(bytes);
            if let Some(rest) = state.rest.get_mut(&connection) {
                rest.extend(bytes);
            }
        });
    };
    'requests: while let Some((request, _)) = read(&mut stream, &mut pending, false, record).await {
        seen.with(|state| {
            state.rest.insert(connection, pending.clone());
            state.requests.push(request.clone());
        });
        for (delay, part) in answer(&request) {
            tokio::time::sleep(delay).await;
            let Some(bytes) = part else {
                // Reads until the peer is gone.
                while stream.read(&mut [0; 1024]).await.is_ok_and(|read| read > 0) {}
                break 'requests;
            };
            if bytes.is_empty() || stream.write_all(&bytes).await.is_err() || find(&bytes, b"connection: close").is_some() {
                break 'requests;
            }
        }
    }
    seen.with(|state| state.closed += 1);
}

// === impl Seen ===

impl Seen {
    fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }

    /// The requests that ended, or broke off.
    pub fn requests(&self) -> Vec<Message> {
        self.with(|state| state.requests.clone())
    }

    /// The only request.
    pub fn request(&self) -> Message {
        match &self.requests()[..] {
            [one] => one.clone(),
            several => panic!("expected one request, saw {several:#?}"),
        }
    }

    /// Every byte that came, on all connections.
    pub fn bytes(&self) -> Vec<u8> {
        self.with(|state| state.bytes.clone())
    }

    /// Bytes behind the requests that are not the beginning of another: what is left of a body whose head told too small a length.
    pub fn stray(&self) -> Option<Vec<u8>> {
        const METHODS: [&[u8]; 7] = [b"GET ", b"POST ", b"PUT ", b"HEAD ", b"DELETE ", b"PATCH ", b"OPTIONS "];
        self.with(|state| {
            let begins = |rest: &[u8]| METHODS.iter().any(|method| rest.starts_with(method) || method.starts_with(rest));
            state.rest.values().find(|rest| !rest.is_empty() && !begins(rest)).cloned()
        })
    }

    /// How many connections ended.
    pub fn closed(&self) -> usize {
        self.with(|state| state.closed)
    }

    /// Waits until `holds`; fails if it never does.
    pub async fn until(&self, what: &str, holds: impl Fn(&Self) -> bool) {
        for _ in 0..PATIENCE.as_millis() / 5 {
            if holds(self) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("{what}: never; saw {:?}", self.with(|state| String::from_utf8_lossy(&state.bytes).into_owned()));
    }
}

/// Reads one message, and how many bytes it took; `None` at the end of the connection before its first byte. `to_end` is whether a message without a length goes on to the end of the connection.
async fn read(stream: &mut Stream, pending: &mut Vec<u8>, to_end: bool, mut record: impl FnMut(&[u8])) -> Option<(Message, usize)> {
    let mut ended = false;
    loop {
        if let Some((message, used)) = parse(pending, to_end, ended) {
            pending.drain(..used);
            return Some((message, used));
        }
        if ended {
            return None;
        }
        let mut chunk = [0; 16 * 1024];
        let read = stream.read(&mut chunk).await.unwrap_or(0);
        record(&chunk[..read]);
        pending.extend(&chunk[..read]);
        ended = read == 0;
    }
}

/// A message and its length in bytes; `None` if more must come.
fn parse(bytes: &[u8], to_end: bool, ended: bool) -> Option<(Message, usize)> {
    let head = find(bytes, b"\r\n\r\n")? + 4;
    let mut lines = lines(&bytes[..head - 4]);
    let start = String::from_utf8_lossy(lines.next()?).into_owned();
    let mut message = Message { start, headers: lines.map(field).collect(), whole: true, ..Message::default() };
    let no_body = matches!(message.status(), 204 | 304);
    if message.all("transfer-encoding").contains(&&b"chunked"[..]) {
        let mut at = head;
        loop {
            let line = find(&bytes[at..], b"\r\n");
            let Some(line) = line else { return broken(message, bytes, ended) };
            let size = usize::from_str_radix(std::str::from_utf8(&bytes[at..at + line]).ok()?, 16).expect("a chunk's size");
            at += line + 2;
            if size == 0 {
                let Some(end) = find(&bytes[at - 2..], b"\r\n\r\n") else { return broken(message, bytes, ended) };
                if end > 0 {
                    message.trailers = self::lines(&bytes[at..at - 2 + end]).map(field).collect();
                }
                return Some((message, at - 2 + end + 4));
            }
            if bytes.len() < at + size + 2 {
                message.body.extend(&bytes[at..bytes.len().min(at + size)]);
                return broken(message, bytes, ended);
            }
            message.body.extend(&bytes[at..at + size]);
            at += size + 2;
        }
    }
    let length = message.header("content-length").map(|length| length.parse::<usize>().expect("a length"));
    let length = match length {
        Some(length) => length,
        None if to_end && !no_body => {
            message.body = bytes[head..].to_vec();
            return ended.then_some((message, bytes.len()));
        }
        None => 0,
    };
    message.body = bytes[head..bytes.len().min(head + length)].to_vec();
    if bytes.len() < head + length {
        return broken(message, bytes, ended);
    }
    Some((message, head + length))
}

/// What came of a message that the connection's end cut short.
fn broken(mut message: Message, bytes: &[u8], ended: bool) -> Option<(Message, usize)> {
    message.whole = false;
    ended.then_some((message, bytes.len()))
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line))
}

fn field(line: &[u8]) -> (String, Vec<u8>) {
    let colon = find(line, b":").unwrap_or(line.len());
    let value = line.get(colon + 1..).unwrap_or_default();
    (String::from_utf8_lossy(&line[..colon]).to_lowercase(), value.trim_ascii().to_vec())
}
