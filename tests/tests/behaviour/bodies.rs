use filters::bodies::{NeedsHeld, Peek, ReadAllow, Rewrite};
use inproxy_test::{Proxy, Request, Response, json};

#[inproxy_test::test]
async fn a_request_body_is_rewritten_when_the_headers_went_first(proxy: Proxy<Rewrite>) {
    rewritten_chunked(proxy).await;
}

#[inproxy_test::test]
async fn a_request_body_is_rewritten_when_the_headers_went_first_and_bodies_are_delivered(proxy: Proxy<Rewrite>) {
    rewritten_chunked(proxy.hold_headers()).await;
}

async fn rewritten_chunked(proxy: Proxy<Rewrite>) {
    let proxy = proxy.configure(json!({ "prefix": "more than " })).start().await;
    assert_eq!(proxy.send(Request::post("/").with_body("that")).await.status(), 200);
    let seen = proxy.upstream().request();
    assert_eq!((seen.text(), seen.header("content-length")), ("more than that", None));
}

#[inproxy_test::test]
async fn trailers_follow_a_rewritten_body(proxy: Proxy<Rewrite>) {
    let proxy = proxy.configure(json!({ "prefix": "more than " })).start().await;
    proxy.send(Request::post("/").with_body("that").with_trailer("x-trailer", "t")).await;
    let seen = proxy.upstream().request();
    assert_eq!((seen.text(), seen.trailer_value("x-trailer")), ("more than that", Some(&b"t"[..])));
}

#[inproxy_test::test]
async fn a_request_body_is_rewritten_with_its_exact_length_when_the_headers_are_held(proxy: Proxy<Rewrite>) {
    let proxy = proxy.configure(json!({ "held": true, "prefix": "more than " })).hold_headers().start().await;
    assert_eq!(proxy.send(Request::post("/").with_body("that")).await.status(), 200);
    let seen = proxy.upstream().request();
    assert_eq!((seen.text(), seen.header("content-length"), seen.header("x-length")), ("more than that", Some("14"), Some("4")));
}

#[inproxy_test::test]
async fn trailers_follow_a_held_body_that_was_rewritten(proxy: Proxy<Rewrite>) {
    let proxy = proxy.configure(json!({ "held": true, "prefix": "more than " })).hold_headers().start().await;
    proxy.send(Request::post("/").with_body("that").with_trailer("x-trailer", "t")).await;
    let seen = proxy.upstream().request();
    assert_eq!((seen.text(), seen.header("content-length"), seen.trailer_value("x-trailer")), ("more than that", None, Some(&b"t"[..])));
}

#[inproxy_test::test]
async fn a_request_without_a_body_is_read_as_an_empty_one(proxy: Proxy<Rewrite>) {
    let proxy = proxy.configure(json!({ "read_only": true })).start().await;
    assert_eq!(proxy.send(Request::get("/")).await.status(), 200);
    proxy.expect_log("read 0 bytes").await;
}

#[inproxy_test::test]
async fn there_is_no_body_to_replace_where_there_is_none(proxy: Proxy<Rewrite>) {
    let proxy = proxy.configure(json!({ "prefix": "x" })).start().await;
    assert_eq!(proxy.send(Request::get("/")).await.status(), 500);
    proxy.expect_log("there is no body that could be replaced").await;
}

#[inproxy_test::test]
async fn a_body_that_is_only_read_arrives_as_it_was_sent(proxy: Proxy<Rewrite>) {
    let proxy = proxy.configure(json!({ "read_only": true })).start().await;
    let body = "0123456789".repeat(10_000);
    assert_eq!(proxy.send(Request::post("/").with_body(body.clone())).await.status(), 200);
    let seen = proxy.upstream().request();
    assert!(seen.text() == body && seen.header("content-length") == Some("100000"));
}

