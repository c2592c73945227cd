//! `reference` §3.2, §3.3 and 4.33: Istio's standard metrics.

use api_key::ApiKey;
use inproxy_test::{Certificate, Client, Proxy, Request, Response, Tls, json};
use metrics::Metrics;

use super::labels::{ISTIO, counted, expect, mesh, once, only, send};

#[inproxy_test::test]
async fn a_request_has_all_the_labels_3_2(proxy: Proxy<Metrics>) {
    let services = json!({ "istio": { "services": [{ "name": "cart", "host": "cart.shop.svc.cluster.local", "namespace": "shop" }] } });
    let proxy =
        mesh(proxy).cluster_metadata(services).configure(json!({ "istio": {} })).upstream(|_| Response::new(201).with_body("hello")).start().await;
    for _ in 0..10 {
        send(&proxy, Request::post("/").with_body("four"), 201).await;
    }
    let series = only(&proxy, "istio_requests_total").await;
    assert_eq!(series.value, 10.0);
    let expected = [
        ("reporter", "destination"),
        ("source_workload", "unknown"),
        ("source_workload_namespace", "unknown"),
        ("source_principal", "unknown"),
        ("source_app", "unknown"),
        ("source_version", "unknown"),
        ("source_canonical_service", "unknown"),
        ("source_canonical_revision", "latest"),
        ("source_cluster", "unknown"),
        ("destination_workload", "cart-v1"),
        ("destination_workload_namespace", "shop"),
        ("destination_principal", "unknown"),
        ("destination_app", "cart"),
        ("destination_version", "v1"),
        ("destination_service", "cart.shop.svc.cluster.local"),
        ("destination_service_name", "cart"),
        ("destination_service_namespace", "shop"),
        ("destination_canonical_service", "cart"),
        ("destination_canonical_revision", "r1"),
        ("destination_cluster", "c1"),
        ("request_protocol", "http"),
        ("response_flags", "-"),
        ("connection_security_policy", "none"),
        ("response_code", "201"),
        ("grpc_response_status", ""),
    ];
    expect(&series, expected);
    assert_eq!(series.labels.len(), ISTIO.len());
    for name in ["istio_request_duration_milliseconds", "istio_request_bytes", "istio_response_bytes"] {
        assert_eq!(only(&proxy, &format!("{name}_count")).await.value, 10.0, "{name}");
    }
    // With their headers.
    assert!(only(&proxy, "istio_request_bytes_sum").await.value > 40.0);
    assert!(only(&proxy, "istio_response_bytes_sum").await.value > 50.0);
}

#[inproxy_test::test]
async fn the_clients_side_reports_the_servers_workload_from_its_endpoint_or_not_at_all_3_2(proxy: Proxy<Metrics>) {
    let proxy = mesh(proxy).configure(json!({ "istio": { "reporter": "source" } })).start().await;
    proxy.send(Request::get("/").with_authority("a.example")).await.expect(&Response::new(200));
    let series = only(&proxy, "istio_requests_total").await;
    let expected = [
        ("reporter", "source"),
        ("source_workload", "cart-v1"),
        ("source_canonical_revision", "r1"),
        ("destination_workload", "unknown"),
        ("destination_canonical_revision", "latest"),
        ("destination_service", "a.example"),
        ("destination_service_name", "a.example"),
        ("connection_security_policy", "unknown"),
    ];
    expect(&series, expected);
}

#[inproxy_test::test]
async fn what_a_filter_before_it_refuses_is_counted_as_what_it_is(proxy: Proxy<ApiKey>) {
    let keys = json!({ "consumers": [{ "name": "alice", "key": "k" }] });
    let proxy = mesh(proxy).configure(keys).then::<Metrics>(json!({ "istio": {} })).start().await;
    let call = Request::post("/acme.Cart/Add").with_header("content-type", "application/grpc").with_header("te", "trailers");
    for (request, status) in [(Request::get("/"), 401), (Request::get("/").with_header("user-agent", "kube-probe/1"), 401)] {
        send(&proxy, request, status).await;
    }
    proxy.send(call).await;
    let series = counted(&proxy, "istio_requests_total").await;
    let mut told: Vec<_> = series
        .iter()
        .map(|series| (series.labels["request_protocol"].as_str(), series.labels["grpc_response_status"].as_str(), series.value))
        .collect();
    told.sort_by(|one, other| one.0.cmp(other.0));
    assert_eq!(told, [("grpc", "16", 1.0), ("http", "", 1.0)]);
}

#[inproxy_test::test]
async fn the_host_is_not_taken_where_that_is_disabled_3_2(proxy: Proxy<Metrics>) {
    let proxy = mesh(proxy).configure(json!({ "istio": { "disable_host_header_fallback": true } })).start().await;
    proxy.send(Request::get("/").with_authority("made.up")).await.expect(&Response::new(200));
    expect(&only(&proxy, "istio_requests_total").await, [("destination_service", "unknown"), ("destination_service_name", "unknown")]);
}

