use inproxy_envoy::Module;
use inproxy_tests::{Connection, Proxy, Server, module, throw_away};
use serde_json::json;

use crate::get;

#[tokio::test]
async fn an_access_logger_sees_a_request_that_envoy_refuses_before_any_filter() {
    let (envoy, upstream) = (throw_away().await, Server::saying("hello").await);
    let logger = Module { root_id: "tell".to_owned(), configuration: Some("{}".to_owned()), ..Module::new(module("tests/filters")) };
    let address = Proxy::before(&upstream)
        .filter("reply", json!({ "status": 418 }))
        .with(|listener| listener.access_loggers.push(logger))
        .open_in(&envoy)
        .await
        .unwrap();
    // Two lengths: neither is to be believed.
    let response = Connection::exchange(address, get("/", "content-length: 1\r\ncontent-length: 2\r\n")).await;
    assert_eq!(response.status(), 400);
    // No request was read: it has no method and no path.
    assert!(envoy.logs("wasm log tell:   -> Ok(Some(400))   Ok(Some(\"http1.codec_error\")) replied false").await, "{}", envoy.log());
    envoy.still_running().unwrap();
}