#[inproxy_test::test]
async fn a_body_that_comes_in_parts_is_read_whole(proxy: Proxy<Rewrite>) {
    let proxy = proxy.configure(json!({ "prefix": "more than " })).start().await;
    let mut exchange = proxy.open(&Request::post("/").with_body("that")).await;
    for part in [&b"t"[..], b"ha", b"t"] {
        exchange.body(part).await;
    }
    exchange.end().await;
    assert_eq!(exchange.response().await.status(), 200);
    assert_eq!(proxy.upstream().request().text(), "more than that");
}

#[inproxy_test::test]
async fn a_response_body_is_rewritten_when_the_headers_went_first(proxy: Proxy<Rewrite>) {
    let proxy = proxy.configure(json!({ "response": true, "prefix": "more than " })).upstream(|_| Response::new(200).with_body("that")).start().await;
    let response = proxy.send(Request::get("/")).await;
    assert_eq!((response.text(), response.header("content-length"), response.is_whole()), ("more than that", None, true));
}

#[inproxy_test::test]
async fn a_response_body_is_rewritten_with_its_exact_length_when_the_headers_are_held(proxy: Proxy<Rewrite>) {
    let configuration = json!({ "response": true, "held": true, "prefix": "more than " });
    let proxy = proxy.configure(configuration).hold_headers().upstream(|_| Response::new(200).with_body("that")).start().await;
    let response = proxy.send(Request::get("/")).await;
    assert_eq!((response.text(), response.header("content-length"), response.header("x-length")), ("more than that", Some("14"), Some("4")));
}

#[inproxy_test::test]
async fn a_body_beyond_the_filters_limit_is_answered_with_413(proxy: Proxy<Rewrite>) {
    let proxy = proxy.configure(json!({ "limit": 10, "prefix": "x" })).start().await;
    assert_eq!(proxy.send(Request::post("/").with_body("0123456789a")).await.status(), 413);
    assert!(proxy.upstream().requests().is_empty());
    assert_eq!(proxy.send(Request::post("/").with_body("0123456789")).await.status(), 200);
}

#[inproxy_test::test]
async fn a_held_body_beyond_the_filters_limit_is_answered_with_413(proxy: Proxy<Rewrite>) {
    let proxy = proxy.configure(json!({ "held": true, "limit": 10, "prefix": "x" })).hold_headers().start().await;
    assert_eq!(proxy.send(Request::post("/").with_body("0123456789a")).await.status(), 413);
    assert!(proxy.upstream().requests().is_empty());
}

#[inproxy_test::test]
async fn a_body_beyond_the_proxys_own_buffer_is_answered_by_the_proxy(proxy: Proxy<Rewrite>) {
    let proxy = proxy.configure(json!({ "limit": 1_000_000, "prefix": "x" })).buffer_limit(1000).start().await;
    let response = proxy.send(Request::post("/").with_body("0123456789".repeat(20_000))).await;
    assert_eq!((response.status(), response.text()), (413, "Payload Too Large"));
    assert_eq!(proxy.send(Request::post("/").with_body("short")).await.status(), 200);
    assert_eq!(proxy.upstream().request().text(), "xshort");
}

#[inproxy_test::test]
async fn the_proxys_answer_stands_though_the_filter_allows(proxy: Proxy<ReadAllow>) {
    let proxy = proxy.configure(json!({ "held": true })).hold_headers().buffer_limit(1000).start().await;
    let response = proxy.send(Request::post("/").with_body("0123456789".repeat(20_000))).await;
    assert_eq!((response.status(), response.text()), (413, "Payload Too Large"));
    assert!(proxy.upstream().requests().is_empty());
}

#[inproxy_test::test]
async fn held_headers_that_the_proxy_cannot_hold_are_an_error_not_a_wait(proxy: Proxy<Rewrite>) {
    let proxy = proxy.configure(json!({ "held": true, "prefix": "x" })).start().await;
    assert_eq!(proxy.send(Request::post("/").with_body("body")).await.status(), 500);
    assert!(proxy.upstream().requests().is_empty());
}

