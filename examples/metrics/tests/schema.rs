//! What operators and their editors know of the configuration.

#![allow(missing_docs, reason = "test code")]

use inproxy_test::json;
use metrics::Metrics;

#[test]
fn the_schema_says_what_the_filter_takes() {
    let metric = json!({ "name": "a", "kind": "COUNTER" });
    let all = json!({
        "namespace": "shop", "name": "a", "kind": "DISTRIBUTION", "value": "request.duration", "scale": 1000, "labels": { "code": "response.code" }, "when": "true",
        "buckets": { "linear_buckets": { "num_finite_buckets": 3, "width": 1, "offset": 1 } },
    });
    inproxy_test::schema::<Metrics>()
        .is("schema.json")
        .accepts(json!({}))
        .accepts(json!({ "metrics": [metric, all], "label_sets": 10 }))
        .accepts(json!({ "istio": {} }))
        .accepts(json!({ "istio": {
            "definitions": [{ "name": "a", "value": "1", "type": "GAUGE" }],
            "metrics": [{ "name": "requests_total", "dimensions": { "a": "request.host" }, "tags_to_remove": ["reporter"], "drop": false }],
            "disable_host_header_fallback": true, "stat_prefix": "istio", "reporter": "source", "metadata_exchange": true,
        } }))
        .accepts(json!({ "attributes": [{ "output_attribute": "class", "match": [{ "value": "2xx", "condition": "true" }, { "value": "other" }] }] }))
        .accepts(json!({ "exclude": { "user_agents": ["curl*"], "when": "false" } }))
        .refuses(json!({ "metric": [] }))
        .refuses(json!({ "metrics": [{ "name": "a" }] }))
        .refuses(json!({ "metrics": [{ "name": "a", "kind": "counter" }] }))
        .refuses(json!({ "metrics": [{ "name": "a", "kind": "COUNTER", "labels": { "code": 1 } }] }))
        .refuses(json!({ "istio": { "reporter": "both" } }))
        .refuses(json!({ "istio": { "metrics": [{ "match": "true" }] } }));
}
