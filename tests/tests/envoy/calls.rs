use std::net::SocketAddr;

use inproxy_tests::{Connection, Message, Proxy, Server};
use serde_json::json;

use crate::{get, ok};

/// A port where nobody listens.
fn nobody() -> SocketAddr {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

async fn asked(upstream: &Server, endpoints: &[SocketAddr], configuration: serde_json::Value) -> Message {
    let address = Proxy::before(upstream).cluster("authority", endpoints).filter("ask_first", configuration).open().await;
    Connection::exchange(address, get("/", "x-ask: one\r\nx-ask: two\r\n")).await
}

#[tokio::test]
async fn a_request_goes_on_when_the_answer_says_so() {
    let (upstream, authority) = (Server::saying("hello").await, Server::saying("fine").await);
    let response = asked(&upstream, &[authority.address()], json!({ "authority": "$authority" })).await;
    assert_eq!((response.status(), response.text()), (200, "hello".to_owned()));
    let call = authority.seen().request();
    assert_eq!(call.start, "GET /ask HTTP/1.1");
    assert_eq!(call.all("x-ask"), [b"one", b"two"]);
}

#[tokio::test]
async fn a_header_that_is_not_utf8_is_sent_on() {
    let (upstream, authority) = (Server::saying("hello").await, Server::saying("fine").await);
    let address =
        Proxy::before(&upstream).cluster("authority", &[authority.address()]).filter("ask_first", json!({ "authority": "$authority" })).open().await;
    let response = Connection::exchange(address, b"GET / HTTP/1.1\r\nhost: test\r\nx-ask: caf\xe9\r\n\r\n").await;
    assert_eq!(response.status(), 200);
    assert_eq!(authority.seen().request().all("x-ask"), [b"caf\xe9"]);
}

#[tokio::test]
async fn an_answer_is_passed_on_with_its_body() {
    let upstream = Server::saying("hello").await;
    let authority = Server::answering(|_| Some(b"HTTP/1.1 401 No\r\ncontent-length: 6\r\n\r\nnot me".to_vec())).await;
    let response = asked(&upstream, &[authority.address()], json!({ "authority": "$authority" })).await;
    assert_eq!((response.status(), response.text()), (403, "not me".to_owned()));
    assert!(upstream.seen().bytes().is_empty());
}

#[tokio::test]
async fn a_cluster_without_endpoints_is_refused_at_once() {
    let upstream = Server::saying("hello").await;
    let response = asked(&upstream, &[], json!({ "authority": "$authority" })).await;
    assert_eq!(response.status(), 522, "{}", response.text());
    assert!(upstream.seen().bytes().is_empty());
}

#[tokio::test]
async fn an_unknown_cluster_is_named() {
    let upstream = Server::saying("hello").await;
    let response = asked(&upstream, &[], json!({ "authority": "nowhere" })).await;
    assert_eq!((response.status(), response.text()), (521, "the proxy has no cluster \"nowhere\"".to_owned()));
}

#[tokio::test]
async fn an_authority_that_does_not_answer_times_out() {
    let (upstream, authority) = (Server::saying("hello").await, Server::answering(|_| None).await);
    let response = asked(&upstream, &[authority.address()], json!({ "authority": "$authority", "timeout_ms": 50 })).await;
    assert_eq!(response.status(), 524, "{}", response.text());
    assert!(upstream.seen().bytes().is_empty());
}

#[tokio::test]
async fn an_authority_that_itself_answers_504_has_answered() {
    let upstream = Server::saying("hello").await;
    let authority = Server::answering(|_| Some(b"HTTP/1.1 504 X\r\ncontent-length: 4\r\n\r\nlate".to_vec())).await;
    let response = asked(&upstream, &[authority.address()], json!({ "authority": "$authority" })).await;
    assert_eq!((response.status(), response.text()), (403, "late".to_owned()));
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_none() {
    let upstream = Server::saying("hello").await;
    let authority = Server::answering(|_| Some(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\nconnection: close\r\n\r\nhalf".to_vec())).await;
    let response = asked(&upstream, &[authority.address()], json!({ "authority": "$authority" })).await;
    assert_eq!(response.status(), 523, "{}", response.text());
    assert!(upstream.seen().bytes().is_empty());
}

#[tokio::test]
async fn an_authority_that_is_down_is_no_yes() {
    let upstream = Server::saying("hello").await;
    let response = asked(&upstream, &[nobody()], json!({ "authority": "$authority" })).await;
    assert_eq!(response.status(), 403, "Envoy answers 503 in its place: {}", response.text());
    assert!(upstream.seen().bytes().is_empty());
}

#[tokio::test]
async fn calls_follow_each_other_before_the_request_and_before_the_response() {
    let upstream = Server::saying("hello").await;
    let authority = Server::answering(|request| Some(ok(&format!("{}-{}", request.start.split(' ').nth(1).unwrap(), request.text())))).await;
    let address =
        Proxy::before(&upstream).cluster("authority", &[authority.address()]).filter("ask_often", json!({ "authority": "$authority" })).open().await;
    let mut connection = Connection::open(address).await;
    for _ in 0..3 {
        connection.send(get("/", "")).await;
        let response = connection.response().await;
        assert_eq!((response.status(), response.text()), (200, "hello".to_owned()));
        assert_eq!(response.header("x-third").unwrap(), "/3-");
    }
    for request in upstream.seen().requests() {
        assert_eq!(request.header("x-first").unwrap(), "/1-");
        assert_eq!(request.header("x-second").unwrap(), "/2-/1-");
    }
}
