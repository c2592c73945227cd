use inproxy_tests::{Connection, Proxy, Server, throw_away};
use serde_json::json;

use crate::get;

#[tokio::test]
async fn a_filter_that_denies_answers_500_before_the_request_went_on() {
    let upstream = Server::saying("hello").await;
    let address = Proxy::before(&upstream).filter("fail_deny", json!({ "at": "Request" })).open().await;
    let response = Connection::exchange(address, get("/", "")).await;
    assert_eq!((response.status(), response.text()), (500, String::new()));
    assert!(upstream.seen().bytes().is_empty());
}

#[tokio::test]
async fn a_filter_that_denies_replaces_the_response() {
    let upstream = Server::saying("secret").await;
    let address = Proxy::before(&upstream).filter("fail_deny", json!({ "at": "Response" })).open().await;
    let response = Connection::exchange(address, get("/", "")).await;
    assert_eq!((response.status(), response.text()), (500, String::new()));
}

#[tokio::test]
async fn a_filter_that_denies_when_the_response_is_on_its_way_resets_the_stream() {
    let upstream = Server::saying("hello").await;
    let address = Proxy::before(&upstream).filter("fail_deny", json!({ "at": "ResponseBody" })).open().await;
    let response = Connection::exchange(address, get("/", "")).await;
    assert_eq!(response.status(), 200);
    assert!(!response.whole, "half an answer must not look like a whole one: {response:?}");
}

#[tokio::test]
async fn a_filter_that_allows_lets_everything_go_on_with_its_edits() {
    for place in ["Request", "Response", "ResponseBody"] {
        let upstream = Server::saying("hello").await;
        let address = Proxy::before(&upstream).filter("fail_allow", json!({ "at": place })).open().await;
        let response = Connection::exchange(address, get("/", "")).await;
        assert_eq!((response.status(), response.text(), response.whole), (200, "hello".to_owned(), true), "{place}");
        assert_eq!(upstream.seen().request().header("x-edited").unwrap(), "yes", "{place}");
    }
}

#[tokio::test]
async fn an_error_is_logged_with_its_causes() {
    let envoy = throw_away().await;
    let upstream = Server::saying("hello").await;
    let address = Proxy::before(&upstream).filter("fail_deny", json!({ "at": "Request" })).open_in(&envoy).await.unwrap();
    Connection::exchange(address, get("/", "")).await;
    assert!(envoy.logs("the filter failed: failing on purpose: invalid digit found in string").await, "{}", envoy.log());
}
