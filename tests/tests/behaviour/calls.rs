use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use filters::calls::{AskAgain, AskBoth, AskFirst, AskOften};
use inproxy_test::{Proxy, Request, Response, json};

#[inproxy_test::test]
async fn a_request_goes_on_when_the_answer_says_so(proxy: Proxy<AskFirst>) {
    let proxy = proxy.configure(json!({ "authority": "authority" })).cluster("authority", |_| Response::new(200).with_body("fine")).start().await;
    let request = Request::post("/").with_header("x-ask", "one").with_header("x-ask", b"caf\xe9").with_body("the body");
    assert_eq!(proxy.send(request).await.status(), 200);
    let asked = proxy.service("authority").request();
    assert_eq!((asked.method(), asked.path(), asked.value("x-ask")), ("GET", "/ask", Some(&b"one"[..])));
    assert_eq!(proxy.upstream().request().text(), "the body");
}

#[inproxy_test::test]
async fn nothing_goes_on_before_the_answer(proxy: Proxy<AskFirst>) {
    held_for_the_answer(proxy).await;
}

#[inproxy_test::test]
async fn nothing_goes_on_before_the_answer_though_bodies_are_delivered(proxy: Proxy<AskFirst>) {
    held_for_the_answer(proxy.hold_headers()).await;
}

// ANCHOR: steps
async fn held_for_the_answer(proxy: Proxy<AskFirst>) {
    let slow = |_: &Request| Response::new(403).with_body("no").after(Duration::from_millis(80));
    let proxy = proxy.configure(json!({ "authority": "authority" })).cluster("authority", slow).start().await;
    let mut exchange = proxy.open(&Request::post("/").with_body("smuggled")).await;
    exchange.body(b"smug").await;
    proxy.advance(Duration::from_millis(30)).await;
    exchange.body(b"gled").await;
    exchange.end().await;
    assert!(proxy.upstream().requests().is_empty());
    let response = exchange.response().await;
    assert_eq!((response.status(), response.text()), (403, "no"));
    assert!(proxy.upstream().requests().is_empty());
}
// ANCHOR_END: steps

#[inproxy_test::test]
async fn a_body_is_rewritten_after_the_answer(proxy: Proxy<AskFirst>) {
    rewritten_after_the_answer(proxy, "Portable").await;
}

#[inproxy_test::test]
async fn a_body_is_rewritten_after_the_answer_though_it_was_delivered_before(proxy: Proxy<AskFirst>) {
    rewritten_after_the_answer(proxy.hold_headers(), "Portable").await;
}

#[inproxy_test::test]
async fn a_held_body_is_rewritten_after_the_answer(proxy: Proxy<AskFirst>) {
    rewritten_after_the_answer(proxy.hold_headers(), "Held").await;
}

async fn rewritten_after_the_answer(proxy: Proxy<AskFirst>, then: &str) {
    let slow = |_: &Request| Response::new(200).after(Duration::from_millis(50));
    let proxy = proxy.configure(json!({ "authority": "authority", "then": then })).cluster("authority", slow).start().await;
    for request in [Request::post("/").with_body("body"), Request::post("/").with_body("body").with_trailer("x-trailer", "t"), Request::get("/")] {
        let (body, trailers) = (request.text().to_uppercase(), request.trailer_value("x-trailer").is_some());
        assert_eq!(proxy.send(request).await.status(), 200, "{then}");
        let seen = proxy.upstream().requests().last().cloned().unwrap();
        assert_eq!((seen.text(), seen.trailer_value("x-trailer").is_some()), (&*body, trailers), "{then}");
    }
}

#[inproxy_test::test]
async fn a_cluster_without_endpoints_is_refused_at_once(proxy: Proxy<AskFirst>) {
    let proxy = proxy.configure(json!({ "authority": "authority" })).cluster_without_endpoints("authority").start().await;
    assert_eq!(proxy.send(Request::get("/")).await.status(), 522);
}

#[inproxy_test::test]
async fn an_unknown_cluster_is_named(proxy: Proxy<AskFirst>) {
    let proxy = proxy.configure(json!({ "authority": "nowhere" })).start().await;
    let response = proxy.send(Request::get("/")).await;
    assert_eq!((response.status(), response.text()), (521, "the proxy has no cluster \"nowhere\""));
}

#[inproxy_test::test]
async fn an_authority_that_does_not_answer_times_out(proxy: Proxy<AskFirst>) {
    let late = |_: &Request| Response::new(200).after(Duration::from_millis(200));
    let proxy = proxy.configure(json!({ "authority": "authority", "timeout_ms": 50 })).cluster("authority", late).start().await;
    assert_eq!(proxy.send(Request::get("/")).await.status(), 524);
}

#[inproxy_test::test]
async fn an_authority_that_itself_answers_504_has_answered(proxy: Proxy<AskFirst>) {
    let proxy = proxy.configure(json!({ "authority": "authority" })).cluster("authority", |_| Response::new(504).with_body("late")).start().await;
    let response = proxy.send(Request::get("/")).await;
    assert_eq!((response.status(), response.text()), (403, "late"));
}

#[inproxy_test::test]
async fn an_answer_that_breaks_off_is_none(proxy: Proxy<AskFirst>) {
    let cut = |_: &Request| Response::new(200).with_body("half").cut_off();
    let proxy = proxy.configure(json!({ "authority": "authority" })).cluster("authority", cut).start().await;
    assert_eq!(proxy.send(Request::get("/")).await.status(), 523);
}

