//! Counters, gauges and histograms, with labels and without.

use std::collections::BTreeMap;

use filters::{measure::Requests, metrics::Metrics};
use inproxy::{abi::Status, metrics::label_value};
use inproxy_test::{HostKind, LogLevel, Proxy, Request, Response, Running, json};

/// All names of labels that the filter has.
const LABELS: [&str; 4] = ["code", "status_code", "tank", "door"];

async fn get(proxy: &Running, path: &str) -> Response {
    let response = proxy.send(Request::get(path)).await;
    assert_eq!(response.status(), 200, "{path}");
    response
}

#[inproxy_test::test]
async fn a_counter_adds_and_can_be_read(proxy: Proxy<Metrics>) {
    let proxy = proxy.vm_id("own").start().await;
    get(&proxy, "/counter/2/counter/0").await.expect_header("x-values", "2 0 0");
    get(&proxy, "/counter/3/counter/18446744073709551615").await.expect_header("x-values", "5 0 0");
    assert_eq!(proxy.counter("metrics.counter").await, 5);
    assert_eq!(proxy.series("metrics_counter", []).await, 5.0);
}

#[inproxy_test::test]
async fn a_gauge_is_what_was_set_last(proxy: Proxy<Metrics>) {
    let proxy = proxy.vm_id("own").metric_labels(LABELS).start().await;
    get(&proxy, "/gauge/7/gauge/3/level/9/level/4").await.expect_header("x-values", "0 3 0");
    assert_eq!(proxy.series("metrics_gauge", []).await, 3.0);
    assert_eq!(proxy.series("metrics_level", [("tank", "a.b")]).await, 4.0);
}

#[inproxy_test::test]
async fn what_goes_up_and_down_never_wraps(proxy: Proxy<Metrics>) {
    let proxy = proxy.vm_id("own").metric_labels(LABELS).start().await;
    get(&proxy, "/down/1/up/5/down/2").await.expect_header("x-values", "0 0 3");
    get(&proxy, "/down/9").await.expect_header("x-values", "0 0 0");
    get(&proxy, "/up/9223372036854775807/up/1/down/9223372036854775806").await.expect_header("x-values", "0 0 1");
    get(&proxy, "/close/1/open/3/close/1").await;
    assert_eq!(proxy.series("metrics_open", [("door", "front")]).await, 2.0);
    get(&proxy, "/close/3").await;
    assert_eq!(proxy.series("metrics_open", [("door", "front")]).await, 0.0);
}

#[inproxy_test::test]
async fn requests_under_way_are_those_of_all_workers_and_configurations(proxy: Proxy<Metrics>) {
    let slow = |_: &Request| Response::new(200).after(std::time::Duration::from_millis(500));
    let mut proxy = proxy.workers(2).upstream(slow).start().await;
    let request = Request::get("/").with_header("x-hold", "1");
    let (one, other) = (proxy.open(&request).await, proxy.open(&request).await);
    proxy.advance(std::time::Duration::from_millis(100)).await;
    assert_eq!(proxy.counter("metrics.under_way").await, 2);
    proxy.update(json!({ "at_most": 7 })).await.unwrap();
    // Those of the configuration before may be over by now.
    let third = proxy.open(&request).await;
    proxy.advance(std::time::Duration::from_millis(100)).await;
    assert!((1..=3).contains(&proxy.counter("metrics.under_way").await));
    for exchange in [one, other, third] {
        assert_eq!(exchange.response().await.status(), 200);
    }
    assert_eq!(proxy.counter("metrics.under_way").await, 0);
}

#[inproxy_test::test]
async fn what_a_configuration_has_added_is_taken_back_with_it(proxy: Proxy<Metrics>) {
    let mut proxy = proxy.vm_id("own").start().await;
    get(&proxy, "/up/4").await.expect_header("x-values", "0 0 4");
    proxy.update(json!({ "at_most": 7 })).await.unwrap();
    get(&proxy, "/up/1").await;
    // Envoy deletes the old configuration when its listener has drained.
    for _ in 0..100 {
        if proxy.counter("metrics.under_way").await == 1 {
            return;
        }
        proxy.advance(std::time::Duration::from_millis(100)).await;
    }
    panic!("still {}", proxy.counter("metrics.under_way").await);
}

