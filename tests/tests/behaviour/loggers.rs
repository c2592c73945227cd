//! Access loggers: what they are told of, and what they can do with it.

use std::time::Duration;

use filters::{
    headers::Reply,
    loggers::{Batches, FallsOver, Tell},
};
use inproxy_test::{Proxy, Request, Response, json};

#[inproxy_test::test]
async fn an_access_logger_is_told_of_each_request_with_all_that_there_was(proxy: Proxy<Tell>) {
    let proxy = proxy
        .configure(json!({ "prefix": "over: " }))
        .upstream(|_| Response::new(201).with_header("x-upstream", "up").with_body("hello").with_trailer("x-trailer", "last"))
        .start()
        .await;
    assert_eq!(proxy.send(Request::get("/one")).await.status(), 201);
    proxy.expect_log("over: GET /one -> Ok(Some(201)) up last Ok(Some(\"via_upstream\")) replied false").await;
}

#[inproxy_test::test]
async fn an_access_logger_sees_what_a_filter_answered(proxy: Proxy<Reply>) {
    let proxy = proxy.configure(json!({ "status": 403 })).then::<Tell>(json!({})).start().await;
    assert_eq!(proxy.send(Request::get("/two")).await.status(), 403);
    proxy.expect_log("GET /two -> Ok(Some(403))   Ok(Some(\"said_by_the_test\")) replied false").await;
}

#[inproxy_test::test]
async fn an_access_logger_sees_a_request_whose_client_left(proxy: Proxy<Tell>) {
    let proxy = proxy.upstream(|_| Response::new(200).after(Duration::from_millis(300))).start().await;
    let exchange = proxy.open(&Request::get("/gone")).await;
    proxy.advance(Duration::from_millis(50)).await;
    exchange.leave().await;
    proxy.expect_log("GET /gone -> ").await;
    proxy.expect_log("downstream_remote_disconnect").await;
}

#[inproxy_test::test]
async fn an_access_logger_collects_lines_and_sends_them_together(proxy: Proxy<Batches>) {
    let proxy = proxy.configure(json!({ "collector": "collector", "at_most": 3 })).cluster("collector", |_| Response::new(200)).start().await;
    for path in ["/a", "/b", "/c", "/one-too-many"] {
        assert_eq!(proxy.send(Request::get(path)).await.status(), 200);
    }
    proxy.advance(Duration::from_millis(1300)).await;
    let sent: Vec<_> = proxy.service("collector").requests().iter().map(|request| request.text().to_owned()).collect();
    // The seconds may have ended between two of them.
    assert_eq!(sent.join("\n"), "200 /a\n200 /b\n200 /c");
}

#[inproxy_test::test]
async fn an_access_logger_takes_another_configuration(proxy: Proxy<Tell>) {
    let mut proxy = proxy.configure(json!({ "prefix": "before " })).start().await;
    assert_eq!(proxy.send(Request::get("/1")).await.status(), 200);
    proxy.expect_log("before GET /1").await;
    proxy.update(json!({ "prefix": "after " })).await.unwrap();
    assert_eq!(proxy.send(Request::get("/2")).await.status(), 200);
    proxy.expect_log("after GET /2").await;
    let refused = proxy.update(json!({ "prefix": 1 })).await.unwrap_err();
    refused.expect_log("prefix: invalid type");
}

#[inproxy_test::test]
async fn an_access_logger_that_panics_takes_no_response_with_it(proxy: Proxy<FallsOver>) {
    let proxy = proxy.start().await;
    assert_eq!(proxy.send(Request::get("/fall")).await.status(), 200);
    proxy.expect_log("panicked").await;
    assert_eq!(proxy.send(Request::get("/")).await.status(), 200);
}
