//! A filter that panics ends its VM: the proxy goes on, and natively the process does.

use std::time::Duration;

use filters::traps::{TrapAfterCall, TrapInConfigure, TrapInHook};
use inproxy_test::{Proxy, Request, Response, json};

#[inproxy_test::test]
async fn a_filter_that_panics_while_it_is_configured_is_refused(proxy: Proxy<TrapInConfigure>) {
    proxy.refused().await.expect_log("on purpose");
}

#[inproxy_test::test]
async fn a_filter_that_panics_answers_503(proxy: Proxy<TrapInHook>) {
    let proxy = proxy.configure(json!({})).start().await;
    for _ in 0..2 {
        assert_eq!(proxy.send(Request::get("/")).await.status(), 503);
    }
    assert!(proxy.upstream().requests().is_empty());
    proxy.expect_log("on purpose").await;
}

#[inproxy_test::test(only(native, wasm), because = "Envoy does not report host calls")]
async fn a_panic_is_reported_with_the_host_calls_that_led_there(proxy: Proxy<TrapInHook>) {
    let proxy = proxy.configure(json!({})).start().await;
    proxy.send(Request::get("/")).await;
    proxy.expect_log("the filter panicked in proxy_on_request_headers: ").await;
    proxy.expect_log("(after the host calls: proxy_get_log_level, proxy_get_property, proxy_get_buffer_bytes, proxy_get_header_map_value)").await;
}

#[inproxy_test::test(only(native, wasm), because = "Envoy waits for its request_timeout of 30 seconds")]
async fn a_request_whose_filter_panics_after_a_call_is_ended_by_the_timeout_and_a_new_vm_follows(proxy: Proxy<TrapAfterCall>) {
    let proxy = proxy.configure(json!({ "authority": "authority" })).cluster("authority", |_| Response::new(200)).start().await;
    assert_eq!(proxy.send(Request::get("/safe")).await.status(), 200);
    let stuck = proxy.open(&Request::get("/")).await;
    proxy.advance(Duration::from_millis(10)).await;
    assert_eq!(proxy.send(Request::get("/safe")).await.status(), 503);
    proxy.advance(Duration::from_secs(1)).await;
    assert_eq!(proxy.send(Request::get("/safe")).await.status(), 200);
    assert!(matches!(stuck.response().await.status(), 503 | 504));
}
