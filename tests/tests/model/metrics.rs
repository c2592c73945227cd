//! Counters, gauges and histograms.

use inproxy_test::{Proxy, Request};
use inproxy_tests::{Conversation, Probe};

const CALLS: Conversation = Conversation::new(
    r#"
    request_headers: define_metric 0 probe_c -> 0
    request_headers: increment_metric $last 2 -> 0
    request_headers: increment_metric $last 0 -> 2
    request_headers: increment_metric $last -1 -> 2
    request_headers: record_metric $last 5 -> 0
    request_headers: get_metric $last -> 0 7
    request_headers: define_metric 1 probe_g -> 0
    request_headers: record_metric $last 7 -> 0
    request_headers: increment_metric $last -2 -> 0
    request_headers: get_metric $last -> 0 5
    request_headers: define_metric 1 probe_g -> 0
    request_headers: get_metric $last -> 0 5
    request_headers: increment_metric $last -6 -> 0
    request_headers: get_metric $last -> 0 18446744073709551615
    request_headers: define_metric 2 probe_h -> 0
    request_headers: record_metric $last 7 -> 0
    request_headers: record_metric $last -1 -> 0
    request_headers: increment_metric $last 7 -> 2
    request_headers: get_metric $last -> 2
    request_headers: define_metric 0 probe_g -> 0
    request_headers: get_metric $last -> 0 0
    request_headers: record_metric $last 3 -> 0
    request_headers: define_metric 1 probe_g -> 0
    request_headers: get_metric $last -> 0 18446744073709551615
    request_headers: define_metric 3 x -> 2
    request_headers: get_metric 4000 -> 1
    request_headers: get_metric 4003 -> 2
    request_headers: increment_metric 4000 1 -> 1
    request_headers: increment_metric 4003 1 -> 2
    request_headers: record_metric 4003 1 -> 1
"#,
);

#[inproxy_test::test(only(wasm, envoy), because = "the probe has no SDK, which the native host needs")]
async fn metrics_answer_as_envoys(proxy: Proxy<Probe>) {
    let proxy = proxy.configure_text(&CALLS.script()).start().await;
    proxy.send(Request::get("/a")).await;
    CALLS.expect(&proxy).await;
    assert_eq!(proxy.samples("probe_h").await, 2);
    // Above `i64::MAX` is below zero.
    assert_eq!(proxy.series("probe_h_bucket", [("le", "0.5")]).await, 1.0);
    assert_eq!(proxy.series("probe_h_bucket", [("le", "10")]).await, 2.0);
    assert!(proxy.series("probe_h_sum", []).await < 7.0);
    assert_eq!(proxy.counter("probe_c").await, 7);
}
