//! What a client or an upstream takes for another message than was meant.

use inproxy_tests::{Connection, Server};

use super::{Raw, answer};
use crate::{get, post};

async fn with_response_header(value: &str) -> String {
    let raw = Raw::new(&format!("response_headers: add_header 2 x-a {value}")).await;
    raw.exchange().await.0
}

#[tokio::test]
async fn a_line_feed_in_a_value_splits_the_response() {
    let bytes = with_response_header("a\\x0d\\x0aset-cookie:\\x20stolen=1").await;
    assert!(bytes.contains("x-a: a\r\nset-cookie: stolen=1\r\n"), "{bytes}");
    let bytes = with_response_header("a\\x0aset-cookie:\\x20stolen=1").await;
    assert!(bytes.contains("x-a: a\nset-cookie: stolen=1\r\n"), "{bytes}");
    let bytes = with_response_header("a\\x00b").await;
    assert!(bytes.contains("x-a: a\0b\r\n"), "{bytes}");
}

#[tokio::test]
async fn a_line_feed_in_a_name_splits_the_response() {
    let raw = Raw::new("response_headers: add_header 2 a:b\\x0d\\x0ac v").await;
    let (bytes, _) = raw.exchange().await;
    assert!(bytes.contains("a:b\r\nc: v\r\n"), "{bytes}");
}

#[tokio::test]
async fn a_line_feed_in_a_replys_header_splits_it() {
    let raw = Raw::new("request_headers: reply 403 - no -1 x-a=a\\x0aset-cookie:\\x20b").await;
    let (bytes, _) = raw.exchange().await;
    assert!(bytes.contains("x-a: a\nset-cookie: b\r\n"), "{bytes}");
}

#[tokio::test]
async fn a_line_feed_in_a_requests_value_is_answered_with_503() {
    for value in ["a\\x0d\\x0ab", "a\\x00b"] {
        let raw = Raw::new(&format!("request_headers: add_header 0 x-a {value}")).await;
        let (bytes, _) = raw.exchange().await;
        assert!(bytes.starts_with("HTTP/1.1 503 ") && bytes.ends_with("invalid header value for: x-a"), "{bytes}");
        assert!(raw.upstream.seen().bytes().is_empty());
    }
}

#[tokio::test]
async fn a_longer_body_under_the_old_length_smuggles_a_request() {
    let raw = Raw::new("request_body: set_buffer 0 0 4 bodyGET\\s/smuggled").await;
    let mut connection = Connection::open(raw.address).await;
    for _ in 0..2 {
        connection.send(post("/", "body")).await;
        connection.response().await;
    }
    let stray = raw.upstream.seen().bytes();
    assert!(String::from_utf8_lossy(&stray).contains("\r\n\r\nbodyGET /smuggled"), "{}", stray.escape_ascii());
}

#[tokio::test]
async fn a_longer_body_under_the_old_length_splits_the_response() {
    let upstream = Server::saying("hello").await;
    let raw = Raw::before(upstream, "response_body: set_buffer 1 0 5 helloHTTP/1.1\\s200\\sOK").await;
    let mut connection = Connection::open(raw.address).await;
    connection.send(get("/", "")).await;
    let bytes = String::from_utf8(connection.bytes_until_silent_for(super::SILENCE).await.0).unwrap();
    assert!(bytes.contains("content-length: 5\r\n") && bytes.contains("\r\n\r\nhelloHTTP/1.1 200 OK"), "{bytes}");
}

#[tokio::test]
async fn a_map_that_is_set_malformed_is_wiped() {
    let raw = Raw::new("request_headers: set_map_bytes 0 \\x01\\x00\\x00\\x00").await;
    let (bytes, _) = raw.exchange().await;
    assert!(bytes.starts_with("HTTP/1.1 404 "), "{bytes}");
    assert!(raw.envoy.logs("probe: request_headers set_map_bytes 0 \\x01\\x00\\x00\\x00 -> 0").await);
}

#[tokio::test]
async fn without_pseudo_headers_there_is_no_route() {
    for (name, status) in [(":path", "404"), (":method", "503")] {
        let raw = Raw::new(&format!("request_headers: remove_header 0 {name}")).await;
        let (bytes, _) = raw.exchange().await;
        assert!(bytes.starts_with(&format!("HTTP/1.1 {status} ")), "{name}: {bytes}");
        assert!(raw.upstream.seen().bytes().is_empty());
    }
}

#[tokio::test]
async fn without_a_status_a_response_is_502() {
    let raw = Raw::before(Server::answering(|_| Some(answer("hello"))).await, "response_headers: remove_header 2 :status").await;
    let (bytes, _) = raw.exchange().await;
    assert!(bytes.starts_with("HTTP/1.1 502 ") && bytes.ends_with("missing required header: :status"), "{bytes}");
}

#[tokio::test]
async fn pseudo_headers_in_trailers_go_out_as_lines() {
    let raw = Raw::new("response_trailers: add_header 3 :path /").await;
    let (bytes, _) = raw.exchange().await;
    assert!(bytes.contains("\r\n0\r\n:path: /\r\n"), "{bytes}");
}
