//! What `hello` does, on three hosts.

#![allow(missing_docs, reason = "test code")]

use hello::Hello;
use inproxy_test::{Proxy, Request, Response, json};

// ANCHOR: first
#[inproxy_test::test]
async fn every_response_has_the_header(proxy: Proxy<Hello>) {
    let proxy = proxy.configure(json!({ "name": "x-hello", "value": "from the proxy" })).start().await;
    let response = proxy.send(Request::get("/")).await;
    assert_eq!(response.status(), 200);
    assert_eq!(response.header("x-hello"), Some("from the proxy"));
}
// ANCHOR_END: first

#[inproxy_test::test]
async fn what_the_upstream_said_of_it_is_replaced(proxy: Proxy<Hello>) {
    let proxy = proxy
        .configure(json!({ "name": "x-hello", "value": "from the proxy" }))
        .upstream(|_| Response::new(404).with_header("x-hello", "from elsewhere").with_body("nothing here"))
        .start()
        .await;
    let response = proxy.send(Request::get("/")).await;
    assert_eq!((response.status(), response.text()), (404, "nothing here"));
    assert_eq!(response.headers("x-hello"), ["from the proxy"]);
}

// ANCHOR: refused
#[inproxy_test::test]
async fn a_value_that_would_split_the_response_is_refused(proxy: Proxy<Hello>) {
    let refusal = proxy.configure(json!({ "name": "x-hello", "value": "a\r\nx-admin: yes" })).refused().await;
    refusal.expect_log("value: a header value must not contain a carriage return");
}
// ANCHOR_END: refused