#[inproxy_test::test]
async fn a_duration_is_recorded_in_the_unit_of_the_name(proxy: Proxy<Metrics>) {
    let proxy = proxy.vm_id("own").start().await;
    get(&proxy, "/took/70900/took/400").await;
    assert_eq!((proxy.samples("metrics_took_ms").await, proxy.samples("metrics_took_us").await), (2, 2));
    for (le, ms, us) in [("0.5", 1.0, 0.0), ("50", 1.0, 0.0), ("100", 2.0, 0.0), ("500", 2.0, 1.0), ("60000", 2.0, 1.0), ("300000", 2.0, 2.0)] {
        assert_eq!(proxy.series("metrics_took_ms_bucket", [("le", le)]).await, ms, "{le} ms");
        assert_eq!(proxy.series("metrics_took_us_bucket", [("le", le)]).await, us, "{le} us");
    }
}

#[inproxy_test::test]
async fn a_histogram_has_the_buckets_that_the_proxy_is_told(proxy: Proxy<Metrics>) {
    let proxy = proxy.metric_labels(LABELS).histogram_buckets("metrics_sizes", &[5, 50]).configure(json!({ "buckets": [5, 50] })).start().await;
    get(&proxy, "/size/5/size/6/size/50/size/51/size/0/size/18446744073709551615").await;
    let bounds: Vec<_> = proxy.all_series("metrics_sizes_bucket").await;
    let bounds: BTreeMap<_, _> =
        bounds.iter().filter(|series| series.labels["code"] == "200").map(|series| (&*series.labels["le"], series.value)).collect();
    assert_eq!(bounds, BTreeMap::from([("5", 2.0), ("50", 4.0), ("+Inf", 6.0)]));
    assert!(proxy.series("metrics_sizes_sum", [("code", "200")]).await > 1e15);
    assert_eq!(proxy.series("metrics_sizes_count", [("code", "200")]).await, 6.0);
}

#[inproxy_test::test]
async fn a_group_has_one_label_set_for_all_its_metrics(proxy: Proxy<Metrics>) {
    let proxy = proxy.metric_labels(["route", "path"]).configure(json!({ "group": ["route", "path"] })).start().await;
    get(&proxy, "/group/7/group/7/group/9").await;
    for (route, count) in [("7", 2.0), ("9", 1.0)] {
        let labels = [("route", route), ("path", "/a.b")];
        assert_eq!(proxy.series("metrics_group_total", labels).await, count);
        assert_eq!(proxy.series("metrics_group_size_count", labels).await, count);
    }
    assert_eq!(proxy.all_series("metrics_group_total").await.len(), 3, "two, and one for what would find no room");
}

#[inproxy_test::test]
async fn a_value_that_is_missing_is_empty(proxy: Proxy<Metrics>) {
    let labels = ["route", "path", "more", "most"];
    let proxy = proxy.metric_labels(labels).configure(json!({ "group": labels })).start().await;
    get(&proxy, "/short/7/group/7/short/7/long/7/group/8/short/8/long/8").await;
    for (route, path, count) in [("7", "", 2.0), ("7", "/a.b", 2.0), ("8", "", 1.0), ("8", "/a.b", 2.0)] {
        let labels = [("route", route), ("path", path), ("more", ""), ("most", "")];
        assert_eq!(proxy.series("metrics_group_total", labels).await, count, "{route} {path}");
    }
}

#[inproxy_test::test]
async fn label_sets_are_counted_over_all_workers(proxy: Proxy<Metrics>) {
    let mut proxy = proxy.workers(2).metric_labels(["route"]).configure(json!({ "group": ["route"], "together": 5 })).start().await;
    let mut all = 0.0;
    for round in 0..2 {
        // Each connection is another worker's turn, in whichever order: each set comes to both in the end.
        for nth in 0..40 {
            get(&proxy, &format!("/group/{}/group/{}", nth % 8, 20 + nth % 3)).await;
            all += 2.0;
        }
        let series = proxy.all_series("metrics_group_total").await;
        let (overflow, own): (Vec<_>, Vec<_>) = series.iter().partition(|series| series.labels["route"] == "__overflow__");
        assert_eq!(own.len(), 5, "{own:?}");
        assert_eq!((overflow.len(), own.iter().chain(&overflow).map(|series| series.value).sum::<f64>()), (1, all));
        assert!(overflow[0].value > 0.0);
        if round == 0 {
            // What is known stays known.
            proxy.update(json!({ "group": ["route"], "together": 5, "counter": "metrics.other" })).await.unwrap();
        }
    }
    proxy.expect_log("the metric metrics_group_total has 5 label sets, which is as many as it may").await;
}

