use std::time::Duration;

use filters::{calls::AskFirst, headers::EditHeaders};
use inproxy_test::{Proxy, Request, Response, json};

#[inproxy_test::test]
async fn a_new_configuration_is_for_new_requests(proxy: Proxy<EditHeaders>) {
    let edits = |value: &str| json!({ "response": true, "insert": [["x-version", value.as_bytes()]] });
    let mut proxy = proxy.configure(edits("one")).start().await;
    proxy.send(Request::get("/")).await.expect_header("x-version", "one");
    proxy.update(edits("two")).await.unwrap();
    proxy.send(Request::get("/")).await.expect_header("x-version", "two");
}

#[inproxy_test::test]
async fn a_configuration_that_is_refused_leaves_the_old_one_at_work(proxy: Proxy<EditHeaders>) {
    let edits = |value: &str| json!({ "response": true, "insert": [["x-version", value.as_bytes()]] });
    let mut proxy = proxy.configure(edits("one")).start().await;
    let refusal = proxy.update(json!({ "read": ["x a"] })).await.unwrap_err();
    refusal.expect_log("read[0]: \"x a\" is not a header name");
    proxy.send(Request::get("/")).await.expect_header("x-version", "one");
    proxy.update(edits("three")).await.unwrap();
    proxy.send(Request::get("/")).await.expect_header("x-version", "three");
}

#[inproxy_test::test]
async fn a_request_that_is_under_way_keeps_the_configuration_it_began_with(proxy: Proxy<AskFirst>) {
    let slow = |_: &Request| Response::new(200).after(Duration::from_millis(600));
    let proxy = proxy.configure(json!({ "authority": "one" })).cluster("one", slow).cluster("two", |_| Response::new(403));
    let mut proxy = proxy.start().await;
    let under_way = proxy.open(&Request::get("/")).await;
    proxy.advance(Duration::from_millis(150)).await;
    proxy.update(json!({ "authority": "two" })).await.unwrap();
    assert_eq!(proxy.send(Request::get("/")).await.status(), 403);
    assert_eq!(under_way.response().await.status(), 200);
    assert_eq!((proxy.service("one").requests().len(), proxy.service("two").requests().len()), (1, 1));
}