#[inproxy_test::test]
async fn what_a_route_blocks_goes_to_the_black_hole_3_2(proxy: Proxy<Metrics>) {
    let proxy = mesh(proxy).route("block_all", json!({})).configure(json!({ "istio": {} })).start().await;
    proxy.send(Request::get("/")).await.expect(&Response::new(200));
    expect(&only(&proxy, "istio_requests_total").await, [("destination_service_name", "BlackHoleCluster"), ("source_workload", "unknown")]);
}

#[inproxy_test::test]
async fn certificates_are_the_principals_4_33(proxy: Proxy<Metrics>) {
    let server = Certificate::new().dns("cart.example").uri("spiffe://cluster.local/ns/shop/sa/cart");
    let client = Client::new().certificate(&Certificate::new().uri("spiffe://cluster.local/ns/front/sa/web"));
    let proxy = mesh(proxy).tls(Tls::new(&server).require_client_certificate()).configure(json!({ "istio": {} })).start().await;
    assert_eq!(proxy.send_from(&client, Request::get("/")).await.status(), 200);
    let expected = [
        ("connection_security_policy", "mutual_tls"),
        ("source_principal", "spiffe://cluster.local/ns/front/sa/web"),
        ("destination_principal", "spiffe://cluster.local/ns/shop/sa/cart"),
    ];
    expect(&only(&proxy, "istio_requests_total").await, expected);
}

#[inproxy_test::test]
async fn a_request_that_goes_wrong_has_its_flags_3_2(proxy: Proxy<Metrics>) {
    let late = |_: &Request| Response::new(200).after(std::time::Duration::from_secs(5));
    let proxy = mesh(proxy).configure(json!({ "istio": {} })).upstream(late).route_timeout(std::time::Duration::from_millis(50)).start().await;
    assert_eq!(proxy.send(Request::get("/")).await.status(), 504);
    let exchange = proxy.open(&Request::get("/")).await;
    exchange.leave().await;
    let series = once(&proxy, "istio_requests_total", |series| series.len() == 2).await;
    let told: Vec<_> = series.iter().map(|series| (series.labels["response_code"].as_str(), series.labels["response_flags"].as_str())).collect();
    assert!(told.contains(&("504", "UT")) && told.contains(&("0", "DC")), "{told:?}");
}

#[inproxy_test::test]
async fn metrics_are_customized_4_33(proxy: Proxy<Metrics>) {
    let istio = json!({
        "definitions": [
            { "name": "requests_total", "value": "10" },
            { "name": "custom", "value": "int(request.headers['x-amount'])", "type": "COUNTER" },
            { "name": "level", "value": "size(request.path)", "type": "GAUGE" },
            { "name": "slowest", "value": "size(request.path)", "type": "HISTOGRAM" },
        ],
        "metrics": [
            { "name": "requests_total", "dimensions": { "destination_app": "no expression (", "request_host": "request.host", "cannot_evaluate": "request.headers['x-none']", "reporter": "'proxy'" } },
            { "name": "custom", "dimensions": { "reporter": "'proxy'", "source_principal": "'malicious'" } },
            { "tags_to_remove": ["response_flags", "source_cluster", "destination_cluster"] },
            { "name": "request_bytes", "drop": true },
        ],
    });
    let (host, name) = proxy.host();
    let labels =
        ["reporter", "request_host", "cannot_evaluate", "destination_app", "response_code", "response_flags", "source_cluster", "source_principal"];
    let proxy = Proxy::<Metrics>::on(host, name).metric_labels(labels).configure(json!({ "istio": istio })).start().await;
    for _ in 0..10 {
        proxy.send(Request::get("/abc").with_authority("a.example").with_header("x-amount", "1")).await.expect(&Response::new(200));
    }
    let text = proxy.prometheus().await;
    // The labels that Envoy is not told of stay in the name.
    let lines = |name: &str| -> Vec<&str> {
        text.lines().filter(|line| line.contains(name) && !line.contains("__overflow__") && !line.starts_with('#')).collect()
    };
    let total = lines("istio_requests_total");
    assert_eq!(total.len(), 1, "{total:#?}");
    assert!(total[0].ends_with(" 100"), "{total:?}");
    for label in [r#"reporter="proxy""#, r#"request_host="a.example""#, r#"cannot_evaluate="unknown""#, r#"response_code="200""#] {
        assert!(total[0].contains(label), "{label} is not in {total:?}");
    }
    for label in ["destination_app", "response_flags", "source_cluster"] {
        assert!(!total[0].contains(label), "{label} is in {total:?}");
    }
    let custom = lines("istio_custom");
    assert!(
        custom.iter().any(|line| line.ends_with(" 10") && line.contains(r#"reporter="proxy""#) && line.contains(r#"source_principal="malicious""#)),
        "{custom:?}"
    );
    assert!(lines("istio_level").iter().any(|line| line.ends_with(" 4")), "the length of the path");
    assert!(lines("istio_slowest_count").iter().any(|line| line.ends_with(" 10")));
    assert_eq!(lines("istio_request_bytes"), Vec::<&str>::new());
    proxy.expect_log("the metrics do not have the label destination_app").await;
}
