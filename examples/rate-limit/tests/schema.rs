//! What operators and their editors know of the configuration.

#![allow(missing_docs, reason = "test code")]

use inproxy_test::json;
use rate_limit::RateLimit;

#[test]
fn the_schema_says_what_the_filter_takes() {
    let bucket = json!({ "max_tokens": 20, "tokens_per_fill": 10, "fill_interval": "1s" });
    let descriptors = json!([[{ "key": "remote_address", "value": "source_address" }, { "key": "plan", "value": { "header": "x-plan" } }]]);
    inproxy_test::schema::<RateLimit>()
        .is("schema.json")
        .accepts(json!({}))
        .accepts(json!({ "limits": [{ "name": "a", "bucket": bucket }], "headers": "none", "status": 503 }))
        .accepts(json!({ "limits": [{
            "name": "a", "match": { "methods": ["GET"] }, "when": "true", "dimensions": { "a": { "cel": "request.path" }, "b": "principal", "c": { "text": "x" } },
            "quota": { "max_amount": 3, "valid_duration": "60s", "overrides": [{ "dimensions": { "a": "/" }, "max_amount": 5, "valid_duration": "1s" }], "deduplicate_by": "x-request-id" },
            "keys": 8, "fail_open": false, "shadow": true, "enforced_percent": 50,
        }] }))
        .accepts(json!({ "limits": [{ "name": "a", "amount": "2", "global": { "cluster": "c", "domain": "d", "descriptors": descriptors, "timeout": "20ms" } }] }))
        .refuses(json!({ "limit": [] }))
        .refuses(json!({ "limits": [{ "bucket": bucket }] }))
        .refuses(json!({ "limits": [{ "name": "a", "bucket": { "max_tokens": -1, "fill_interval": "1s" } }] }))
        .refuses(json!({ "limits": [{ "name": "a", "bucket": { "max_tokens": 1, "fill_interval": 1 } }] }))
        .refuses(json!({ "limits": [{ "name": "a", "dimensions": { "a": "source" } }] }))
        .refuses(json!({ "headers": "some" }));
}
