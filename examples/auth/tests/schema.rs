//! `schema.json`, which editors and continuous integration check a configuration against. `SCHEMA=overwrite cargo test -p auth --test schema` writes it.

#![allow(missing_docs, reason = "test code")]

use auth::Settings;
use inproxy_test::json;

#[test]
fn the_schema_takes_what_the_filter_takes() {
    let check = |kind: &str, settings| json!({ "checks": { "it": { (kind): settings } }, "rules": [{ "require": "it" }] });
    let remote = json!({ "remote": { "cluster": "issuer", "path": "/jwks.json", "timeout": "1s" } });
    inproxy_test::schema::<Settings>()
        .is("schema.json")
        .accepts(json!({}))
        .accepts(json!({ "rules": [{ "name": "a", "match": { "paths": ["/a"], "methods": ["GET"] }, "when": "true", "require": [], "shadow": true }], "unmatched": "allow", "shadow": true }))
        .accepts(json!({ "rules": [{ "require": ["a", { "any": ["b", { "all": ["c", "d"] }] }] }] }))
        .refuses(json!({ "rules": [{}] }))
        .refuses(json!({ "rules": [{ "require": { "any": [] } }] }))
        .refuses(json!({ "rules": [{ "require": { "some": ["a"] } }] }))
        .refuses(json!({ "rules": [{ "require": 1 }] }))
        .refuses(json!({ "unmatched": "perhaps" }))
        .accepts(check("denier", json!({})))
        .accepts(check("denier", json!({ "status": { "code": 7, "message": "closed" }, "direct_response": { "code": 503, "body": "b", "headers": { "a": "b" } } })))
        .refuses(check("denier", json!({ "valid_duration": 5 })))
        .accepts(check("list", json!({ "value": { "header": "x-user" }, "entry_type": "REGEX", "overrides": ["^a"], "provider": { "cluster": "lists" } })))
        .refuses(check("list", json!({ "value": "nobody" })))
        .accepts(check("api_key", json!({ "sources": [{ "header": "x-key", "prefix": "Key " }, { "query": "k" }], "consumers": [{ "name": "a", "key": ["k", "l"] }, { "name": "b", "sha256": "00" }] })))
        .refuses(check("api_key", json!({ "consumers": [{ "name": "a", "key": 1 }] })))
        .accepts(check("basic", json!({ "rules": [{ "prefix": "/", "methods": ["*"], "credentials": ["a:b", { "user": "a", "sha256": "00" }] }] })))
        .refuses(check("basic", json!({ "rules": [{ "prefix": "/", "methods": ["*"], "credentials": [{ "user": "a" }] }] })))
        .accepts(check("jwt", json!({ "issuer": "i", "audiences": ["a"], "jwks": remote, "claims_to_headers": { "sub": "x-user" }, "algorithms": ["ES256"] })))
        .accepts(check("jwt", json!({ "jwks": { "inline": { "keys": [] } } })))
        .refuses(check("jwt", json!({ "jwks": { "inline": "keys" } })))
        .accepts(check("ext_authz", json!({ "grpc": { "cluster": "opa" }, "with_request_body": { "max_request_bytes": 10 }, "cache": { "valid_duration": "1s", "key": ["authorization"] } })))
        .accepts(check("ext_authz", json!({ "http": { "cluster": "opa" } })))
        .refuses(check("ext_authz", json!({ "http": { "cluster": "" } })))
        .refuses(check("rbac", json!({})));
}
