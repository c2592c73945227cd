//! What a careless or a clever author might write, and what comes of it.

use std::time::Duration;

use inproxy_tests::{Connection, Proxy, Server, throw_away};
use serde_json::json;

use crate::{get, post};

async fn refusing_after(time: Duration) -> Server {
    Server::answering_after(time, |_| Some(b"HTTP/1.1 403 No\r\ncontent-length: 0\r\n\r\n".to_vec())).await
}

#[tokio::test]
async fn a_response_that_was_held_for_a_verdict_is_replaced_whole() {
    for hold_headers in [false, true] {
        let (upstream, authority) = (Server::saying("secret").await, refusing_after(Duration::from_millis(50)).await);
        let address = Proxy::before(&upstream)
            .cluster("authority", &[authority.address()])
            .filter("optimistic", json!({ "authority": "$authority" }))
            .hold_headers(hold_headers)
            .open()
            .await;
        for _ in 0..3 {
            let response = Connection::exchange(address, get("/", "")).await;
            assert_eq!((response.status(), response.text(), response.whole), (403, String::new(), true), "delivered {hold_headers}");
        }
        assert_eq!(upstream.seen().requests().len(), 3, "the request went on before the verdict: that was the filter's choice");
    }
}

#[tokio::test]
async fn a_response_that_nobody_waits_for_passes() {
    let (upstream, authority) = (Server::saying("hello").await, refusing_after(Duration::from_millis(50)).await);
    let address =
        Proxy::before(&upstream).cluster("authority", &[authority.address()]).filter("forgetful", json!({ "authority": "$authority" })).open().await;
    let response = Connection::exchange(address, get("/", "")).await;
    assert_eq!((response.status(), response.text()), (200, "hello".to_owned()));
}

#[tokio::test]
async fn a_request_is_not_let_go_by_the_handle_of_another() {
    let envoy = throw_away().await;
    let (upstream, authority) = (Server::saying("hello").await, Server::saying("fine").await);
    let address = Proxy::before(&upstream)
        .cluster("authority", &[authority.address()])
        .filter("batch", json!({ "authority": "$authority" }))
        .open_in(&envoy)
        .await
        .unwrap();
    let mut first = Connection::open(address).await;
    first.send(post("/first", "one")).await;
    assert!(first.silent_for(Duration::from_millis(20)).await);
    for _ in 0..2 {
        assert_eq!(Connection::exchange(address, post("/second", "two")).await.status(), 403);
    }
    assert!(first.silent_for(Duration::from_millis(20)).await);
    assert_eq!(upstream.seen().bytes(), b"");
    envoy.still_running().unwrap();
}

#[tokio::test]
async fn the_length_of_a_body_cannot_be_set() {
    for name in ["content-length", "transfer-encoding", "Content-Length"] {
        let upstream = Server::saying("hello").await;
        let address = Proxy::before(&upstream).filter("framing", json!({ "name": name, "raw": true })).open().await;
        assert_eq!(Connection::exchange(address, post("/", "body")).await.text(), "refused");
        assert_eq!(upstream.seen().request().text(), "body");
        let address = Proxy::before(&upstream).filter("framing", json!({ "name": name })).open().await;
        assert_eq!(Connection::exchange(address, post("/", "body")).await.status(), 500);
        assert_eq!(upstream.seen().requests().len(), 1);
    }
}

#[tokio::test]
async fn headers_that_went_on_cannot_be_had_back() {
    for hold_headers in [false, true] {
        let envoy = throw_away().await;
        let upstream = Server::saying("hello").await;
        let address = Proxy::before(&upstream).filter("too_late", json!({})).hold_headers(hold_headers).open_in(&envoy).await.unwrap();
        let response = Connection::exchange(address, get("/", "")).await;
        assert_eq!((response.status(), response.whole), (200, false), "a failure behind the headers resets the stream");
        assert!(envoy.logs("as it should be: the headers of this response went on already").await, "{}", envoy.log());
        assert!(envoy.logs("the filter failed: the end of the test").await, "{}", envoy.log());
        envoy.still_running().unwrap();
    }
}

#[tokio::test]
async fn a_refusal_that_comes_after_the_responses_headers_resets_the_stream_once() {
    let envoy = throw_away().await;
    let authority = refusing_after(Duration::from_millis(400)).await;
    // Its end never comes.
    let upstream = Server::answering(|_| Some(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nthe start".to_vec())).await;
    let address = Proxy::before(&upstream)
        .cluster("authority", &[authority.address()])
        .filter("late_refusal", json!({ "authority": "$authority" }))
        .open_in(&envoy)
        .await
        .unwrap();
    let response = Connection::exchange(address, get("/", "")).await;
    assert_eq!((response.status(), response.text(), response.whole), (200, "the start".to_owned(), false));
    tokio::time::sleep(Duration::from_millis(50)).await;
    envoy.still_running().unwrap();
    assert!(!envoy.log().contains("panicked"), "{}", envoy.log());
}
