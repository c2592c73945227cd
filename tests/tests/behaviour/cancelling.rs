//! What becomes of each kind of wait when something ends it: a table, whose rows are the kinds, and whose columns are the tests. It is told in `docs/cancellation.md`.

use std::time::Duration;

use filters::cancelling::Cancelling;
use inproxy_test::{FailurePolicy, GrpcReply, Proxy, Request, Response, Running, Value, json};

/// What can be waited for with the headers in hand.
const KINDS: [&str; 7] = ["call", "grpc", "stream", "sleep", "queue", "flight", "other"];

/// What can be waited for of the message itself.
const OF_THE_REQUEST: [&str; 3] = ["collect", "chunk", "response"];

fn configuration(version: &str, sleep_ms: u64) -> Value {
    json!({ "service": "service", "grpc": "grpc", "queue": "cancelling/bell", "version": version, "sleep_ms": sleep_ms })
}

/// A proxy whose services are so late.
fn late(proxy: Proxy<Cancelling>, by: Duration) -> Proxy<Cancelling> {
    let proxy = proxy.configure(configuration("1", by.as_millis() as u64)).vm_id("cancelling");
    proxy.cluster("service", move |_| Response::new(200).after(by)).grpc("grpc", move |_| GrpcReply::message("late").after(by))
}

const NEVER: Duration = Duration::from_secs(4);

async fn until_it_waits(proxy: &Running) {
    proxy.advance(Duration::from_millis(40)).await;
}

#[inproxy_test::test]
async fn a_client_that_leaves_ends_every_wait(proxy: Proxy<Cancelling>) {
    let proxy =
        late(proxy, NEVER).upstream(|request| Response::new(200).after(if request.path() == "/before/response" { NEVER } else { Duration::ZERO }));
    let proxy = proxy.start().await;
    for kind in KINDS.into_iter().chain(OF_THE_REQUEST) {
        let path = format!("/before/{kind}");
        let mut exchange = proxy.open(&Request::post(&path).with_body("body")).await;
        exchange.body(b"bo").await;
        until_it_waits(&proxy).await;
        exchange.leave().await;
        proxy.expect_log(&format!("gone: {path}")).await;
    }
    for kind in KINDS {
        let path = format!("/after/{kind}");
        let exchange = proxy.open(&Request::get(&path)).await;
        until_it_waits(&proxy).await;
        exchange.leave().await;
        proxy.expect_log(&format!("gone: {path}")).await;
    }
    // Whoever waited is gone, and what it waited for is nobody's.
    proxy.send(Request::get("/ring/")).await.expect_header("x-version", "1");
    proxy.advance(NEVER).await;
    assert_eq!(proxy.send(Request::get("/")).await.status(), 200);
}

#[inproxy_test::test]
async fn an_upstream_that_breaks_off_ends_every_wait(proxy: Proxy<Cancelling>) {
    let proxy = late(proxy, NEVER).upstream(|request| match request.path().starts_with("/after/") {
        true => Response::new(200).with_body("half").cut_off(),
        false => Response::hang_up(),
    });
    let proxy = proxy.start().await;
    for kind in KINDS.into_iter().chain(["collect", "chunk"]) {
        let path = format!("/after/{kind}");
        let response = proxy.open(&Request::get(&path)).await;
        until_it_waits(&proxy).await;
        proxy.expect_log(&format!("gone: {path}")).await;
        let response = response.response_or_end().await;
        assert!(response.is_none_or(|response| !response.is_whole() || response.status() >= 500), "{kind}");
    }
    // Before there is a response, Envoy makes one up: what was waited for has come.
    assert_eq!(proxy.send(Request::get("/before/response")).await.status(), 503);
}

#[inproxy_test::test]
async fn a_timeout_ends_every_wait(proxy: Proxy<Cancelling>) {
    let proxy =
        late(proxy, NEVER).upstream(|request| Response::new(200).after(if request.path() == "/timeout/response" { NEVER } else { Duration::ZERO }));
    let proxy = proxy.start().await;
    for kind in KINDS.into_iter().chain(OF_THE_REQUEST) {
        let path = format!("/timeout/{kind}");
        let mut exchange = proxy.open(&Request::post(&path).with_body("body")).await;
        exchange.body(b"bo").await;
        assert_eq!(exchange.response().await.status(), 408, "{kind}");
        proxy.expect_log(&format!("gone: {path}")).await;
    }
    let reached: Vec<_> = proxy.upstream().requests().iter().map(|request| request.path().to_owned()).collect();
    assert!(reached.iter().all(|path| path == "/timeout/response"), "{reached:?}");
}

#[inproxy_test::test]
async fn the_death_of_the_vm_ends_every_wait(proxy: Proxy<Cancelling>) {
    let proxy = late(proxy, NEVER).failure_policy(FailurePolicy::Reload).request_timeout(Duration::from_millis(1200)).start().await;
    let mut exchanges = Vec::new();
    for kind in KINDS.into_iter().chain(["collect", "chunk"]) {
        let mut exchange = proxy.open(&Request::post(&format!("/before/{kind}")).with_body("body")).await;
        exchange.body(b"bo").await;
        exchanges.push((kind, exchange));
    }
    until_it_waits(&proxy).await;
    assert_eq!(proxy.send(Request::get("/trap/")).await.status(), 503);
    for (kind, exchange) in exchanges {
        let status = exchange.response().await.status();
        assert!(matches!(status, 408 | 503 | 504), "{kind}: {status}");
    }
    assert!(proxy.upstream().requests().is_empty());
    // A new VM follows.
    proxy.advance(Duration::from_secs(3)).await;
    proxy.send(Request::get("/")).await.expect_header("x-version", "1");
}

#[inproxy_test::test]
async fn an_update_of_the_configuration_ends_no_wait(proxy: Proxy<Cancelling>) {
    let mut proxy = late(proxy, Duration::from_millis(900)).start().await;
    let mut exchanges = Vec::new();
    for kind in KINDS.into_iter().chain(OF_THE_REQUEST) {
        let mut exchange = proxy.open(&Request::post(&format!("/before/{kind}")).with_body("body")).await;
        exchange.body(b"bo").await;
        exchanges.push((kind, exchange));
    }
    until_it_waits(&proxy).await;
    proxy.update(configuration("2", 900)).await.unwrap();
    proxy.send(Request::get("/")).await.expect_header("x-version", "2");
    for (_, exchange) in &mut exchanges {
        exchange.body(b"dy").await;
        exchange.end().await;
    }
    for (kind, exchange) in exchanges {
        match kind {
            // Of the new configuration, which has the same queue.
            "queue" => proxy.send(Request::get("/ring/")).await.expect_header("x-version", "2"),
            // The streams of the new configuration wake none of the old one.
            "other" => {
                exchange.leave().await;
                proxy.expect_log("gone: /before/other").await;
                continue;
            }
            _ => {}
        }
        let response = exchange.response().await;
        assert_eq!((response.status(), response.header("x-version")), (200, Some("1")), "{kind}");
    }
}
