use filters::headers::{EditHeaders, KeepHeaders};
use inproxy_test::{Proxy, Request, Response, json};

const NOT_UTF8: &[u8] = b"caf\xe9\xff";

#[inproxy_test::test]
async fn all_values_of_a_header_are_read_also_those_that_are_not_utf8(proxy: Proxy<EditHeaders>) {
    let proxy = proxy.configure(json!({ "read": ["x-many", "x-odd", "x-absent"] })).start().await;
    let request = Request::get("/").with_header("x-many", "one").with_header("X-Many", "two").with_header("x-odd", NOT_UTF8);
    let response = proxy.send(request).await;
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers("x-read-x-many"), ["one", "two"]);
    assert_eq!(response.value("x-read-x-odd"), Some(NOT_UTF8));
    assert_eq!(response.value("x-read-x-absent"), None);
    assert!(response.header("x-count").unwrap().parse::<usize>().unwrap() >= 7, "with pseudo headers: {response:?}");
}

#[inproxy_test::test]
async fn request_headers_are_set_added_and_removed(proxy: Proxy<EditHeaders>) {
    let edits = json!({ "remove": ["x-gone"], "insert": [["x-one", NOT_UTF8], ["x-new", b"n"]], "append": [["x-many", b"three"]] });
    let proxy = proxy.configure(edits).start().await;
    let request = Request::get("/").with_header("x-gone", "1").with_header("x-gone", "2").with_header("x-one", "1");
    let request = request.with_header("x-one", "2").with_header("x-many", "one").with_header("x-many", "two");
    proxy.send(request).await;
    let seen = proxy.upstream().request();
    assert_eq!(seen.value("x-one"), Some(NOT_UTF8));
    assert_eq!(seen.headers("x-new"), ["n"]);
    assert_eq!(seen.headers("x-many"), ["one", "two", "three"]);
    assert_eq!(seen.value("x-gone"), None);
}

#[inproxy_test::test]
async fn response_headers_are_set_added_and_removed(proxy: Proxy<EditHeaders>) {
    let edits = json!({ "response": true, "remove": ["x-gone"], "insert": [["x-one", NOT_UTF8]], "append": [["set-cookie", b"b=2"]] });
    let upstream = |_: &Request| {
        let response = Response::new(200).with_header("x-gone", "1").with_header("x-one", "1").with_header("x-one", "2");
        response.with_header("set-cookie", "a=1").with_body("hi")
    };
    let proxy = proxy.configure(edits).upstream(upstream).start().await;
    let response = proxy.send(Request::get("/")).await;
    assert_eq!(response.value("x-one"), Some(NOT_UTF8));
    assert_eq!(response.headers("set-cookie"), ["a=1", "b=2"]);
    assert_eq!(response.value("x-gone"), None);
    assert_eq!(response.text(), "hi");
}

#[inproxy_test::test]
async fn a_value_that_would_split_a_request_is_refused(proxy: Proxy<EditHeaders>) {
    let proxy = proxy.configure(json!({ "insert": [["x-one", b"a\r\nx-admin: yes"]] })).start().await;
    assert_eq!(proxy.send(Request::get("/")).await.status(), 500);
    assert!(proxy.upstream().requests().is_empty());
    proxy.expect_log("a header value must not contain a carriage return (at byte 1)").await;
}

#[inproxy_test::test]
async fn a_value_that_would_split_a_response_is_refused(proxy: Proxy<EditHeaders>) {
    let proxy = proxy.configure(json!({ "response": true, "insert": [["x-one", b"a\nx-admin: yes"]] })).start().await;
    let response = proxy.send(Request::get("/")).await;
    assert_eq!((response.status(), response.value("x-admin")), (500, None));
}

#[inproxy_test::test]
async fn the_path_can_be_rewritten(proxy: Proxy<EditHeaders>) {
    let proxy = proxy.configure(json!({ "insert": [[":path", b"/new?x=1"]] })).start().await;
    proxy.send(Request::get("/old")).await;
    assert_eq!(proxy.upstream().request().path(), "/new?x=1");
}

#[inproxy_test::test]
async fn a_request_without_a_path_is_not_routed(proxy: Proxy<EditHeaders>) {
    let proxy = proxy.configure(json!({ "remove": [":path"] })).start().await;
    assert_eq!(proxy.send(Request::get("/")).await.status(), 404);
    assert!(proxy.upstream().requests().is_empty());
}

#[inproxy_test::test]
async fn a_value_stays_what_it_was_when_it_was_read(proxy: Proxy<KeepHeaders>) {
    let proxy = proxy.start().await;
    // From the second request on, all headers are read with one call.
    for round in ["first", "second", "third"] {
        let response = proxy.send(Request::get("/").with_header("x-a", "a").with_header("x-b", round)).await;
        assert_eq!(response.headers("x-kept"), ["a", round, "a", "edited", round]);
    }
}
