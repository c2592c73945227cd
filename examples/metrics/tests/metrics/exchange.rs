//! `reference` §3.5 and 4.33: workloads tell each other who they are.

use inproxy_test::{Proxy, Request, Response, Running, json};
use metrics::Metrics;

use super::labels::{expect, mesh, only, send};

const ID: &str = "x-envoy-peer-metadata-id";
const METADATA: &str = "x-envoy-peer-metadata";

/// `{WORKLOAD_NAME: "web-v2", NAMESPACE: "front", LABELS: {app: "web"}}`
const WEB: &str = "ChoKBkxBQkVMUxIQKg4KDAoDYXBwEgUaA3dlYgoUCglOQU1FU1BBQ0USBxoFZnJvbnQKGQoNV09SS0xPQURfTkFNRRIIGgZ3ZWItdjI=";

async fn on_the_side(proxy: Proxy<Metrics>, reporter: &str) -> Running {
    let upstream = |request: &Request| {
        let response = Response::new(200).with_header("x-has", format!("{} {}", request.header(ID).is_some(), request.header(METADATA).is_some()));
        if request.header("x-quiet").is_some() { response } else { response.with_header(ID, "upstream").with_header(METADATA, WEB) }
    };
    mesh(proxy).configure(json!({ "istio": { "reporter": reporter, "metadata_exchange": true } })).upstream(upstream).start().await
}

#[inproxy_test::test]
async fn a_server_answers_what_a_client_has_told_4_33(proxy: Proxy<Metrics>) {
    let proxy = on_the_side(proxy, "destination").await;
    let quiet = || Request::get("/").with_header("x-quiet", "1");
    for (request, id, metadata) in [
        (quiet(), false, false),
        (quiet().with_header(ID, "client"), true, false),
        (quiet().with_header(ID, "client").with_header(METADATA, WEB), true, true),
        (quiet().with_header(METADATA, "nonsense"), false, true),
    ] {
        let response = proxy.send(request.clone()).await;
        assert_eq!((response.header(ID).is_some(), response.header(METADATA).is_some()), (id, metadata), "{request:?}");
        response.expect_header("x-has", "false false");
    }
}

#[inproxy_test::test]
async fn the_client_is_the_source_3_5(proxy: Proxy<Metrics>) {
    let proxy = on_the_side(proxy, "destination").await;
    for _ in 0..3 {
        send(&proxy, Request::get("/").with_header(ID, "client").with_header(METADATA, WEB), 200).await;
    }
    let series = only(&proxy, "istio_requests_total").await;
    assert_eq!(series.value, 3.0);
    let expected = [
        ("source_workload", "web-v2"),
        ("source_workload_namespace", "front"),
        ("source_app", "web"),
        ("source_version", "unknown"),
        ("source_canonical_service", "web-v2"),
        ("source_canonical_revision", "latest"),
        ("source_cluster", "unknown"),
        ("destination_workload", "cart-v1"),
    ];
    expect(&series, expected);
}

#[inproxy_test::test]
async fn a_client_tells_and_hears_who_the_server_is_3_5(proxy: Proxy<Metrics>) {
    let proxy = on_the_side(proxy, "source").await;
    let response = proxy.send(Request::get("/")).await;
    response.expect_header("x-has", "true true");
    assert_eq!((response.header(ID), response.header(METADATA)), (None, None), "it goes no further");
    expect(
        &only(&proxy, "istio_requests_total").await,
        [("source_workload", "cart-v1"), ("destination_workload", "web-v2"), ("destination_app", "web")],
    );
}
