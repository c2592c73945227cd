//! `metrics`: whatever is refused, a request is served as if nothing were counted.

use inproxy_test::{Proxy, Request, Response, Value, json};
use metrics::{Metrics, TcpMetrics};

use crate::case::{Case, allow, tcp};

/// What a workload tells of itself: one label.
const PEER: &str = "ChMKBUxBQkVMUxIKKggKBgoBYRIBYg==";

fn around(proxy: Proxy<Metrics>) -> Proxy<Metrics> {
    proxy.vm_id("sweep").upstream(|request| {
        let response = Response::new(200).with_header("x-envoy-peer-metadata-id", "upstream").with_header("x-envoy-peer-metadata", PEER);
        match request.header("content-type") {
            Some(grpc) => response.with_header("content-type", grpc).with_body([0, 0, 0, 0, 1, 7]).with_trailer("grpc-status", "0"),
            None => response,
        }
    })
}

fn case(name: &'static str, configuration: Value, request: Request) -> Case {
    allow::<Metrics>(name, configuration, request).with(around).into()
}

pub fn cases() -> Vec<Case> {
    let get =
        || Request::get("/").with_header("x-value", "7").with_header("x-envoy-peer-metadata-id", "client").with_header("x-envoy-peer-metadata", PEER);
    let call = Request::post("/").with_header("content-type", "application/grpc").with_body([0, 0, 0, 0, 2, 1, 2]);
    let own = json!({
        "metrics": [
            { "name": "requests", "kind": "COUNTER", "labels": { "class": "class", "path": "request.path" } },
            { "name": "values", "kind": "DISTRIBUTION", "value": "request.headers['x-value']", "when": "request.method == 'GET'" },
            { "name": "level", "kind": "GAUGE", "value": "response.code" },
        ],
        "attributes": [{ "output_attribute": "class", "match": [{ "value": "2xx", "condition": "response.code == 200" }, { "value": "other" }] }],
        "exclude": { "when": "request.path == '/health'" },
    });
    let exchange = |reporter: &str| json!({ "istio": { "metadata_exchange": true, "reporter": reporter } });
    vec![
        case("metrics: of one's own", own, get()),
        case("metrics: Istio's", json!({ "istio": {} }), get()),
        case("metrics: Istio's, of a gRPC call", json!({ "istio": {} }), call),
        case("metrics: Istio's, at the server's side of an exchange", exchange("destination"), get()),
        case("metrics: Istio's, at the client's side of an exchange", exchange("source"), get()),
        tcp::<TcpMetrics>("metrics: Istio's, of a connection", json!({ "istio": {} }), "hello").with(|proxy| proxy.vm_id("sweep")).into(),
    ]
}
