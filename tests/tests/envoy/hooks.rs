use inproxy_tests::{Connection, Proxy, Server, throw_away};
use serde_json::json;

use crate::get;

#[tokio::test]
async fn callbacks_hold_ask_and_resume() {
    let envoy = throw_away().await;
    let (upstream, authority) = (Server::saying("hello").await, Server::saying("fine").await);
    let address = Proxy::before(&upstream)
        .cluster("authority", &[authority.address()])
        .filter("hook_ask", json!({ "authority": "$authority" }))
        .open_in(&envoy)
        .await
        .unwrap();
    let response = Connection::exchange(address, get("/log-me", "")).await;
    assert_eq!((response.status(), response.text()), (200, "hello".to_owned()));
    assert_eq!(response.header("x-hook").unwrap(), "answered");
    assert_eq!(upstream.seen().request().header("x-hook").unwrap(), "asked");
    assert!(envoy.logs(r#"finished Some("/log-me"), verdict Some(200), replied false"#).await, "{}", envoy.log());
}

#[tokio::test]
async fn callbacks_answer() {
    let envoy = throw_away().await;
    let upstream = Server::saying("hello").await;
    let authority = Server::answering(|_| Some(b"HTTP/1.1 403 No\r\ncontent-length: 0\r\n\r\n".to_vec())).await;
    let address = Proxy::before(&upstream)
        .cluster("authority", &[authority.address()])
        .filter("hook_ask", json!({ "authority": "$authority" }))
        .open_in(&envoy)
        .await
        .unwrap();
    let response = Connection::exchange(address, get("/", "")).await;
    assert_eq!(response.status(), 403);
    assert_eq!(response.header("x-hook"), None, "the filter's own reply is not shown to it");
    assert!(envoy.logs("verdict Some(403), replied true").await, "{}", envoy.log());
    assert!(upstream.seen().bytes().is_empty());
}

#[tokio::test]
async fn a_call_that_is_refused_is_answered_at_once() {
    let upstream = Server::saying("hello").await;
    let address = Proxy::before(&upstream).filter("hook_ask", json!({ "authority": "nowhere" })).open().await;
    assert_eq!(Connection::exchange(address, get("/", "")).await.status(), 503);
}
