use filters::headers::Reply;
use inproxy_test::{Proxy, Request, Response, json};

#[inproxy_test::test]
async fn a_filter_answers_with_status_headers_and_body(proxy: Proxy<Reply>) {
    let reply = json!({ "status": 418, "headers": [["x-why", "tea"], ["set-cookie", "a=1"], ["set-cookie", "b=2"]], "body": "short and stout" });
    let proxy = proxy.configure(reply).start().await;
    let response = proxy.send(Request::get("/")).await;
    assert_eq!((response.status(), response.text()), (418, "short and stout"));
    assert_eq!(response.headers("x-why"), ["tea"]);
    assert_eq!(response.headers("set-cookie"), ["a=1", "b=2"]);
    assert_eq!(response.headers("content-length"), ["15"]);
    assert_eq!(response.headers("content-type"), ["text/plain"]);
    assert!(proxy.upstream().requests().is_empty());
}

#[inproxy_test::test]
async fn a_filter_answers_a_request_with_a_body(proxy: Proxy<Reply>) {
    let proxy = proxy.configure(json!({ "status": 403, "body": "no" })).start().await;
    let response = proxy.send(Request::post("/").with_body("some body")).await;
    assert_eq!((response.status(), response.text()), (403, "no"));
    assert!(proxy.upstream().requests().is_empty());
}

#[inproxy_test::test]
async fn a_filter_answers_in_the_place_of_the_upstream(proxy: Proxy<Reply>) {
    let proxy =
        proxy.configure(json!({ "status": 451, "body": "no", "after": true })).upstream(|_| Response::new(200).with_body("secret")).start().await;
    let response = proxy.send(Request::get("/")).await;
    assert_eq!((response.status(), response.text()), (451, "no"));
    assert_eq!(proxy.upstream().requests().len(), 1);
}

#[inproxy_test::test]
async fn another_body_keeps_the_status_and_the_headers(proxy: Proxy<Reply>) {
    let upstream = |_: &Request| Response::new(203).with_header("content-type", "text/x").with_header("x-kept", "a").with_body("secret");
    let proxy = proxy.configure(json!({ "status": 200, "body": "another body", "body_only": true })).upstream(upstream).start().await;
    let response = proxy.send(Request::get("/")).await;
    assert_eq!((response.status(), response.text()), (203, "another body"));
    assert_eq!(response.headers("x-kept"), ["a"]);
    assert_eq!(response.headers("content-type"), ["text/x"]);
    assert_eq!(response.headers("content-length"), ["12"]);
}

#[inproxy_test::test]
async fn a_status_that_ends_no_request_is_an_error_of_the_filter(proxy: Proxy<Reply>) {
    let proxy = proxy.configure(json!({ "status": 101 })).start().await;
    assert_eq!(proxy.send(Request::get("/")).await.status(), 500);
    assert!(proxy.upstream().requests().is_empty());
    proxy.expect_log("a local reply must have a status from 200 to 599, not 101").await;
}

#[inproxy_test::test]
async fn a_reply_cannot_say_itself_how_long_it_is(proxy: Proxy<Reply>) {
    let proxy = proxy.configure(json!({ "status": 200, "headers": [["transfer-encoding", "chunked"]], "body": "no chunk" })).start().await;
    let response = proxy.send(Request::get("/")).await;
    assert_eq!((response.status(), response.is_whole()), (500, true));
    proxy.expect_log("transfer-encoding cannot be set").await;
}
