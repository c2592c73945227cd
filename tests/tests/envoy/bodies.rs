use inproxy_tests::{Connection, Proxy, Server, throw_away};
use serde_json::json;

use crate::{get, post, post_chunked};

#[tokio::test]
async fn a_request_body_is_rewritten_and_sent_chunked_when_the_headers_went_first() {
    for hold_headers in [false, true] {
        let upstream = Server::saying("hello").await;
        let address = Proxy::before(&upstream).filter("rewrite", json!({ "prefix": "more than " })).hold_headers(hold_headers).open().await;
        let mut connection = Connection::open(address).await;
        // The second request would be cut into by bytes beyond a stale length.
        for request in [post("/", "that"), post_chunked("/", &["th", "at"], "x-trailer: t\r\n"), post("/", "that")] {
            connection.send(request).await;
            assert_eq!(connection.response().await.status(), 200);
        }
        let seen = upstream.seen().requests();
        assert_eq!(seen.len(), 3);
        for request in &seen {
            assert_eq!(request.start, "POST / HTTP/1.1");
            assert_eq!(request.text(), "more than that");
            assert_eq!(request.header("transfer-encoding").as_deref(), Some("chunked"));
            assert_eq!(request.header("content-length"), None);
        }
        assert_eq!(seen[1].trailers, [("x-trailer".to_owned(), b"t".to_vec())]);
    }
}

#[tokio::test]
async fn a_request_body_is_rewritten_with_its_exact_length_when_the_headers_are_held() {
    let upstream = Server::saying("hello").await;
    let address = Proxy::before(&upstream).filter("rewrite", json!({ "held": true, "prefix": "more than " })).hold_headers(true).open().await;
    let mut connection = Connection::open(address).await;
    for request in [post("/", "that"), post_chunked("/", &["th", "at"], ""), post("/", "that")] {
        connection.send(request).await;
        assert_eq!(connection.response().await.status(), 200);
    }
    let seen = upstream.seen().requests();
    assert_eq!(seen.len(), 3);
    for request in &seen {
        assert_eq!(request.text(), "more than that");
        assert_eq!(request.header("content-length").as_deref(), Some("14"));
        assert_eq!(request.header("transfer-encoding"), None);
        assert_eq!(request.header("x-length").as_deref(), Some("4"), "a header set after the body was read");
    }
}

#[tokio::test]
async fn a_request_body_that_is_only_read_arrives_as_it_was_sent() {
    for (held, hold_headers) in [(false, false), (false, true), (true, true)] {
        let upstream = Server::saying("hello").await;
        let address = Proxy::before(&upstream).filter("rewrite", json!({ "held": held, "read_only": true })).hold_headers(hold_headers).open().await;
        let body = "0123456789".repeat(50_000);
        let mut connection = Connection::open(address).await;
        for request in [post("/", &body), get("/", "")] {
            connection.send(request).await;
            assert_eq!(connection.response().await.status(), 200);
        }
        let seen = upstream.seen().requests();
        assert!(seen[0].text() == body && seen[0].whole);
        assert_eq!(seen[0].header("content-length").as_deref(), Some("500000"));
        assert_eq!(seen[1].start, "GET / HTTP/1.1");
    }
}

#[tokio::test]
async fn a_response_body_is_rewritten() {
    for (held, hold_headers) in [(false, false), (false, true), (true, true)] {
        let upstream = Server::saying("that").await;
        let configuration = json!({ "response": true, "held": held, "prefix": "more than " });
        let address = Proxy::before(&upstream).filter("rewrite", configuration).hold_headers(hold_headers).open().await;
        let mut connection = Connection::open(address).await;
        for _ in 0..3 {
            connection.send(get("/", "")).await;
            let response = connection.response().await;
            assert_eq!((response.status(), response.text(), response.whole), (200, "more than that".to_owned(), true));
            match held {
                true => assert_eq!(response.header("content-length").as_deref(), Some("14")),
                false => assert_eq!(response.header("transfer-encoding").as_deref(), Some("chunked")),
            }
            assert_eq!(response.header("x-length").as_deref(), held.then_some("4"));
        }
    }
}

#[tokio::test]
async fn an_upstream_that_answers_before_the_request_has_ended_is_not_held_up() {
    let upstream = EarlyServer::start().await;
    let address = Proxy::before_address(upstream).filter("rewrite", json!({ "prefix": "x" })).open().await;
    let mut connection = Connection::open(address).await;
    connection.send("POST / HTTP/1.1\r\nhost: test\r\ncontent-length: 10\r\n\r\n01234").await;
    let response = connection.response().await;
    assert_eq!((response.status(), response.text()), (409, "early".to_owned()));
}

#[tokio::test]
async fn an_early_answer_is_not_disturbed_by_a_filter_that_allows() {
    let early = EarlyServer::start().await;
    for (held, hold_headers) in [(false, false), (false, true), (true, true)] {
        let envoy = throw_away().await;
        let filter = |proxy: Proxy| proxy.filter("read_allow", json!({ "held": held })).hold_headers(hold_headers);
        // The proxy's own answer.
        let upstream = Server::saying("hello").await;
        let address = filter(Proxy::before(&upstream)).with(|listener| listener.buffer_limit = 1000).open_in(&envoy).await.unwrap();
        let response = Connection::exchange(address, post("/", &"0123456789".repeat(20_000))).await;
        assert_eq!((response.status(), response.text()), (413, "Payload Too Large".to_owned()), "held {held}");
        assert!(!upstream.seen().requests().iter().any(|request| request.whole), "a refused request went on");
        // The upstream's.
        if !held {
            let address = filter(Proxy::before_address(early)).open_in(&envoy).await.unwrap();
            let mut connection = Connection::open(address).await;
            connection.send("POST / HTTP/1.1\r\nhost: test\r\ncontent-length: 10\r\n\r\n01234").await;
            assert_eq!(connection.response().await.status(), 409);
            connection.send("56789").await;
        }
        assert_eq!(Connection::exchange(filter(Proxy::before(&upstream)).open_in(&envoy).await.unwrap(), post("/", "short")).await.status(), 200);
        envoy.still_running().unwrap();
    }
}

/// A server that answers as soon as it has a head.
struct EarlyServer;

impl EarlyServer {
    async fn start() -> std::net::SocketAddr {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let mut head = Vec::new();
                    while !head.windows(4).any(|window| window == b"\r\n\r\n") {
                        head.push(stream.read_u8().await.unwrap());
                    }
                    stream.write_all(b"HTTP/1.1 409 Conflict\r\ncontent-length: 5\r\n\r\nearly").await.unwrap();
                    while stream.read(&mut [0; 1024]).await.is_ok_and(|read| read > 0) {}
                });
            }
        });
        address
    }
}
