//! What guest calls do to the real Envoy that the SDK must make impossible, each in an Envoy of its own: the rows of `docs/safety.md`.
//!
//! The calls are made by the probe, which is on the bare ABI. How each is impossible with the SDK is tested in `behaviour/safety.rs`, or a case of `messages/phases`.

mod calls;
mod ends;
mod modules;
mod replies;
mod resumes;
mod wire;

use std::{net::SocketAddr, time::Duration};

use inproxy_envoy::{Envoy, Listener};
use inproxy_tests::{Connection, Proxy, Server, throw_away};

use crate::post_chunked;

/// The signals of the system.
const SIGTRAP: i32 = 5;
const SIGABRT: i32 = 6;
const SIGSEGV: i32 = 11;

/// How long an Envoy may take to die.
const DEATH: Duration = Duration::from_secs(5);

/// Longer than anything that comes at all takes to come.
const SILENCE: Duration = Duration::from_millis(150);

/// Ends a stream before a test's patience does.
const TIMEOUT: Duration = Duration::from_millis(400);

/// An Envoy with the probe in front of an upstream.
struct Raw {
    envoy: Envoy,
    upstream: Server,
    /// What the probe calls as `@side`.
    side: Server,
    address: SocketAddr,
}

// === impl Raw ===

impl Raw {
    /// With an upstream that answers with body and trailers.
    async fn new(script: &str) -> Self {
        Self::before(Server::answering(|_| Some(answer("hello"))).await, script).await
    }

    async fn before(upstream: Server, script: &str) -> Self {
        Self::with(upstream, script, |_| {}).await
    }

    async fn with(upstream: Server, script: &str, change: impl FnOnce(&mut Listener)) -> Self {
        let (envoy, side) = (throw_away().await, Server::saying("fine").await);
        let proxy = Proxy::before(&upstream).cluster("side", &[side.address()]).cluster("gone", &[]).probe(script);
        let proxy = proxy.with(|listener| {
            listener.request_timeout = TIMEOUT;
            change(listener);
        });
        let address = proxy.open_in(&envoy).await.unwrap_or_else(|error| panic!("{error}\n{}", envoy.log()));
        Self { envoy, upstream, side, address }
    }

    /// Sends a request with body and trailers; what comes back until nothing comes any more, and whether that is the connection's end.
    async fn exchange(&self) -> (String, bool) {
        let mut connection = Connection::open(self.address).await;
        connection.send(post_chunked("/", &["body"], "x-t: 1\r\n")).await;
        let (bytes, ended) = connection.bytes_until_silent_for(SILENCE).await;
        (String::from_utf8_lossy(&bytes).into_owned(), ended)
    }

    /// Fails unless the process dies of this signal when a request comes.
    async fn dies_of(self, signal: i32, log: &str) {
        let mut connection = Connection::open(self.address).await;
        connection.send(post_chunked("/", &["body"], "x-t: 1\r\n")).await;
        assert_eq!(self.envoy.died_of(DEATH).await, Some(signal), "{}", self.envoy.log());
        assert!(self.envoy.log().contains(log), "{log} is not in\n{}", self.envoy.log());
    }

    /// Fails unless the process dies when a request comes, of whatever freed memory leads to.
    async fn dies(self) {
        self.exchange().await;
        let signal = self.envoy.died_of(DEATH).await;
        assert!(matches!(signal, Some(SIGABRT | SIGSEGV)), "{signal:?}\n{}", self.envoy.log());
    }

    fn survives(&self) {
        self.envoy.still_running().unwrap();
    }
}

/// A response in chunks, with a trailer.
fn answer(body: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n0\r\nx-t: 1\r\n\r\n", body.len()).into_bytes()
}

/// A script that asks `@side` in a callback, returns this, and has the answer act on the stream.
fn asked(at: &str, returns: u32, calls: &[&str]) -> String {
    let calls: String = calls.iter().map(|call| format!("http_call_response: {call}\n")).collect();
    format!("{at}: http_call @side 1000 - :method=GET :path=/ :authority=a\n{at}: return {returns}\nhttp_call_response: set_context $stream\n{calls}")
}

/// How many responses begin in what a client got.
fn responses(bytes: &str) -> usize {
    bytes.matches("HTTP/1.1 ").count()
}
