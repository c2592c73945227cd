//! A filter with a mistake fails its test on every host, with words that name the mistake.

use filters::wrong::{ForgetsHeader, StaleLength};
use inproxy_test::{Proxy, Request, Response, json};

#[inproxy_test::test]
#[should_panic(expected = "the header x-hello should be \"hi\", and is [] in\n200\n")]
async fn a_header_that_is_forgotten(proxy: Proxy<ForgetsHeader>) {
    let proxy = proxy.start().await;
    proxy.send(Request::get("/")).await.expect_header("x-hello", "hi");
    proxy.send(Request::post("/").with_body("body")).await.expect_header("x-hello", "hi");
}

#[inproxy_test::test]
#[should_panic(
    expected = "a filter sent on a request whose content-length is not the length of its body: the upstream takes the rest for another request."
)]
async fn a_request_body_under_a_stale_length(proxy: Proxy<StaleLength>) {
    let proxy = proxy.configure(json!({ "response": false })).start().await;
    proxy.send(Request::post("/").with_body("body")).await;
}

#[inproxy_test::test]
#[should_panic(
    expected = "a filter sent the client a response whose content-length is not the length of its body: the client takes the rest for another response."
)]
async fn a_response_body_under_a_stale_length(proxy: Proxy<StaleLength>) {
    let proxy = proxy.configure(json!({ "response": true })).upstream(|_| Response::new(200).with_body("body")).start().await;
    proxy.send(Request::get("/")).await;
}

#[inproxy_test::test]
#[should_panic(expected = "unknown field `respond`, expected `response`")]
async fn a_configuration_with_a_typing_error(proxy: Proxy<StaleLength>) {
    proxy.configure(json!({ "respond": true })).start().await;
}

#[inproxy_test::test]
#[should_panic(expected = "not logged: what nobody said")]
async fn a_line_that_was_not_logged(proxy: Proxy<ForgetsHeader>) {
    proxy.start().await.expect_log("what nobody said").await;
}
