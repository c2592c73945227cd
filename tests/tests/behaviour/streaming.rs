use std::time::Duration;

use filters::streaming::{Duplex, LaxSmuggler, Mapping, MappingLate, MappingUnderWay, Parts, SlowBothWays, SlowDuplex, Smuggler};
use inproxy_test::{Proxy, Request, Response, json};

/// Sends a body in parts, with time between them.
pub(crate) async fn in_parts(proxy: &inproxy_test::Running, request: &Request, parts: &[&str]) -> Response {
    let mut exchange = proxy.open(request).await;
    for part in parts {
        exchange.body(part.as_bytes()).await;
        proxy.advance(Duration::from_millis(20)).await;
    }
    exchange.end().await;
    exchange.response().await
}

#[inproxy_test::test]
async fn a_request_is_changed_as_it_goes_by(proxy: Proxy<Mapping>) {
    let proxy = proxy.configure(json!({ "request": true, "end": "!" })).start().await;
    assert_eq!(in_parts(&proxy, &Request::post("/").with_body("one two three"), &["one ", "two ", "three"]).await.status(), 200);
    assert_eq!(proxy.upstream().request().text(), "ONE TWO THREE!");
    assert_eq!(proxy.send(Request::get("/")).await.status(), 200);
}

#[inproxy_test::test]
async fn a_response_is_changed_as_it_goes_by(proxy: Proxy<Mapping>) {
    let upstream = |_: &Request| Response::new(200).with_body("some text");
    let proxy = proxy.configure(json!({ "response": true, "end": "!" })).upstream(upstream).start().await;
    let response = proxy.send(Request::get("/")).await;
    assert_eq!((response.status(), response.text(), response.header("content-length")), (200, "SOME TEXT!", None));
}

#[inproxy_test::test]
async fn both_are_changed_though_a_service_is_asked_first(proxy: Proxy<Mapping>) {
    changed_after_a_question(proxy).await;
}

#[inproxy_test::test]
async fn both_are_changed_though_bodies_are_delivered_while_a_service_is_asked(proxy: Proxy<Mapping>) {
    changed_after_a_question(proxy.hold_headers()).await;
}

async fn changed_after_a_question(proxy: Proxy<Mapping>) {
    let upstream = |request: &Request| Response::new(200).with_body(format!("got {}", request.text()));
    let slow = |_: &Request| Response::new(200).after(Duration::from_millis(50));
    let proxy = proxy.configure(json!({ "request": true, "response": true, "ask": "slow" })).upstream(upstream).cluster("slow", slow).start().await;
    let response = in_parts(&proxy, &Request::post("/").with_body("one two"), &["one ", "two"]).await;
    assert_eq!((response.status(), response.text()), (200, "GOT ONE TWO"));
    for request in [Request::post("/").with_body("abc"), Request::post("/").with_body("abc").with_trailer("x-t", "t"), Request::get("/")] {
        let text = format!("GOT {}", request.text().to_uppercase());
        assert_eq!(proxy.send(request).await.text(), text);
    }
}

#[inproxy_test::test]
async fn trailers_stay_behind_a_body_that_is_changed(proxy: Proxy<Mapping>) {
    let upstream = |_: &Request| Response::new(200).with_body("some text").with_trailer("x-t", "of the response");
    let proxy = proxy.configure(json!({ "request": true, "response": true })).upstream(upstream).start().await;
    let response = proxy.send(Request::post("/").with_body("text").with_trailer("x-t", "of the request")).await;
    assert_eq!((response.text(), response.trailer_value("x-t")), ("SOME TEXT", Some(&b"of the response"[..])));
    let request = proxy.upstream().request();
    assert_eq!((request.text(), request.trailer_value("x-t")), ("TEXT", Some(&b"of the request"[..])));
}

#[inproxy_test::test]
async fn a_part_of_a_request_that_cannot_be_changed_is_answered(proxy: Proxy<Mapping>) {
    let proxy = proxy.configure(json!({ "request": true, "fails_at": "three" })).start().await;
    let mut exchange = proxy.open(&Request::post("/").with_body("one two three")).await;
    exchange.body(b"one two ").await;
    proxy.advance(Duration::from_millis(20)).await;
    exchange.body(b"three").await;
    assert_eq!(exchange.response().await.status(), 500);
}

#[inproxy_test::test]
async fn a_part_of_a_response_that_cannot_be_changed_resets_it(proxy: Proxy<Mapping>) {
    let upstream = |_: &Request| Response::new(200).with_body("one two three");
    let proxy = proxy.configure(json!({ "response": true, "fails_at": "three" })).upstream(upstream).start().await;
    assert!(!proxy.send(Request::get("/")).await.is_whole());
}

