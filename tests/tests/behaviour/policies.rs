//! What becomes of requests when a VM has died.

use std::time::Duration;

use filters::traps::{TrapInHook, TrapWhenTold};
use inproxy_test::{FailurePolicy, Proxy, Request, Response, json};

#[inproxy_test::test]
async fn closed_is_closed_for_good(proxy: Proxy<TrapWhenTold>) {
    let proxy = proxy.configure(json!({})).failure_policy(FailurePolicy::Closed).start().await;
    assert_eq!(proxy.send(Request::get("/")).await.status(), 200);
    assert_eq!(proxy.send(Request::get("/trap")).await.status(), 503);
    proxy.advance(Duration::from_millis(2500)).await;
    assert_eq!(proxy.send(Request::get("/")).await.status(), 503);
    assert_eq!(proxy.upstream().requests().len(), 1);
}

// ANCHOR: open
#[inproxy_test::test]
async fn open_lets_later_requests_pass_without_the_filter(proxy: Proxy<TrapWhenTold>) {
    let proxy = proxy.configure(json!({})).failure_policy(FailurePolicy::Open).start().await;
    assert_eq!(proxy.send(Request::get("/")).await.header("x-filter"), Some("alive"));
    assert_eq!(proxy.send(Request::get("/trap")).await.status(), 503);
    let response = proxy.send(Request::post("/").with_body("hello")).await;
    assert_eq!((response.status(), response.header("x-filter")), (200, None));
}
// ANCHOR_END: open

#[inproxy_test::test]
async fn reload_makes_a_new_vm_after_a_while(proxy: Proxy<TrapWhenTold>) {
    let proxy = proxy.configure(json!({})).failure_policy(FailurePolicy::Reload).start().await;
    assert_eq!(proxy.send(Request::get("/trap")).await.status(), 503);
    assert_eq!(proxy.send(Request::get("/")).await.status(), 503);
    proxy.advance(Duration::from_millis(2500)).await;
    assert_eq!(proxy.send(Request::get("/")).await.header("x-filter"), Some("alive"));
}

#[inproxy_test::test]
async fn a_trap_is_fatal_to_every_filter_of_the_module(proxy: Proxy<TrapWhenTold>) {
    let proxy = proxy.configure(json!({})).then::<TrapInHook>(json!({})).failure_policy(FailurePolicy::Closed).start().await;
    assert_eq!(proxy.send(Request::get("/")).await.status(), 503);
    // The first filter did nothing wrong, and has no VM any more.
    assert_eq!(proxy.send(Request::get("/")).await.header("x-filter"), None);
}

inproxy_tests::module_type!(
    /// Holds requests, in a module of its own.
    HoldRequest, "hold_request", concat!(env!("CARGO_MANIFEST_DIR"), "/trimmed#hold_request")
);

#[inproxy_test::test(only(wasm, envoy), because = "the second filter is a module without a native form")]
async fn a_filter_that_is_passed_stays_passed_while_the_next_holds_the_headers(proxy: Proxy<TrapWhenTold>) {
    let proxy = proxy.configure(json!({})).then::<HoldRequest>(json!({ "authority": "authority" })).failure_policy(FailurePolicy::Open);
    let proxy = proxy.cluster("authority", |_| Response::new(200).after(Duration::from_millis(30))).hold_headers().start().await;
    assert_eq!(proxy.send(Request::get("/trap")).await.status(), 503);
    let response = proxy.send(Request::post("/").with_body("hello")).await;
    assert_eq!((response.status(), response.header("x-filter")), (200, None));
    assert_eq!(proxy.upstream().request().text(), "hello");
}
