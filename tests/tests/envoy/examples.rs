use inproxy_tests::{Connection, Message, Proxy, Server, module};
use serde_json::json;

use crate::{get, ok};

#[tokio::test]
async fn hello_adds_its_header() {
    let upstream = Server::saying("hello").await;
    let configuration = json!({ "name": "x-hello", "value": "from the proxy" }).to_string();
    let address = Proxy::before(&upstream).filter_of(module("examples/hello"), "", &configuration).open().await;
    let response = Connection::exchange(address, get("/", "")).await;
    assert_eq!((response.status(), response.header("x-hello").as_deref()), (200, Some("from the proxy")));
}

async fn auth(upstream: &Server, authority: &Server, headers: &str) -> Message {
    let configuration = json!({
        "realm": "test",
        "consumers": [{ "name": "alice", "key": "alice-key" }],
        "authority": { "cluster": "$authority", "path": "/whose-key", "timeout_ms": 100 },
    });
    let address = Proxy::before(upstream)
        .cluster("authority", &[authority.address()])
        .filter_of(module("examples/auth"), "", &configuration.to_string())
        .open()
        .await;
    Connection::exchange(address, get("/", headers)).await
}

#[tokio::test]
async fn auth_tells_missing_unknown_and_undecided_keys_apart() {
    let upstream = Server::saying("hello").await;
    let authority = Server::answering(|request| match request.header("x-api-key").as_deref() {
        Some("bob-key") => Some(b"HTTP/1.1 200 OK\r\nx-consumer: bob\r\ncontent-length: 0\r\n\r\n".to_vec()),
        Some("nameless") => Some(ok("")),
        Some("broken") => Some(b"HTTP/1.1 500 X\r\ncontent-length: 0\r\n\r\n".to_vec()),
        Some("slow") => None,
        _ => Some(b"HTTP/1.1 404 X\r\ncontent-length: 0\r\n\r\n".to_vec()),
    })
    .await;
    for (headers, status) in [
        ("", 401),
        ("x-consumer: alice\r\n", 401),
        ("x-api-key: stolen\r\n", 403),
        ("x-api-key: \r\n", 403),
        ("x-api-key: broken\r\n", 503),
        ("x-api-key: slow\r\n", 503),
        ("x-api-key: nameless\r\n", 503),
    ] {
        let response = auth(&upstream, &authority, headers).await;
        assert_eq!(response.status(), status, "{headers:?}");
        assert_eq!(response.header("www-authenticate").as_deref(), (status == 401).then_some("ApiKey realm=\"test\""));
    }
    assert!(upstream.seen().bytes().is_empty(), "nothing of a refused request");
}

#[tokio::test]
async fn auth_tells_the_upstream_whose_key_it_was_and_keeps_the_key() {
    let authority = Server::answering(|_| Some(b"HTTP/1.1 200 OK\r\nx-consumer: bob\r\ncontent-length: 0\r\n\r\n".to_vec())).await;
    for (key, consumer) in [("alice-key", "alice"), ("bob-key", "bob")] {
        let upstream = Server::saying("hello").await;
        let response = auth(&upstream, &authority, &format!("x-api-key: {key}\r\nx-consumer: root\r\nx-consumer: admin\r\n")).await;
        assert_eq!((response.status(), response.text()), (200, "hello".to_owned()));
        let seen = upstream.seen().request();
        assert_eq!(seen.all("x-consumer"), [consumer.as_bytes()], "what the client claimed is gone");
        assert_eq!(seen.header("x-api-key"), None);
    }
    assert_eq!(authority.seen().requests().len(), 1, "only about the key that is not in the configuration");
}