#[inproxy_test::test]
async fn parts_are_read_one_by_one(proxy: Proxy<Parts>) {
    let proxy = proxy.configure(json!({ "append": "!" })).start().await;
    let request = Request::post("/").with_body("one two three");
    assert_eq!(in_parts(&proxy, &request, &["one ", "two ", "three"]).await.status(), 200);
    assert_eq!(proxy.upstream().request().text(), "ONE TWO THREE!");
    assert_eq!(proxy.send(Request::get("/")).await.status(), 200);
    // A part goes on when the next one is asked for: each was one of its own.
    proxy.expect_log("3 parts, 13 bytes").await;
}

#[inproxy_test::test]
async fn a_service_is_asked_at_each_part(proxy: Proxy<Parts>) {
    asked_at_each_part(proxy).await;
}

#[inproxy_test::test]
async fn a_service_is_asked_at_each_part_though_bodies_are_delivered(proxy: Proxy<Parts>) {
    asked_at_each_part(proxy.hold_headers()).await;
}

async fn asked_at_each_part(proxy: Proxy<Parts>) {
    let slow = |_: &Request| Response::new(200).after(Duration::from_millis(30));
    let proxy = proxy.configure(json!({ "ask": "slow", "every_other": true })).cluster("slow", slow).start().await;
    let mut exchange = proxy.open(&Request::post("/").with_body("one two three four")).await;
    // While the service is asked for the first part, two others come: those are one part then.
    exchange.body(b"one ").await;
    proxy.advance(Duration::from_millis(10)).await;
    exchange.body(b"two ").await;
    proxy.advance(Duration::from_millis(5)).await;
    exchange.body(b"three ").await;
    proxy.advance(Duration::from_millis(120)).await;
    exchange.body(b"four").await;
    exchange.end().await;
    assert_eq!(exchange.response().await.status(), 200);
    assert_eq!(proxy.upstream().request().text(), "ONE two three FOUR");
}

#[inproxy_test::test]
async fn parts_of_a_response_are_read_one_by_one(proxy: Proxy<Parts>) {
    let upstream = |_: &Request| Response::new(200).with_body("some text").with_trailer("x-t", "t");
    let slow = |_: &Request| Response::new(200).after(Duration::from_millis(30));
    let proxy = proxy.configure(json!({ "ask": "slow", "response": true })).upstream(upstream).cluster("slow", slow).start().await;
    let response = proxy.send(Request::get("/")).await;
    assert_eq!((response.status(), response.text()), (200, "SOME TEXT"));
    assert_eq!((response.trailer_value("x-t"), response.trailer_value("x-bytes")), (Some(&b"t"[..]), Some(&b"9"[..])));
}

#[inproxy_test::test]
async fn trailers_are_changed_behind_the_parts(proxy: Proxy<Parts>) {
    let proxy = proxy.configure(json!({})).start().await;
    proxy.send(Request::post("/").with_body("text").with_trailer("x-bytes", "none")).await;
    let request = proxy.upstream().request();
    assert_eq!((request.text(), request.trailer_value("x-bytes")), ("TEXT", Some(&b"4"[..])));
}

#[inproxy_test::test]
async fn what_is_not_read_goes_on_as_it_is(proxy: Proxy<Parts>) {
    let proxy = proxy.configure(json!({ "only": 1 })).start().await;
    assert_eq!(in_parts(&proxy, &Request::post("/").with_body("one two three"), &["one ", "two ", "three"]).await.status(), 200);
    assert_eq!(proxy.upstream().request().text(), "ONE two three");
}

#[inproxy_test::test]
async fn a_request_is_read_while_its_response_is_waited_for(proxy: Proxy<Duplex>) {
    let upstream = |request: &Request| Response::new(200).with_body(request.bytes());
    let proxy = proxy.upstream(upstream).start().await;
    let response = in_parts(&proxy, &Request::post("/").with_body("one two"), &["one ", "two"]).await;
    assert_eq!((response.status(), response.text()), (200, "<ONE TWO>"));
    proxy.expect_log("read 7 bytes").await;
    assert_eq!(proxy.send(Request::get("/")).await.status(), 200);
}

#[inproxy_test::test]
async fn ten_mebibytes_go_by_in_bounded_memory(proxy: Proxy<Mapping>) {
    const PART: usize = 64 * 1024;
    let body = vec![b'a'; 10 << 20];
    let upstream = |request: &Request| Response::new(200).with_body(request.bytes().len().to_string());
    let proxy = proxy.configure(json!({ "request": true, "response": true })).upstream(upstream).start().await;
    assert_eq!(proxy.send(Request::post("/").with_body(vec![b'a'; PART])).await.status(), 200);
    let before = proxy.costs().map(|costs| costs.memory);
    let mut exchange = proxy.open(&Request::post("/").with_body(&*body)).await;
    for part in body.chunks(PART) {
        exchange.body(part).await;
    }
    exchange.end().await;
    let response = exchange.response().await;
    assert_eq!((response.status(), response.text()), (200, "10485760"));
    let seen = proxy.upstream().requests().last().cloned().unwrap();
    assert!(seen.bytes().iter().all(|byte| *byte == b'A'));
    if let (Some(before), Some(after)) = (before, proxy.costs().map(|costs| costs.memory)) {
        assert!(after - before <= 4 * PART as u64, "the module's memory went from {before} to {after} bytes");
    }
}

