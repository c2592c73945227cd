//! A stream that is resumed where it must not be, or not at all.

use inproxy_tests::{Connection, Server};

use super::{Raw, SIGSEGV, answer, asked, responses};
use crate::{get, post};

#[tokio::test]
async fn a_response_resumed_at_the_requests_headers_kills_envoy() {
    Raw::new("request_headers: continue_stream 1").await.dies_of(SIGSEGV, "Caught Segmentation fault").await;
}

#[tokio::test]
async fn a_response_resumed_before_it_is_there_kills_envoy() {
    for script in ["request_body: continue_stream 1", "request_trailers: continue_stream 1", &asked("request_headers", 1, &["continue_stream 1"])] {
        Raw::new(script).await.dies_of(SIGSEGV, "Caught Segmentation fault").await;
    }
}

#[tokio::test]
async fn a_response_resumed_at_trailers_that_go_on_kills_envoy() {
    Raw::new("response_trailers: continue_stream 1").await.dies_of(SIGSEGV, "Caught Segmentation fault").await;
}

#[tokio::test]
async fn a_request_resumed_in_its_callback_is_sent_twice() {
    let raw = Raw::new("request_headers: continue_stream 0").await;
    assert_eq!(responses(&raw.exchange().await.0), 1);
    assert_eq!(raw.upstream.seen().requests().len(), 2, "one was sent by the client");
    raw.survives();
}

#[tokio::test]
async fn a_request_resumed_in_its_callback_that_pauses_loses_its_body() {
    let raw = Raw::new("request_headers: continue_stream 0\nrequest_headers: return 1").await;
    assert_eq!(raw.exchange().await.0, "");
    let seen = String::from_utf8(raw.upstream.seen().bytes()).unwrap();
    assert!(seen.starts_with("POST / HTTP/1.1\r\n") && !seen.contains("body\r\n"), "{seen}");
    raw.survives();
}

#[tokio::test]
async fn a_request_resumed_that_was_not_paused_is_sent_twice() {
    let raw = Raw::new("response_headers: continue_stream 0").await;
    raw.exchange().await;
    assert_eq!(raw.upstream.seen().requests().len(), 2, "one was sent by the client");
    raw.survives();
}

#[tokio::test]
async fn a_response_resumed_in_its_callback_comes_twice() {
    let raw = Raw::new("response_headers: continue_stream 1").await;
    let (bytes, _) = raw.exchange().await;
    assert_eq!(responses(&bytes), 2, "{bytes}");
    raw.survives();
}

#[tokio::test]
async fn a_response_resumed_in_its_callback_that_pauses_loses_its_body() {
    let raw = Raw::new("response_headers: continue_stream 1\nresponse_headers: return 1").await;
    let (bytes, ended) = raw.exchange().await;
    assert!(responses(&bytes) == 1 && !bytes.contains("hello") && !ended, "{bytes}");
    raw.survives();
}

#[tokio::test]
async fn a_reset_behind_a_resumed_response_kills_envoy() {
    let upstream = Server::answering(|_| Some(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".to_vec())).await;
    Raw::before(upstream, &asked("response_headers", 1, &["continue_stream 1", "close_stream 1"])).await.dies().await;
}

#[tokio::test]
async fn a_reply_behind_a_resumed_response_kills_envoy() {
    let upstream = Server::answering(|_| Some(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".to_vec())).await;
    let raw = Raw::before(upstream, &asked("response_headers", 1, &["continue_stream 1", "reply 403 - no -1"])).await;
    raw.dies().await;
}

#[tokio::test]
async fn a_request_that_is_resumed_twice_by_calls_goes_on_once() {
    let script = asked("request_body", 1, &["continue_stream 0", "continue_stream 0"]);
    let raw = Raw::new(&script).await;
    assert_eq!(responses(&raw.exchange().await.0), 1);
    assert_eq!(raw.upstream.seen().requests().len(), 1);
    raw.survives();
}

#[tokio::test]
async fn a_request_that_is_never_resumed_is_ended_by_request_timeout_alone() {
    let raw = Raw::new("request_headers: return 1").await;
    let mut connection = Connection::open(raw.address).await;
    connection.send(get("/", "")).await;
    assert!(connection.silent_for(super::SILENCE).await);
    let response = connection.response().await;
    assert_eq!((response.status(), response.text()), (504, "request timeout".to_owned()));
    assert!(raw.upstream.seen().bytes().is_empty());
}

#[tokio::test]
async fn a_resume_that_names_no_stream_does_nothing() {
    let script = asked("request_headers", 1, &["continue_stream 0"]).replace("http_call_response: set_context $stream\n", "");
    let raw = Raw::new(&script).await;
    assert_eq!(raw.exchange().await.0, "");
    assert!(raw.envoy.logs("probe: http_call_response continue_stream 0 -> 0").await, "{}", raw.envoy.log());
    assert!(raw.upstream.seen().bytes().is_empty());
}

#[tokio::test]
async fn a_stream_is_resumed_by_the_callback_of_another() {
    // The first stream waits; the context of the second one is one higher.
    let script = "request_headers: set_context 2\nrequest_headers: continue_stream 0\nrequest_headers: return 1";
    let raw = Raw::before(Server::answering(|_| Some(answer("hello"))).await, script).await;
    let mut first = Connection::open(raw.address).await;
    first.send("POST /first HTTP/1.1\r\nhost: test\r\ncontent-length: 4\r\n\r\nbo").await;
    assert!(first.silent_for(super::SILENCE / 3).await);
    let mut second = Connection::open(raw.address).await;
    second.send(post("/second", "body")).await;
    raw.upstream.seen().until("the first request goes on", |seen| String::from_utf8_lossy(&seen.bytes()).contains("/first")).await;
    raw.survives();
}

#[tokio::test]
async fn a_body_callback_that_continues_lets_held_headers_go() {
    let upstream = Server::answering(|_| Some(answer("hello"))).await;
    let envoy = inproxy_tests::throw_away().await;
    let proxy = inproxy_tests::Proxy::before(&upstream).probe("request_headers: return 1\nrequest_body: return 0").hold_headers(true);
    let address = proxy.open_in(&envoy).await.unwrap();
    assert_eq!(Connection::exchange(address, post("/", "body")).await.status(), 200);
    assert_eq!(upstream.seen().request().text(), "body", "nobody has resumed it");
}