#[inproxy_test::test]
async fn a_label_of_the_configuration_that_is_none_refuses_it(proxy: Proxy<Metrics>) {
    let refused = proxy.configure(json!({ "group": ["route", "a.b"] })).try_start().await.err().unwrap();
    refused.expect_log(r#""a.b" is not the name of a label"#);
}

/// Pairs of label values, each of which is one series.
fn nasty() -> Vec<[Vec<u8>; 2]> {
    let mut sets: Vec<[Vec<u8>; 2]> = Vec::new();
    let values: [&[u8]; 18] = [
        b"200",
        b"",
        b".",
        b"/v1.2//users..x.",
        b"two words, {and} more",
        b";",
        b";.;code=.=404;.;",
        b"=.=",
        b"=",
        b"a\"b\\c\\",
        b"\r\n\t\0\x7f",
        b"\xff\xfe",
        "h\u{e9}llo \u{1f600}".as_bytes(),
        b"status_code=.=1",
        b"wasmcustom.x",
        b"(.*)$^[a]|",
        b"cluster.x.upstream_rq_200",
        b"a:b://c",
    ];
    for value in values {
        sets.push([value.to_vec(), b"GET".to_vec()]);
        sets.push([b"first".to_vec(), value.to_vec()]);
    }
    sets.push([vec![b'x'; 10_000], vec![b'y'; 10_000]]);
    sets.push([vec![b';'; 10_000], vec![0xff; 10_000]]);
    sets
}

#[inproxy_test::test]
async fn whatever_a_value_is_it_is_the_value_of_its_label(proxy: Proxy<Metrics>) {
    let proxy = proxy.metric_labels(LABELS).configure(json!({ "sets": nasty() })).start().await;
    get(&proxy, "/sets/1/sets/1").await.expect_header("x-label-sets", &nasty().len().to_string());
    let mut expected: Vec<_> = nasty().iter().map(|set| set.each_ref().map(|value| label_value(value).into_owned())).collect();
    expected.sort();
    let seen = proxy.all_series("metrics_requests_total").await;
    let mut labels: Vec<_> =
        seen.iter().filter(|series| series.value == 2.0).map(|series| ["status_code", "code"].map(|name| series.labels[name].clone())).collect();
    labels.sort();
    assert_eq!(labels, expected);
    // And the one for what finds no room.
    assert_eq!(seen.len(), expected.len() + 1);
    assert!(seen.iter().all(|series| series.labels.len() == 2), "{seen:?}");
}

#[inproxy_test::test]
async fn a_label_that_the_proxy_is_not_told_of_is_part_of_the_name(proxy: Proxy<Metrics>) {
    let proxy = proxy.metric_labels(["code"]).start().await;
    get(&proxy, "/again/1").await;
    assert_eq!(proxy.series("status_code___200___metrics_requests_total", [("code", "/a.b")]).await, 1.0);
}

#[inproxy_test::test]
async fn so_many_label_sets_and_no_more(proxy: Proxy<Metrics>) {
    let proxy = proxy.metric_labels(LABELS).start().await;
    get(&proxy, "/distinct/5000").await.expect_header("x-label-sets", "1000");
    get(&proxy, "/distinct/1").await;
    let seen = proxy.all_series("metrics_requests_total").await;
    assert_eq!(seen.len(), 1001);
    let overflow = proxy.series("metrics_requests_total", [("code", "__overflow__"), ("status_code", "__overflow__")]);
    assert_eq!(overflow.await, 4000.0);
    assert_eq!(proxy.series("metrics_requests_total", [("code", "/"), ("status_code", "0")]).await, 2.0);
    let warnings = proxy.log().into_iter().filter(|line| line.level == LogLevel::Warn && line.text.contains("1000 label sets"));
    assert_eq!(warnings.count(), 1);
}

#[inproxy_test::test]
async fn a_filter_says_how_many_label_sets_it_wants(proxy: Proxy<Metrics>) {
    let mut proxy = proxy.metric_labels(LABELS).configure(json!({ "at_most": 2 })).start().await;
    get(&proxy, "/distinct/5").await.expect_header("x-label-sets", "2");
    proxy.update(json!({ "at_most": 4 })).await.unwrap();
    get(&proxy, "/distinct/5").await.expect_header("x-label-sets", "4");
    // What is there stays.
    proxy.update(json!({ "at_most": 0 })).await.unwrap();
    get(&proxy, "/distinct/5").await.expect_header("x-label-sets", "4");
    let overflow = proxy.series("metrics_requests_total", [("code", "__overflow__"), ("status_code", "__overflow__")]);
    assert_eq!(overflow.await, 3.0 + 1.0 + 1.0);
    // A configuration that says nothing has what it would have had first.
    proxy.update(json!({})).await.unwrap();
    get(&proxy, "/distinct/5").await.expect_header("x-label-sets", "5");
}

#[inproxy_test::test]
async fn a_new_configuration_counts_on(proxy: Proxy<Metrics>) {
    let mut proxy = proxy.metric_labels(LABELS).vm_id("own").start().await;
    get(&proxy, "/counter/1/again/1").await;
    let defined = |proxy: &Running| proxy.costs().map(|costs| costs.host_calls["proxy_define_metric"]);
    let before = defined(&proxy);
    for at_most in 10..13 {
        proxy.update(json!({ "at_most": at_most })).await.unwrap();
        get(&proxy, "/counter/1/again/1").await;
    }
    // Nothing was defined anew: the proxy would keep all of it.
    assert_eq!(defined(&proxy), before);
    assert_eq!(proxy.counter("metrics.counter").await, 4);
    assert_eq!(proxy.series("metrics_requests_total", [("status_code", "200"), ("code", "/a.b")]).await, 4.0);
}

#[inproxy_test::test(only(native, wasm), because = "the real Envoy does not count calls")]
async fn a_known_label_set_costs_one_call_and_no_allocation(proxy: Proxy<Metrics>) {
    let native = proxy.host().0 == HostKind::Native;
    let proxy = proxy.start().await;
    let mut costs = Vec::new();
    for path in ["/again/1", "/again/9", "/again/1", "/again/9"] {
        let before = proxy.costs().unwrap();
        get(&proxy, path).await;
        costs.push(proxy.costs().unwrap().since(&before));
    }
    let (one, nine) = (&costs[2], &costs[3]);
    assert_eq!((one.host_calls["proxy_increment_metric"], nine.host_calls["proxy_increment_metric"]), (1, 9));
    let others = |costs: &inproxy_test::Costs| {
        costs.host_calls.iter().filter(|(name, _)| **name != "proxy_increment_metric").map(|(_, count)| count).sum::<u64>()
    };
    assert_eq!(others(one), others(nine));
    assert!(!one.host_calls.contains_key("proxy_define_metric"));
    assert_eq!(one.allocations, nine.allocations);
    assert_eq!(one.allocations > 0, native);
}

#[inproxy_test::test(only(native, wasm), because = "the real Envoy does not count calls")]
async fn nothing_is_added_without_a_call(proxy: Proxy<Metrics>) {
    let proxy = proxy.start().await;
    get(&proxy, "/counter/0/up/0/down/1/down/0").await;
    assert_eq!(proxy.costs().unwrap().host_calls.get("proxy_increment_metric"), None);
}

#[inproxy_test::test]
async fn a_name_that_is_none_refuses_the_configuration(proxy: Proxy<Metrics>) {
    let (host, name) = proxy.host();
    for (configuration, reason) in [
        (json!({ "counter": "9x" }), "\"9x\" is not the name of a metric"),
        (json!({ "counter": "a b" }), "\"a b\" is not the name of a metric"),
        (json!({ "label": "a.b" }), "\"a.b\" is not the name of a label"),
        (json!({ "label": "le" }), "\"le\" is not the name of a label"),
        (json!({ "label": "status_code" }), "the label \"status_code\" is there twice"),
        (json!({ "buckets": [5, 5] }), "the buckets of \"metrics_sizes\" must be upper bounds above zero"),
        (json!({ "buckets": [0] }), "the buckets of \"metrics_sizes\" must be upper bounds above zero"),
        (json!({ "buckets": [] }), "the buckets of \"metrics_sizes\" must be upper bounds above zero"),
    ] {
        Proxy::<Metrics>::on(host, name).configure(configuration).refused().await.expect_log(reason);
    }
}

#[inproxy_test::test(only(native, wasm), because = "the real Envoy does not refuse calls on demand")]
async fn a_metric_that_the_proxy_refuses_refuses_the_configuration(proxy: Proxy<Metrics>) {
    let proxy = proxy.refuse("proxy_define_metric", Status::INTERNAL_FAILURE);
    proxy.refused().await.expect_log("the metric \"metrics_requests_total\": define a metric: the proxy answered");
}

#[inproxy_test::test(only(native, wasm), because = "the real Envoy does not refuse calls on demand")]
async fn a_refused_change_is_logged_once_for_each_metric(proxy: Proxy<Metrics>) {
    let proxy = proxy.refuse("proxy_increment_metric", Status::NOT_FOUND).refuse("proxy_record_metric", Status::NOT_FOUND).start().await;
    for _ in 0..3 {
        get(&proxy, "/counter/1/gauge/1/up/1/down/1/size/1/again/5").await;
    }
    let log: Vec<_> = proxy.log().into_iter().map(|line| line.text).collect();
    let times = |text: &str| log.iter().filter(|line| line.contains(text)).count();
    assert_eq!(times("increment a counter: the proxy answered"), 2);
    assert_eq!(times("change an up-down counter: the proxy answered"), 1);
    assert_eq!((times("set a gauge: the proxy answered"), times("record a value: the proxy answered")), (1, 1));
}

#[inproxy_test::test(only(native, wasm), because = "the real Envoy does not refuse calls on demand")]
async fn a_label_set_that_the_proxy_refuses_is_counted_with_what_finds_no_room(proxy: Proxy<Metrics>) {
    // Behind those of the configuration.
    let proxy = proxy.metric_labels(LABELS).refuse_nth("proxy_define_metric", 12, Status::INTERNAL_FAILURE).start().await;
    get(&proxy, "/again/3").await.expect_header("x-label-sets", "1");
    let overflow = proxy.series("metrics_requests_total", [("code", "__overflow__"), ("status_code", "__overflow__")]);
    assert_eq!(overflow.await, 1.0);
    // The next one tries again.
    assert_eq!(proxy.series("metrics_requests_total", [("status_code", "200"), ("code", "/a.b")]).await, 2.0);
    proxy.expect_log("define a metric: the proxy answered").await;
}

// ANCHOR: series
#[inproxy_test::test]
async fn requests_are_counted_by_method_code_and_route(proxy: Proxy<Requests>) {
    let proxy = proxy.metric_labels(["method", "code", "route"]).histogram_buckets("edge_request_duration_ms", &[5, 50, 500, 5000]);
    let proxy = proxy.route("api.v1", json!({})).upstream(|request| Response::new(if request.path() == "/bad" { 503 } else { 200 })).start().await;
    for (method, path) in [("GET", "/"), ("GET", "/"), ("POST", "/bad"), ("OPTIONS", "/")] {
        proxy.send(Request::new(method, path)).await;
    }
    assert_eq!(proxy.series("edge_requests_total", [("method", "GET"), ("code", "200"), ("route", "api.v1")]).await, 2.0);
    assert_eq!(proxy.series("edge_requests_total", [("method", "POST"), ("code", "503"), ("route", "api.v1")]).await, 1.0);
    assert_eq!(proxy.series("edge_requests_total", [("method", "other"), ("code", "200"), ("route", "api.v1")]).await, 1.0);
    assert_eq!(proxy.series("edge_request_duration_ms_bucket", [("route", "api.v1"), ("le", "5000")]).await, 4.0);
    assert_eq!((proxy.counter("edge_errors_total").await, proxy.counter("edge_requests_under_way").await), (1, 0));
}
// ANCHOR_END: series