#[inproxy_test::test]
async fn what_arrives_between_the_mapping_and_its_request_going_on_is_changed_too(proxy: Proxy<MappingLate>) {
    mapped_though_late(proxy).await;
}

#[inproxy_test::test]
async fn what_arrives_between_the_mapping_and_its_request_going_on_is_changed_though_headers_are_held(proxy: Proxy<MappingLate>) {
    mapped_though_late(proxy.hold_headers()).await;
}

async fn mapped_though_late(proxy: Proxy<MappingLate>) {
    let slow = |_: &Request| Response::new(200).after(Duration::from_millis(60));
    let proxy = proxy.configure(json!({ "ask": "slow" })).cluster("slow", slow).start().await;
    // All of it while the service is asked, and a part of it only.
    for pause in [5, 80] {
        let mut exchange = proxy.open(&Request::post("/").with_body("one two")).await;
        exchange.body(b"one ").await;
        proxy.advance(Duration::from_millis(pause)).await;
        exchange.body(b"two").await;
        exchange.end().await;
        assert_eq!(exchange.response().await.status(), 200);
        assert_eq!(proxy.upstream().requests().last().unwrap().text(), "ONE TWO!");
    }
    // What cannot be changed does not go on.
    assert_eq!(proxy.send(Request::post("/").with_body("a secret")).await.status(), 500);
    assert_eq!(proxy.upstream().requests().len(), 2);
}

#[inproxy_test::test]
async fn an_answer_of_the_proxy_itself_ends_reading_a_request_in_both_directions(proxy: Proxy<SlowDuplex>) {
    let slow = |_: &Request| Response::new(200).after(Duration::from_millis(300));
    let proxy = proxy.configure(json!({ "ask": "slow" })).buffer_limit(1000).cluster("slow", slow).start().await;
    assert_eq!(too_much(&proxy).await.status(), 413);
}

#[inproxy_test::test]
async fn an_answer_of_the_proxy_itself_is_whole_though_a_filter_reads_it_while_the_request_fails(proxy: Proxy<SlowBothWays>) {
    let proxy = proxy.buffer_limit(1000).start().await;
    let response = too_much(&proxy).await;
    assert!(response.status() == 413 && response.is_whole(), "{response:?}");
}

/// Sends more than a filter takes in.
async fn too_much(proxy: &inproxy_test::Running) -> Response {
    let mut exchange = proxy.open(&Request::post("/").with_body(vec![b'a'; 100_000])).await;
    for _ in 0..10 {
        exchange.body(&[b'a'; 10_000]).await;
        proxy.advance(Duration::from_millis(5)).await;
    }
    exchange.response().await
}

#[inproxy_test::test]
async fn a_body_that_another_task_has_released_cannot_be_rewritten(proxy: Proxy<Smuggler>) {
    for map in [false, true] {
        let name = proxy.host();
        let proxy = Proxy::<Smuggler>::on(name.0, name.1).configure(json!({ "map": map })).start().await;
        let response = proxy.send(Request::post("/").with_body("four")).await;
        assert_eq!(response.status(), 500, "{map}");
        assert!(proxy.upstream().requests().iter().all(|request| request.text() == "four"), "{map}");
    }
}

#[inproxy_test::test]
async fn a_body_that_was_to_be_changed_does_not_go_on_as_it_is_even_if_failures_are_let_by(proxy: Proxy<LaxSmuggler>) {
    let proxy = proxy.configure(json!({ "map": true })).start().await;
    assert_eq!(proxy.send(Request::post("/").with_body("four")).await.status(), 500);
    assert!(proxy.upstream().requests().iter().all(|request| request.text() == "four"));
}

#[inproxy_test::test]
async fn a_response_that_is_under_way_is_changed_once(proxy: Proxy<MappingUnderWay>) {
    let upstream = |_: &Request| Response::new(200).with_body("first").and_later(Duration::from_millis(200), " and rest");
    let slow = |_: &Request| Response::new(200).after(Duration::from_millis(50));
    for return_after in [0, 20, 400] {
        let name = proxy.host();
        let configuration = json!({ "ask": "slow", "return_after_ms": return_after });
        let proxy = Proxy::<MappingUnderWay>::on(name.0, name.1).configure(configuration).upstream(upstream).cluster("slow", slow).start().await;
        let response = proxy.send(Request::get("/")).await;
        assert!(response.is_whole(), "{return_after}: {response:?}");
        assert_eq!(response.text(), "<first>< and rest>", "{return_after}");
    }
}
