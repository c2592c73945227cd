//! What the sweep has found.

use filters::{headers::EditHeaders, starting::Together, tcp::Ask};
use inproxy::abi::Status;
use inproxy_test::{Proxy, Request, Response, json};

#[inproxy_test::test(only(native, wasm), because = "the real Envoy does not refuse calls on demand")]
async fn a_tick_that_is_refused_is_set_again_when_a_callback_ends(proxy: Proxy<Together>) {
    let proxy = proxy.configure(json!({ "service": "service" })).cluster("service", |_| Response::new(200).with_body("an answer"));
    let proxy = proxy.refuse_nth("proxy_set_tick_period_milliseconds", 1, Status::INTERNAL_FAILURE).start().await;
    let waiting = proxy.open(&Request::get("/")).await;
    proxy.expect_log("the tick of the plugin could not be set: the proxy answered internal failure (10)").await;
    proxy.send(Request::get("/")).await.expect_header("x-answer", "an answer");
    waiting.response().await.expect_header("x-answer", "an answer");
}

#[inproxy_test::test(only(native, wasm), because = "the real Envoy does not refuse calls on demand")]
async fn a_connection_that_cannot_go_on_is_closed(proxy: Proxy<Ask>) {
    let proxy = proxy.configure(json!({ "service": "service" })).cluster("service", |_| Response::new(200));
    let proxy = proxy.refuse_nth("proxy_continue_stream", 1, Status::INTERNAL_FAILURE).start().await;
    let mut client = proxy.connect().await;
    client.send("hello").await;
    assert_eq!(client.read_to_end().await, b"");
    proxy.expect_log("a connection cannot go on, and is closed: the proxy answered internal failure (10)").await;
    assert!(proxy.tcp_seen().iter().all(|seen| seen.bytes.is_empty()));
    let mut client = proxy.connect().await;
    client.send("hello").await;
    client.expect("hello").await;
}

#[inproxy_test::test(only(native, wasm), because = "the real Envoy does not refuse calls on demand")]
async fn a_root_id_that_cannot_be_read_is_said(proxy: Proxy<EditHeaders>) {
    let refused = proxy.configure(json!({})).refuse_nth("proxy_get_property", 1, Status::INTERNAL_FAILURE).refused().await;
    refused.expect_log("read the root id: the proxy answered internal failure (10): no filter of this module has the root id");
}
