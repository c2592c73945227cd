use std::net::SocketAddr;

use inproxy_tests::{Connection, Message, Proxy, Server};
use serde_json::json;

use crate::get;

/// A port where nobody listens.
fn nobody() -> SocketAddr {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

async fn asked(upstream: &Server, endpoints: &[SocketAddr], configuration: serde_json::Value) -> Message {
    let address = Proxy::before(upstream).cluster("authority", endpoints).filter("ask_first", configuration).open().await;
    Connection::exchange(address, get("/", "x-ask: one\r\nx-ask: two\r\n")).await
}

#[tokio::test]
async fn an_authority_that_is_down_is_no_yes() {
    let upstream = Server::saying("hello").await;
    let response = asked(&upstream, &[nobody()], json!({ "authority": "$authority" })).await;
    assert_eq!(response.status(), 525, "{}", response.text());
    assert!(upstream.seen().bytes().is_empty());
}
