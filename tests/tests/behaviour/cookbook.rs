//! What `docs/cookbook` shows does what it says.

mod answers;
mod surroundings;

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use filters::cookbook::{
    background_tasks::{Banner, Denylist},
    bodies::{Mask, Measure, Meter, Refuse, Scan},
    cache_and_coalesce::Keys,
    calls::{Again, Ask, Both, First},
    grpc::{Check, CheckRequest, CheckResponse, GrpcScan, Part, Verdict},
    json_body::{Bounded, Models},
    rate_limit::Limit,
    startup::Ready,
};
use inproxy::grpc::Message;
use inproxy_test::{GrpcCall, GrpcReply, Proxy, Request, Response, Running, json};

fn says(text: &'static str) -> impl Fn(&Request) -> Response + Send + Sync + 'static {
    move |_| Response::new(200).with_body(text)
}

/// Sends a body in parts, with time between them.
async fn in_parts(proxy: &Running, parts: &[&str]) -> Response {
    crate::streaming::in_parts(proxy, &Request::post("/").with_body(parts.concat()), parts).await
}

#[inproxy_test::test]
async fn a_service_decides(proxy: Proxy<Ask>) {
    let authority = |request: &Request| match request.header("x-api-key") {
        Some("good") => Response::new(200).with_header("x-user", "alice"),
        Some("slow") => Response::new(200).after(Duration::from_millis(500)),
        _ => Response::new(404),
    };
    let proxy = proxy.configure(json!({ "authority": "authority" })).cluster("authority", authority).start().await;
    for (key, status) in [("good", 200), ("bad", 403), ("slow", 503)] {
        let request = Request::get("/").with_header("x-api-key", key).with_header("x-user", "root");
        assert_eq!(proxy.send(request).await.status(), status, "{key}");
    }
    assert_eq!(proxy.send(Request::get("/")).await.status(), 401);
    proxy.upstream().request().expect_header("x-user", "alice");
    proxy.expect_log("no decision: cluster \"authority\" did not answer in time").await;
}

#[inproxy_test::test]
async fn two_services_are_asked_at_once_and_one_may_fail(proxy: Proxy<Both>) {
    let user = |_: &Request| Response::new(200).with_body("alice").after(Duration::from_millis(30));
    let proxy =
        proxy.configure(json!({ "users": "users", "plans": "plans" })).cluster("users", user).cluster_without_endpoints("plans").start().await;
    assert_eq!(proxy.send(Request::get("/")).await.status(), 200);
    let seen = proxy.upstream().request();
    assert_eq!((seen.header("x-user"), seen.header("x-plan")), (Some("alice"), Some("free")));
}

#[inproxy_test::test]
async fn the_first_of_two_services_to_answer_is_enough(proxy: Proxy<First>) {
    let far = |_: &Request| Response::new(200).with_body("2").after(Duration::from_millis(50));
    let proxy = proxy.configure(json!({ "near": "near", "far": "far" })).cluster("near", |_| Response::hang_up()).cluster("far", far).start().await;
    assert_eq!(proxy.send(Request::get("/")).await.status(), 200);
    proxy.upstream().request().expect_header("x-rate", "2");
}

#[inproxy_test::test]
async fn a_service_that_fails_twice_is_asked_three_times(proxy: Proxy<Again>) {
    let asked = AtomicUsize::new(0);
    let flags = move |_: &Request| match asked.fetch_add(1, Ordering::SeqCst) {
        0 => Response::new(503),
        1 => Response::hang_up(),
        _ => Response::new(200).with_body("dark"),
    };
    let proxy = proxy.configure(json!({ "flags": "flags" })).cluster("flags", flags).start().await;
    assert_eq!(proxy.send(Request::get("/")).await.status(), 200);
    proxy.upstream().request().expect_header("x-flags", "dark");
    assert_eq!(proxy.service("flags").requests().len(), 3);
}

#[inproxy_test::test]
async fn a_body_with_the_text_is_refused(proxy: Proxy<Refuse>) {
    let proxy = proxy.configure(json!({ "text": "drop table" })).start().await;
    assert_eq!(in_parts(&proxy, &["; drop", " table", " users"]).await.status(), 403);
    assert_eq!(in_parts(&proxy, &["drop", " it"]).await.status(), 200);
    let seen = proxy.upstream().requests().last().cloned().unwrap();
    assert_eq!((seen.text(), seen.header("content-length")), ("drop it", Some("7")));
}

#[inproxy_test::test]
async fn each_part_is_looked_at_before_it_goes_on(proxy: Proxy<Scan>) {
    let scanner = |request: &Request| Response::new(if request.text().contains("virus") { 422 } else { 200 });
    let proxy = proxy.configure(json!({ "scanner": "scanner" })).cluster("scanner", scanner).start().await;
    assert_eq!(in_parts(&proxy, &["one ", "two"]).await.status(), 200);
    assert_eq!(proxy.upstream().requests().last().unwrap().text(), "one two");
    assert!(proxy.service("scanner").requests().iter().map(Request::text).eq(["one ", "two"]));
    assert_eq!(proxy.send(Request::post("/").with_body("a virus")).await.status(), 403);
}

#[inproxy_test::test]
async fn digits_are_masked_as_they_go_by(proxy: Proxy<Mask>) {
    let proxy = proxy.upstream(says("card 4111, pin 12")).start().await;
    let response = proxy.send(Request::get("/").with_header("accept-encoding", "gzip")).await;
    assert_eq!((response.text(), response.header("content-length")), ("card ****, pin **", None));
    assert_eq!(proxy.upstream().request().header("accept-encoding"), None);
}

#[inproxy_test::test]
async fn a_trailer_tells_the_size(proxy: Proxy<Measure>) {
    let proxy = proxy.upstream(says("hello")).start().await;
    let response = proxy.send(Request::get("/")).await;
    assert_eq!((response.text(), response.trailer_value("x-size")), ("hello", Some(&b"5"[..])));
}

#[inproxy_test::test]
async fn a_request_is_measured_while_its_response_passes(proxy: Proxy<Meter>) {
    let proxy = proxy.upstream(|request| Response::new(200).with_body(request.bytes())).start().await;
    let response = in_parts(&proxy, &["one ", "two"]).await;
    assert_eq!((response.status(), response.text()), (200, "one two"));
    proxy.expect_log("the request had 7 bytes").await;
}

#[inproxy_test::test]
async fn a_held_json_body_is_checked_and_changed(proxy: Proxy<Models>) {
    let proxy = proxy.configure(json!({ "allowed": ["small"], "max_tokens": 100 })).hold_headers().start().await;
    for (body, status) in [("{", 400), ("[]", 400), (r#"{"model":"large"}"#, 403), (r#"{"model":"small","max_tokens":9999}"#, 200)] {
        assert_eq!(proxy.send(Request::post("/").with_body(body)).await.status(), status, "{body}");
    }
    let seen = proxy.upstream().request();
    assert_eq!((seen.text(), seen.header("x-model")), (r#"{"max_tokens":100,"model":"small"}"#, Some("small")));
    assert_eq!(seen.header("content-length"), Some(&*seen.text().len().to_string()));
}

#[inproxy_test::test]
async fn a_json_body_is_changed_behind_its_headers(proxy: Proxy<Bounded>) {
    let proxy = proxy.configure(json!({ "max_tokens": 100 })).start().await;
    let json = |body: &str| Request::post("/").with_header("content-type", "application/json").with_body(body);
    assert_eq!(proxy.send(Request::post("/").with_body("a=b")).await.status(), 415);
    assert_eq!(proxy.send(json(r#"{"max_tokens":7}"#)).await.status(), 200);
    assert_eq!(proxy.upstream().request().text(), r#"{"max_tokens":7}"#);
    assert_eq!(proxy.send(json("{}")).await.status(), 200);
    let seen = proxy.upstream().requests().last().cloned().unwrap();
    assert_eq!((seen.text(), seen.header("content-length")), (r#"{"max_tokens":100}"#, None));
    assert_eq!(proxy.send(json("{")).await.status(), 400);
}

fn decide(call: &GrpcCall) -> GrpcReply {
    match CheckRequest::from_bytes(call.message()) {
        Ok(question) if question.user == "alice" && question.path == "/mine" => {
            GrpcReply::message(CheckResponse { tenant: "acme".to_owned() }.to_bytes())
        }
        Ok(question) if question.user == "nobody" => GrpcReply::status(13, "broken"),
        _ => GrpcReply::status(7, "not yours"),
    }
}

#[inproxy_test::test]
async fn a_grpc_service_decides(proxy: Proxy<Check>) {
    let proxy = proxy.configure(json!({ "authority": "authority" })).grpc("authority", decide).start().await;
    for (user, path, status) in [("alice", "/mine", 200), ("alice", "/other", 403), ("nobody", "/mine", 503)] {
        assert_eq!(proxy.send(Request::get(path).with_header("x-user", user)).await.status(), status, "{user} {path}");
    }
    proxy.upstream().request().expect_header("x-tenant", "acme");
    let call = proxy.grpc_calls("authority")[0].clone();
    assert_eq!((call.service(), call.method()), ("acme.auth.v1.Authority", "Check"));
}

fn scan(call: &GrpcCall) -> GrpcReply {
    if call.is_ended() {
        return GrpcReply::status(0, "");
    }
    let part = Part::from_bytes(call.message()).unwrap();
    GrpcReply::message(Verdict { clean: !part.data.starts_with(b"virus") }.to_bytes())
}

#[inproxy_test::test]
async fn each_part_is_looked_at_over_one_stream(proxy: Proxy<GrpcScan>) {
    let proxy = proxy.configure(json!({ "scanner": "scanner" })).grpc_stream("scanner", scan).start().await;
    assert_eq!(in_parts(&proxy, &["one ", "two"]).await.status(), 200);
    assert_eq!(proxy.upstream().requests().last().unwrap().text(), "one two");
    let calls = proxy.grpc_calls("scanner");
    assert_eq!((calls.len(), calls[0].messages().len()), (1, 2));
    assert_eq!(proxy.send(Request::post("/").with_body("virus")).await.status(), 403);
}

fn by(client: &str) -> Request {
    Request::get("/").with_header("x-client", client)
}

#[inproxy_test::test]
async fn the_list_is_fetched_again(proxy: Proxy<Denylist>) {
    let asked = AtomicUsize::new(0);
    // Main thread and worker ask at the same time.
    let source = move |_: &Request| Response::new(200).with_body(if asked.fetch_add(1, Ordering::SeqCst) < 2 { "mallory\n" } else { "trudy\n" });
    let proxy = proxy.configure(json!({ "source": "source", "seconds": 1 })).cluster("source", source).start().await;
    proxy.advance(Duration::from_millis(300)).await;
    assert_eq!((proxy.send(by("mallory")).await.status(), proxy.send(by("trudy")).await.status()), (403, 200));
    proxy.advance(Duration::from_millis(1500)).await;
    assert_eq!((proxy.send(by("mallory")).await.status(), proxy.send(by("trudy")).await.status()), (200, 403));
}

#[inproxy_test::test]
async fn one_of_all_workers_fetches(proxy: Proxy<Banner>) {
    let proxy = proxy.vm_id("lease").workers(2).configure(json!({ "source": "source", "seconds": 2 })).cluster("source", says("hello")).start().await;
    proxy.advance(Duration::from_millis(500)).await;
    for _ in 0..4 {
        proxy.send(Request::get("/")).await.expect_header("x-banner", "hello");
    }
    assert_eq!(proxy.service("source").requests().len(), 1);
    proxy.advance(Duration::from_millis(2500)).await;
    let asked = proxy.service("source").requests().len();
    assert!((2..4).contains(&asked), "three VMs asked {asked} times in three seconds");
}

#[inproxy_test::test]
async fn no_request_passes_before_the_list_is_there(proxy: Proxy<Ready>) {
    let source = |_: &Request| Response::new(200).with_body("mallory\n").after(Duration::from_millis(300));
    let proxy = proxy.configure(json!({ "source": "source" })).cluster("source", source).start().await;
    assert_eq!((proxy.send(by("mallory")).await.status(), proxy.send(by("alice")).await.status()), (403, 200));
}

#[inproxy_test::test]
async fn keys_are_fetched_once_for_all_who_ask(proxy: Proxy<Keys>) {
    let issuers = |request: &Request| Response::new(200).with_body(format!("keys of {}", request.path())).after(Duration::from_millis(200));
    let proxy = proxy.configure(json!({ "issuers": "issuers" })).cluster("issuers", issuers).start().await;
    let of = |issuer: &str| Request::get("/").with_header("x-issuer", issuer);
    let mut exchanges = Vec::new();
    for at in 0..20 {
        exchanges.push(proxy.open(&of(if at % 2 == 0 { "acme" } else { "globex" })).await);
    }
    for exchange in exchanges {
        assert_eq!(exchange.response().await.status(), 200);
    }
    assert_eq!(proxy.send(of("acme")).await.status(), 200);
    proxy.upstream().requests().last().unwrap().expect_header("x-keys", "keys of /acme/jwks");
    assert_eq!(proxy.service("issuers").requests().len(), 2);
    assert_eq!(proxy.send(of("../admin")).await.status(), 401);
}

// ANCHOR: limit
#[inproxy_test::test]
async fn a_limit_is_for_all_workers_and_ends_with_its_window(proxy: Proxy<Limit>) {
    let proxy = proxy.vm_id("limit").workers(2).configure(json!({ "requests": 2, "window_seconds": 2 })).start().await;
    let request = || Request::get("/").with_header("x-api-key", "alice");
    let mut statuses = Vec::new();
    // One more than two windows let pass, should one end meanwhile.
    for _ in 0..5 {
        statuses.push(proxy.send(request()).await.status());
    }
    assert!(statuses[0] == 200 && statuses.contains(&429), "{statuses:?}");
    proxy.advance(Duration::from_millis(2100)).await;
    assert_eq!(proxy.send(request()).await.status(), 200);
}
// ANCHOR_END: limit
