//! What becomes of requests when a VM has died.

use std::time::Duration;

use filters::traps::{TrapInHook, TrapWhenTold};
use inproxy_test::{FailurePolicy, Proxy, Request, json};

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
