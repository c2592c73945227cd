//! Configurations that are refused, with the place of the fault and what to do.

use inproxy_test::{Proxy, json};
use metrics::{Metrics, TcpMetrics};

#[inproxy_test::test]
async fn what_cannot_be_counted_is_refused_4_21(proxy: Proxy<Metrics>) {
    let (host, name) = proxy.host();
    let metric = |name: &str, labels: inproxy_test::Value| json!({ "name": name, "kind": "COUNTER", "labels": labels });
    for (configuration, reason) in [
        (
            json!({ "metrics": [metric("a", json!({ "x": "'1'" })), metric("a", json!({ "y": "'1'" }))] }),
            "metrics[1]: istio_a has another kind, scale, or other labels or buckets in metrics[0]",
        ),
        (
            json!({ "metrics": [{ "name": "a", "kind": "UNSPECIFIED" }] }),
            "metrics[0].kind: unknown variant `UNSPECIFIED`, expected one of `COUNTER`, `GAUGE`, `DISTRIBUTION`",
        ),
        (json!({ "metrics": [metric("9 lives", json!({}))], "label_sets": 5 }), ""),
        (json!({ "metrics": [metric("a", json!({ "response.code": "response.code ==" }))] }), "metrics[0].labels.response.code"),
        (json!({ "metrics": [metric("a", json!({ "a b": "'1'", "a.b": "'1'" }))] }), r#"metrics[0]: the label "a_b" is there twice"#),
        (json!({ "metrics": [metric("ä", json!({}))] }), r#"metrics[0]: "istio_\xc3\xa4" is not the name of a metric"#),
        (
            json!({ "metrics": [{ "name": "a", "kind": "COUNTER", "buckets": { "explicit_buckets": { "bounds": [1] } } }] }),
            "metrics[0]: buckets: only a DISTRIBUTION has some",
        ),
        (
            json!({ "metrics": [{ "name": "a", "kind": "DISTRIBUTION", "buckets": { "explicit_buckets": { "bounds": [2, 1] } } }] }),
            "the buckets of \"istio_a\" must be upper bounds above zero",
        ),
        (
            json!({ "metrics": [{ "name": "a", "kind": "DISTRIBUTION", "buckets": { "explicit_buckets": { "bounds": [-2] } } }] }),
            "metrics[0]: buckets: -2 cannot be counted",
        ),
        (json!({ "metrics": [{ "name": "a", "kind": "COUNTER", "scale": 0 }] }), "metrics[0]: scale: it must be one or more"),
        (
            json!({ "attributes": [{ "output_attribute": "a.b", "match": [] }] }),
            "attributes[0].output_attribute: \"a.b\" is not the name of an attribute",
        ),
        (
            json!({ "attributes": [{ "output_attribute": "a", "match": [] }, { "output_attribute": "a", "match": [] }] }),
            "attributes[1].output_attribute: \"a\" is there twice",
        ),
        (json!({ "istio": { "metrics": [{ "dimensions": { "a-b": "'x'" } }] } }), "istio: \"a-b\" is not the name of a label"),
        (json!({ "istio": { "metrics": [{ "match": "true" }] } }), "istio.metrics[0]"),
        (json!({ "istio": { "definitions": [{ "name": "a", "value": "1 +" }] } }), "istio.definitions[0].value"),
        (json!({ "istio": { "stat_prefix": "9" } }), "istio: \"9_requests_total\" is not the name of a metric"),
    ] {
        let started = Proxy::<Metrics>::on(host, name).configure(configuration.clone()).try_start().await;
        match (started, reason) {
            (Ok(_), "") => {}
            (Ok(_), reason) => panic!("{configuration} is taken, though: {reason}"),
            (Err(refusal), "") => panic!("{configuration} is refused: {}", refusal.log_text()),
            (Err(refusal), reason) => refusal.expect_log(reason),
        }
    }
}

#[inproxy_test::test]
async fn an_expiry_is_refused_with_the_reason_4_21(proxy: Proxy<Metrics>) {
    let (host, name) = proxy.host();
    for policy in [
        json!({ "metrics_expiry_duration": "10m", "expiry_check_interval_duration": "1s" }),
        json!({ "metrics_expiry_duration": "10m" }),
        json!({ "expiry_check_interval_duration": "1s" }),
    ] {
        let refusal = Proxy::<Metrics>::on(host, name).configure(json!({ "metrics_expiration_policy": policy })).try_start().await.err().unwrap();
        refusal.expect_log("metrics_expiration_policy: a metric cannot expire: Envoy has no call with which a filter could make it forget one");
    }
    // None is none.
    Proxy::<Metrics>::on(host, name).configure(json!({ "metrics_expiration_policy": null })).start().await;
}

#[inproxy_test::test]
async fn nothing_is_counted_without_a_configuration(proxy: Proxy<Metrics>) {
    let proxy = proxy.vm_id("own").configure_text("").start().await;
    proxy.send(inproxy_test::Request::get("/")).await.expect(&inproxy_test::Response::new(200));
    assert_eq!(proxy.all_series("istio_requests_total").await, []);
}

#[inproxy_test::test]
async fn both_filters_take_the_same_configuration(proxy: Proxy<TcpMetrics>) {
    let metric = json!({ "name": "a", "kind": "COUNTER", "labels": { "code": "response.code" } });
    proxy.configure(json!({ "metrics": [metric], "istio": {}, "attributes": [], "exclude": { "user_agents": [] } })).start().await;
}
