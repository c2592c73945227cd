use filters::errors::{FailAllow, FailDeny};
use inproxy_test::{Proxy, Request, Response, json};

#[inproxy_test::test]
async fn a_filter_that_denies_answers_500_before_the_request_went_on(proxy: Proxy<FailDeny>) {
    let proxy = proxy.configure(json!({ "at": "Request" })).start().await;
    let response = proxy.send(Request::get("/")).await;
    assert_eq!((response.status(), response.text()), (500, ""));
    assert!(proxy.upstream().requests().is_empty());
    proxy.expect_log("the filter failed: failing on purpose: invalid digit found in string").await;
}

#[inproxy_test::test]
async fn a_filter_that_denies_replaces_the_response(proxy: Proxy<FailDeny>) {
    let proxy = proxy.configure(json!({ "at": "Response" })).upstream(|_| Response::new(200).with_body("secret")).start().await;
    let response = proxy.send(Request::get("/")).await;
    assert_eq!((response.status(), response.text()), (500, ""));
}

#[inproxy_test::test]
async fn a_filter_that_denies_when_the_response_is_on_its_way_resets_the_stream(proxy: Proxy<FailDeny>) {
    let proxy = proxy.configure(json!({ "at": "ResponseBody" })).upstream(|_| Response::new(200).with_body("hello")).start().await;
    let response = proxy.send(Request::get("/")).await;
    assert_eq!((response.status(), response.is_whole()), (200, false), "{response:?}");
}

#[inproxy_test::test]
async fn a_filter_that_allows_lets_everything_go_on_with_its_edits(proxy: Proxy<FailAllow>) {
    allowed(proxy, "Request").await;
}

#[inproxy_test::test]
async fn a_filter_that_allows_lets_the_response_go_on(proxy: Proxy<FailAllow>) {
    allowed(proxy, "Response").await;
}

#[inproxy_test::test]
async fn a_filter_that_allows_lets_the_response_go_on_that_is_on_its_way(proxy: Proxy<FailAllow>) {
    allowed(proxy, "ResponseBody").await;
}

async fn allowed(proxy: Proxy<FailAllow>, at: &str) {
    let proxy = proxy.configure(json!({ "at": at })).upstream(|_| Response::new(200).with_body("hello")).start().await;
    let response = proxy.send(Request::get("/")).await;
    assert_eq!((response.status(), response.text(), response.is_whole()), (200, "hello", true));
    assert_eq!(proxy.upstream().request().header("x-edited"), Some("yes"));
}
