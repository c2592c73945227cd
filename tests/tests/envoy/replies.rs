use inproxy_tests::{Connection, Proxy, Server};
use serde_json::json;

use crate::get;

#[tokio::test]
async fn a_filter_answers_with_status_headers_and_body() {
    let upstream = Server::saying("hello").await;
    let reply = json!({ "status": 418, "headers": [["x-why", "tea"], ["set-cookie", "a=1"], ["set-cookie", "b=2"]], "body": "short and stout" });
    let address = Proxy::before(&upstream).filter("reply", reply).open().await;
    let response = Connection::exchange(address, get("/", "")).await;
    assert_eq!(response.status(), 418);
    assert_eq!(response.header("x-why").unwrap(), "tea");
    assert_eq!(response.all("set-cookie"), [b"a=1", b"b=2"]);
    assert_eq!(response.text(), "short and stout");
    assert!(upstream.seen().bytes().is_empty());
}

#[tokio::test]
async fn a_filter_answers_in_the_place_of_the_upstream() {
    let upstream = Server::saying("secret").await;
    let address = Proxy::before(&upstream).filter("reply", json!({ "status": 451, "body": "no", "after": true })).open().await;
    let response = Connection::exchange(address, get("/", "")).await;
    assert_eq!((response.status(), response.text()), (451, "no".to_owned()));
    assert_eq!(upstream.seen().requests().len(), 1);
}

#[tokio::test]
async fn another_body_keeps_the_status_and_the_headers() {
    let upstream = Server::answering(|_| {
        Some(
            b"HTTP/1.1 203 Non-Authoritative Information\r\ncontent-type: text/x\r\nx-kept: a\r\nx-kept: b\r\ncontent-length: 6\r\n\r\nsecret"
                .to_vec(),
        )
    })
    .await;
    let address = Proxy::before(&upstream).filter("reply", json!({ "status": 200, "body": "another body", "body_only": true })).open().await;
    let response = Connection::exchange(address, get("/", "")).await;
    assert_eq!((response.status(), response.text()), (203, "another body".to_owned()));
    assert_eq!(response.all("x-kept"), [b"a", b"b"]);
    assert_eq!(response.header("content-type").unwrap(), "text/x");
    assert_eq!(response.header("content-length").unwrap(), "12");
}

#[tokio::test]
async fn a_status_that_ends_no_request_is_an_error_of_the_filter() {
    let upstream = Server::saying("hello").await;
    for status in [100, 101, 199, 600, 999] {
        let address = Proxy::before(&upstream).filter("reply", json!({ "status": status })).open().await;
        assert_eq!(Connection::exchange(address, get("/", "")).await.status(), 500, "{status}");
    }
    assert!(upstream.seen().bytes().is_empty());
}

#[tokio::test]
async fn a_connection_goes_on_after_a_reply() {
    let upstream = Server::saying("hello").await;
    let address = Proxy::before(&upstream).filter("reply", json!({ "status": 403, "body": "no" })).open().await;
    let mut connection = Connection::open(address).await;
    for _ in 0..3 {
        connection.send(get("/", "")).await;
        assert_eq!(connection.response().await.status(), 403);
    }
}
