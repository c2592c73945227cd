//! The SDK's own types that configurations have.

use inproxy::{
    config::{Duration, PerRoute, Rules, schemars::JsonSchema},
    envoy::{PrivateKey, PublicKey, cel::Expression},
    prelude::*,
};
use inproxy_test::{Value, json};
use serde::de::DeserializeOwned;

/// One field of the type.
#[config(schema)]
struct Of<T> {
    of: T,
}

/// Both lists are shown to the schema and to the filter.
#[track_caller]
fn agree<T: DeserializeOwned + JsonSchema>(accepted: Value, refused: Value) {
    let schema = inproxy_test::schema::<Of<T>>();
    let samples = |list: Value| list.as_array().cloned().unwrap();
    samples(accepted).into_iter().for_each(|of| _ = schema.accepts(json!({ "of": of })));
    samples(refused).into_iter().for_each(|of| _ = schema.refuses(json!({ "of": of })));
}

#[test]
fn header_names_and_values() {
    agree::<HeaderName>(json!(["x", "X-User", ":path", "a!#$%&'*+-.^_`|~9"]), json!(["", ":", "::path", "x user", "x:y", "é", "x\n", 1, null]));
    agree::<HeaderValue>(json!(["", "a b", "\t", "é", "\u{7f}"]), json!(["a\nb", "a\r", "\u{0}", 1, null]));
}

#[test]
fn clusters() {
    agree::<Cluster>(json!(["a", " "]), json!(["", 1, null]));
}

#[test]
fn durations() {
    agree::<Duration>(
        json!(["0s", "5s", "200ms", "1m30s", "1.5s", "7us", "7µs", "7μs", "3ns", "2h0m0s"]),
        json!(["", "5", "-5s", "5d", "5 s", ".5s", "1.s", "5sx", "x5s", 5, 0.2, null]),
    );
    inproxy_test::schema::<Of<Duration>>().leaves_to_the_filter(json!({ "of": "18446744074s" }));
}

#[test]
fn expressions() {
    agree::<Expression>(json!(["true", "request.method == 'GET'"]), json!(["", 1, null]));
    let schema = inproxy_test::schema::<Of<Expression>>();
    for text in ["request.", "no_such_function(1)"] {
        schema.leaves_to_the_filter(json!({ "of": text }));
    }
}

#[test]
fn keys() {
    agree::<PublicKey>(json!([include_str!("../../keys/rsa.pub.pem")]), json!(["", 1, null]));
    agree::<PrivateKey>(json!([include_str!("../../keys/rsa.pem")]), json!(["", 1, null]));
    inproxy_test::schema::<Of<PublicKey>>().leaves_to_the_filter(json!({ "of": "no key" }));
    inproxy_test::schema::<Of<PrivateKey>>().leaves_to_the_filter(json!({ "of": "no key" }));
}

#[config(schema)]
struct Limit {
    limit: u8,
}

#[test]
fn parts_for_each_route() {
    agree::<PerRoute<Limit>>(
        json!([{}, { "default": null }, { "default": { "limit": 1 }, "routes": {} }, { "routes": { "search": { "limit": 2 } } }]),
        json!([{ "default": 1 }, { "default": { "max": 1 } }, { "routes": { "search": null } }, { "routes": null }, { "rules": [] }, null]),
    );
}

#[test]
fn rules() {
    let rule = |conditions: Value| json!({ "rules": [{ "match": conditions, "config": { "limit": 1 } }] });
    agree::<Rules<Limit>>(
        json!([
            {},
            { "default": { "limit": 1 }, "rules": [] },
            rule(json!({ "hosts": ["example.com", "*.example.com:8443", "[::1]"] })),
            rule(json!({ "routes": ["checkout", ""] })),
            rule(json!({ "methods": ["GET", "purge"], "hosts": ["a"] })),
            rule(json!({ "paths": ["/", "/api/", "=/login", "/a~b"], "hosts": null })),
        ]),
        json!([
            { "rules": null },
            { "rules": [{ "match": { "routes": ["a"] } }] },
            { "rules": [{ "config": { "limit": 1 } }] },
            { "rules": [{ "match": { "routes": ["a"] }, "config": { "limit": 1 }, "else": 1 }] },
            rule(json!({})),
            rule(json!({ "hosts": null })),
            rule(json!({ "hosts": [] })),
            rule(json!({ "hosts": ["a"], "queries": ["a"] })),
            rule(json!({ "hosts": ["a"], "paths": [] })),
        ]),
    );
    let schema = inproxy_test::schema::<Of<Rules<Limit>>>();
    for host in ["", "*", "*.", "a.*", "*.*.com", "http://a.com", "a.com/x", "a b", "é.com", "*..com", ".com", "a,b", "a@b", "a?b", "a#b", "a\u{7f}"]
    {
        schema.refuses(json!({ "of": rule(json!({ "hosts": [host] })) }));
    }
    for method in ["", "GE T", "GET/", "é", "GET\n"] {
        schema.refuses(json!({ "of": rule(json!({ "methods": [method] })) }));
    }
    for path in ["", "api", "=", "=api", "/a?b", "/a b", "/é", "/a*", "/a#b", "http://a/b", "==/a"] {
        schema.refuses(json!({ "of": rule(json!({ "paths": [path] })) }));
    }
    for byte in (b'!'..=b'~').map(char::from) {
        let host = json!({ "of": rule(json!({ "hosts": [format!("a{byte}")] })) });
        let first = json!({ "of": rule(json!({ "hosts": [format!("{byte}")] })) });
        let path = json!({ "of": rule(json!({ "paths": [format!("/{byte}")] })) });
        let method = json!({ "of": rule(json!({ "methods": [format!("{byte}")] })) });
        for (configuration, not) in [(method, "\"(),/:;<=>?@[\\]{}"), (host, "*/?#@,"), (first, "*/?#@,."), (path, "*?#")] {
            if not.contains(byte) {
                schema.refuses(configuration)
            } else {
                schema.accepts(configuration)
            };
        }
    }
}
