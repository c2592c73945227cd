//! `schema.json`, which editors and continuous integration check a configuration against. `SCHEMA=overwrite cargo test -p api-key` writes it.

#![allow(missing_docs, reason = "test code")]

use api_key::ApiKey;
use inproxy_test::json;

// ANCHOR: schema
#[test]
fn the_schema_takes_what_the_filter_takes() {
    let authority = |timeout_ms: i64| json!({ "authority": { "cluster": "authority", "timeout_ms": timeout_ms } });
    inproxy_test::schema::<ApiKey>()
        .is("schema.json")
        .accepts(json!({}))
        .accepts(json!({ "header": "X-Key", "consumers": [{ "name": "alice", "key": "alice-key" }] }))
        .accepts(authority(500))
        .refuses(authority(-1))
        .refuses(json!({ "header": "x key" }))
        .refuses(json!({ "authority": { "cluster": "" } }))
        .refuses(json!({ "consumers": [{ "name": "alice" }] }))
        .refuses(json!({ "consumer": [] }));
}
// ANCHOR_END: schema