#[inproxy_test::test]
async fn a_filter_that_is_declared_as_held_refuses_a_proxy_that_cannot(proxy: Proxy<NeedsHeld>) {
    proxy.configure(json!({})).refused().await.expect_log("set allow_on_headers_stop_iteration in the plugin's configuration");
}

#[inproxy_test::test]
async fn no_bytes_are_an_empty_configuration(proxy: Proxy<NeedsHeld>) {
    let proxy = proxy.configure_text("").hold_headers().start().await;
    assert_eq!(proxy.send(Request::post("/").with_body("body")).await.status(), 200);
}

#[inproxy_test::test]
async fn the_beginning_of_a_body_is_looked_at_and_all_of_it_goes_on(proxy: Proxy<Peek>) {
    let (host, name) = proxy.host();
    for asks in [false, true] {
        for collect in [false, true] {
            let mut configuration = json!({ "limit": 5, "collect": collect });
            if asks {
                configuration = json!({ "limit": 5, "collect": collect, "authority": "authority" });
            }
            let proxy =
                Proxy::<Peek>::on(host, name).configure(configuration).hold_headers().cluster("authority", |_| Response::new(200)).start().await;
            for (body, beginning, whole) in [("", "", "true"), ("abc", "abc", "true"), ("abcde", "abcde", "true"), ("abcdef", "abcde", "false")] {
                let before = proxy.upstream().requests().len();
                assert_eq!(proxy.send(Request::post("/").with_body(body)).await.status(), 200);
                let service = proxy.upstream();
                let [seen] = &service.requests()[before..] else { panic!("one request") };
                assert_eq!(
                    (seen.text(), seen.header("x-beginning"), seen.header("x-whole")),
                    (body, Some(beginning), Some(whole)),
                    "{asks} {collect}"
                );
                assert!(!asks || proxy.service("authority").requests().iter().any(|request| request.text() == beginning));
            }
        }
    }
}

#[inproxy_test::test]
async fn what_is_behind_the_beginning_of_a_body_need_not_have_come(proxy: Proxy<Peek>) {
    let proxy =
        proxy.configure(json!({ "limit": 5, "authority": "authority" })).hold_headers().cluster("authority", |_| Response::new(200)).start().await;
    let mut request = proxy.open(&Request::post("/").with_body("abcdefghij").with_trailer("x-trailer", "t")).await;
    request.body(b"abc").await;
    request.body(b"def").await;
    // The filter has read what it wanted; while it asks, and after that, the rest comes.
    request.body(b"gh").await;
    proxy.advance(std::time::Duration::from_millis(20)).await;
    request.body(b"ij").await;
    request.trailers(&[("x-trailer".to_owned(), b"t".to_vec())]).await;
    assert_eq!(request.response().await.status(), 200);
    let seen = proxy.upstream().request();
    assert_eq!((seen.text(), seen.header("x-beginning"), seen.header("x-whole")), ("abcdefghij", Some("abcde"), Some("false")));
    assert_eq!(seen.trailer_value("x-trailer"), Some(&b"t"[..]));
}

#[inproxy_test::test]
async fn a_body_that_is_refused_by_its_beginning_does_not_go_on(proxy: Proxy<Peek>) {
    let proxy = proxy.configure(json!({ "limit": 2 })).hold_headers().start().await;
    let mut request = proxy.open(&Request::post("/").with_body("nothing of this")).await;
    request.body(b"n").await;
    request.body(b"othing of this").await;
    assert_eq!(request.response().await.status(), 403);
    assert!(proxy.upstream().requests().is_empty());
}

#[inproxy_test::test]
async fn a_filter_knows_whether_its_proxy_can_hold_bodies(proxy: Proxy<Peek>) {
    proxy.configure(json!({ "limit": 5 })).refused().await.expect_log("set allow_on_headers_stop_iteration in the plugin's configuration");
}
