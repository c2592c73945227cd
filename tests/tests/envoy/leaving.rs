use std::time::Duration;

use inproxy_tests::{Connection, Proxy, Server, throw_away};
use serde_json::json;

use crate::{get, post};

#[tokio::test]
async fn a_client_that_leaves_while_a_call_is_out_leaves_nothing_behind() {
    let envoy = throw_away().await;
    let upstream = Server::saying("hello").await;
    let authority = Server::answering_after(Duration::from_millis(400), |_| Some(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".to_vec())).await;
    let address = Proxy::before(&upstream)
        .cluster("authority", &[authority.address()])
        .filter("ask_first", json!({ "authority": "$authority" }))
        .open_in(&envoy)
        .await
        .unwrap();
    for asked in 1..=5 {
        let mut connection = Connection::open(address).await;
        connection.send(post("/", "body")).await;
        authority.seen().until("the authority is asked", |seen| seen.requests().len() == asked).await;
        drop(connection);
    }
    // The answers come after the streams are gone.
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert!(upstream.seen().bytes().is_empty(), "a request whose client left went on");
    assert_eq!(Connection::exchange(address, get("/", "")).await.status(), 200, "the plugin goes on");
    envoy.still_running().unwrap();
    assert!(!envoy.log().contains("panicked"), "{}", envoy.log());
}

#[tokio::test]
async fn a_client_that_leaves_in_the_middle_of_a_body_leaves_nothing_behind() {
    for (held, hold_headers) in [(false, false), (true, true)] {
        let envoy = throw_away().await;
        let upstream = Server::saying("hello").await;
        let configuration = json!({ "held": held, "prefix": "x" });
        let address = Proxy::before(&upstream).filter("rewrite", configuration).hold_headers(hold_headers).open_in(&envoy).await.unwrap();
        for _ in 0..5 {
            let mut connection = Connection::open(address).await;
            connection.send("POST / HTTP/1.1\r\nhost: test\r\ncontent-length: 100\r\n\r\nhalf").await;
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert_eq!(Connection::exchange(address, post("/", "whole")).await.status(), 200, "the plugin goes on");
        assert!(upstream.seen().requests().iter().filter(|request| request.whole).count() == 1);
        envoy.still_running().unwrap();
        assert!(!envoy.log().contains("panicked"), "{}", envoy.log());
    }
}
