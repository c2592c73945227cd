//! `reference` 4.21: metrics as Mixer's Prometheus adapter had them.

use inproxy_test::{Proxy, Request, Response, json};
use metrics::Metrics;

use super::labels::{counted, only};

#[inproxy_test::test]
async fn reports_are_counted_by_their_labels_4_21(proxy: Proxy<Metrics>) {
    let metric =
        json!({ "name": "request_count", "kind": "COUNTER", "labels": { "destination_service": "'myservice'", "response_code": "response.code" } });
    let proxy = proxy.metric_labels(["destination_service", "response_code"]).configure(json!({ "metrics": [metric] })).start().await;
    for _ in 0..2 {
        proxy.send(Request::get("/")).await.expect(&Response::new(200));
    }
    let labels = [("destination_service", "myservice"), ("response_code", "200")];
    assert_eq!(proxy.series("istio_request_count", labels).await, 2.0);
}

#[inproxy_test::test]
async fn values_are_numbers_and_texts_that_are_numbers_4_21(proxy: Proxy<Metrics>) {
    let metric = |name: &str, value: &str| json!({ "namespace": "", "name": name, "kind": "COUNTER", "scale": 1000, "value": value });
    let metrics = [
        metric("int", "8"),
        metric("text", "request.headers['x-value']"),
        metric("double", "1.5"),
        metric("bool", "request.method == 'GET'"),
        metric("none", "request.headers['x-none']"),
    ];
    let proxy = proxy.metric_labels(["metric"]).configure(json!({ "metrics": metrics })).start().await;
    for value in ["8.243543", "not a value", "-2", "1e300"] {
        proxy.send(Request::get("/").with_header("x-value", value)).await.expect(&Response::new(200));
    }
    let value = async |name: &str| proxy.series(name, []).await;
    assert_eq!((value("int").await, value("double").await, value("text").await), (32_000.0, 6000.0, 8244.0));
    // The rest is recorded all the same.
    let unrecorded = async |metric: &str| proxy.series("metrics_unrecorded_total", [("metric", metric)]).await;
    assert_eq!((unrecorded("bool").await, unrecorded("text").await, unrecorded("none").await, unrecorded("int").await), (4.0, 3.0, 4.0, 0.0));
}

#[inproxy_test::test(only(envoy), because = "the model's expressions know no durations")]
async fn a_duration_counts_in_seconds_4_21(proxy: Proxy<Metrics>) {
    let metric = json!({ "name": "took_milliseconds", "kind": "COUNTER", "scale": 1000, "value": "duration('386ms')" });
    let real = json!({ "name": "duration", "kind": "DISTRIBUTION", "scale": 1000, "value": "request.duration" });
    let proxy = proxy.metric_labels(["metric"]).configure(json!({ "metrics": [metric, real] })).start().await;
    proxy.send(Request::get("/")).await.expect(&Response::new(200));
    assert_eq!(proxy.series("istio_took_milliseconds", []).await, 386.0);
    assert_eq!(proxy.series("istio_duration_count", []).await, 1.0);
}

#[inproxy_test::test]
async fn a_gauge_is_set_and_a_distribution_has_its_buckets_4_21(proxy: Proxy<Metrics>) {
    let buckets = json!({ "exponential_buckets": { "num_finite_buckets": 3, "growth_factor": 3, "scale": 4 } });
    let value = "request.headers['x-value']";
    let metrics = json!([
        { "name": "level", "kind": "GAUGE", "value": value },
        { "name": "sizes", "kind": "DISTRIBUTION", "value": value, "buckets": buckets },
    ]);
    let proxy =
        proxy.metric_labels(["metric"]).histogram_buckets("istio_sizes", &[4, 12, 36, 108]).configure(json!({ "metrics": metrics })).start().await;
    for value in ["100", "4", "13"] {
        proxy.send(Request::get("/").with_header("x-value", value)).await.expect(&Response::new(200));
    }
    assert_eq!(proxy.series("istio_level", []).await, 13.0);
    for (bound, count) in [("4", 1.0), ("12", 1.0), ("36", 2.0), ("108", 3.0), ("+Inf", 3.0)] {
        assert_eq!(proxy.series("istio_sizes_bucket", [("le", bound)]).await, count, "{bound}");
    }
}

#[inproxy_test::test]
async fn a_label_that_cannot_be_evaluated_is_unknown(proxy: Proxy<Metrics>) {
    let metric = json!({ "name": "requests", "kind": "COUNTER", "labels": { "tenant": "request.headers['x-tenant']", "is-get": "request.method == 'GET' // a comment" } });
    let proxy = proxy.metric_labels(["tenant", "isget"]).configure(json!({ "metrics": [metric] })).start().await;
    proxy.send(Request::get("/")).await.expect(&Response::new(200));
    proxy.send(Request::post("/").with_header("x-tenant", "acme")).await.expect(&Response::new(200));
    assert_eq!(proxy.series("istio_requests", [("tenant", "unknown"), ("isget", "true")]).await, 1.0);
    assert_eq!(proxy.series("istio_requests", [("tenant", "acme"), ("isget", "false")]).await, 1.0);
}

#[inproxy_test::test]
async fn requests_are_left_out_by_user_agent_and_by_expression(proxy: Proxy<Metrics>) {
    let metrics = json!([{ "name": "all", "kind": "COUNTER" }, { "name": "posts", "kind": "COUNTER", "when": "request.method == 'POST'" }]);
    let exclude = json!({ "when": "request.path == '/health'" });
    let proxy = proxy.metric_labels(["metric"]).configure(json!({ "metrics": metrics, "exclude": exclude })).start().await;
    for request in [
        Request::get("/"),
        Request::post("/"),
        Request::get("/health"),
        Request::get("/").with_header("user-agent", "kube-probe/1.30"),
        Request::get("/").with_header("user-agent", "Prometheus/3.0"),
        Request::get("/").with_header("user-agent", "curl, not kube-probe"),
    ] {
        proxy.send(request).await.expect(&Response::new(200));
    }
    assert_eq!((proxy.series("istio_all", []).await, proxy.series("istio_posts", []).await), (3.0, 1.0));
}

#[inproxy_test::test]
async fn a_request_that_another_filter_or_the_proxy_answers_is_counted_too(proxy: Proxy<Metrics>) {
    let metric = json!({ "name": "requests", "kind": "COUNTER", "labels": { "code": "response.code" } });
    let proxy = proxy
        .metric_labels(["code"])
        .configure(json!({ "metrics": [metric] }))
        .upstream(|_| Response::new(200).after(std::time::Duration::from_secs(5)));
    let proxy = proxy.route_timeout(std::time::Duration::from_millis(50)).start().await;
    assert_eq!(proxy.send(Request::get("/")).await.status(), 504);
    assert_eq!(only(&proxy, "istio_requests").await.labels["code"], "504");
    assert_eq!(counted(&proxy, "istio_requests").await.len(), 1);
}