#[inproxy_test::test]
async fn an_answer_may_be_so_large_and_no_larger(proxy: Proxy<AskFirst>) {
    let (host, name) = proxy.host();
    for (bytes, expected) in [(10, 403), (11, 527)] {
        let large = move |_: &Request| Response::new(201).with_body(vec![b'a'; bytes]);
        let proxy = Proxy::<AskFirst>::on(host, name).configure(json!({ "authority": "authority", "max_body": 10 })).cluster("authority", large);
        let response = proxy.start().await.send(Request::get("/")).await;
        assert_eq!(response.status(), expected, "{}", response.text());
    }
}

#[inproxy_test::test]
async fn calls_follow_each_other_before_the_request_and_before_the_response(proxy: Proxy<AskOften>) {
    let echo = |request: &Request| Response::new(200).with_body(format!("{}-{}", request.path(), request.text()));
    let proxy = proxy.configure(json!({ "authority": "authority" })).cluster("authority", echo).start().await;
    for _ in 0..2 {
        let response = proxy.send(Request::get("/")).await;
        assert_eq!((response.status(), response.header("x-third")), (200, Some("/3-")));
    }
    for request in proxy.upstream().requests() {
        assert_eq!((request.header("x-first"), request.header("x-second")), (Some("/1-"), Some("/2-/1-")));
    }
}

#[inproxy_test::test]
async fn an_authority_that_refuses_connections_is_told_apart(proxy: Proxy<AskFirst>) {
    let proxy = proxy.configure(json!({ "authority": "authority" })).cluster_refusing("authority").start().await;
    let response = proxy.send(Request::get("/")).await;
    assert_eq!(response.status(), 525);
    let text = response.text();
    assert!(text.starts_with("cluster \"authority\" refused the connection: ") && text.contains("connection failure"), "{text}");
}

#[inproxy_test::test]
async fn an_authority_that_hangs_up_is_told_apart(proxy: Proxy<AskFirst>) {
    let proxy = proxy.configure(json!({ "authority": "authority" })).cluster("authority", |_| Response::hang_up()).start().await;
    let response = proxy.send(Request::get("/")).await;
    assert_eq!((response.status(), response.text()), (526, "cluster \"authority\" broke off before an answer: connection termination"));
}

#[inproxy_test::test]
async fn two_services_are_asked_at_once(proxy: Proxy<AskBoth>) {
    let after = |delay: u64, text: &'static str| move |_: &Request| Response::new(200).with_body(text).after(Duration::from_millis(delay));
    let proxy = proxy.configure(json!({ "one": "one", "other": "other" }));
    let proxy = proxy.cluster("one", after(60, "1")).cluster("other", after(20, "2")).start().await;
    proxy.send(Request::get("/")).await.expect_header("x-told", "1+2");
}

#[inproxy_test::test]
async fn the_first_of_two_answers_is_enough(proxy: Proxy<AskBoth>) {
    let after = |delay: u64, text: &'static str| move |_: &Request| Response::new(200).with_body(text).after(Duration::from_millis(delay));
    let proxy = proxy.configure(json!({ "one": "one", "other": "other", "first": true }));
    let proxy = proxy.cluster("one", after(300, "1")).cluster("other", after(10, "2")).start().await;
    for _ in 0..2 {
        proxy.send(Request::get("/")).await.expect_header("x-told", "2");
    }
    // The answers that nobody waits for.
    proxy.advance(Duration::from_millis(400)).await;
    proxy.send(Request::get("/")).await.expect_header("x-told", "2");
}

/// A service that answers its first `failures` calls so, and then with 200 and a trailer.
fn failing(failures: usize, failure: fn() -> Response) -> impl Fn(&Request) -> Response + Send + Sync + 'static {
    let asked = AtomicUsize::new(0);
    move |_| match asked.fetch_add(1, Ordering::SeqCst) < failures {
        true => failure(),
        false => Response::new(200).with_body("fine").with_trailer("x-sum", "7"),
    }
}

#[inproxy_test::test]
async fn a_call_without_an_answer_is_sent_again(proxy: Proxy<AskAgain>) {
    again(proxy, Response::hang_up, json!({ "service": "service", "times": 2 }), "200 7", 3).await;
}

#[inproxy_test::test]
async fn a_call_that_timed_out_is_sent_again(proxy: Proxy<AskAgain>) {
    let late = || Response::new(200).after(Duration::from_millis(250));
    again(proxy, late, json!({ "service": "service", "times": 2 }), "200 7", 3).await;
}

#[inproxy_test::test]
async fn a_call_whose_answer_does_not_count_is_sent_again(proxy: Proxy<AskAgain>) {
    again(proxy, || Response::new(502), json!({ "service": "service", "times": 1 }), "cluster \"service\" answered with status 502 Bad Gateway", 2)
        .await;
}

#[inproxy_test::test]
async fn a_call_that_may_have_been_acted_on_is_not_sent_again(proxy: Proxy<AskAgain>) {
    let outcome = "cluster \"service\" broke off before an answer: connection termination";
    again(proxy, Response::hang_up, json!({ "service": "service", "times": 2, "post": true }), outcome, 1).await;
}

async fn again(proxy: Proxy<AskAgain>, failure: fn() -> Response, configuration: inproxy_test::Value, outcome: &str, asked: usize) {
    let proxy = proxy.configure(configuration).cluster("service", failing(2, failure)).start().await;
    proxy.send(Request::get("/")).await.expect_header("x-outcome", outcome);
    assert_eq!(proxy.service("service").requests().len(), asked);
}
