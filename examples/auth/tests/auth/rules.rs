use auth::Auth;
use inproxy::abi::Status;
use inproxy_test::{Proxy, Request, Response, json};

#[inproxy_test::test]
async fn the_first_rule_that_matches_counts(proxy: Proxy<Auth>) {
    let proxy = proxy
        .configure(json!({
            "checks": { "closed": { "denier": { "status": { "code": 7 } } }, "gone": { "denier": { "status": { "code": 5 } } } },
            "rules": [
                { "match": { "paths": ["=/health"] }, "require": [] },
                { "match": { "methods": ["DELETE"], "hosts": ["*.example.com"] }, "require": "gone" },
                { "match": { "paths": ["/admin"] }, "when": "!('x-admin' in request.headers)", "require": ["closed"] },
                { "match": { "paths": ["/"] }, "require": { "any": ["closed", { "all": [] }] } },
            ],
        }))
        .start()
        .await;
    for (request, status) in [
        (Request::get("/health"), 200),
        (Request::new("DELETE", "/x").with_authority("a.example.com"), 404),
        (Request::new("DELETE", "/x"), 200),
        (Request::get("/admin/x"), 403),
        (Request::get("/admin/x").with_header("x-admin", "yes"), 200),
        (Request::get("/elsewhere"), 200),
    ] {
        let shown = format!("{request:?}");
        assert_eq!(proxy.send(request).await.status(), status, "{shown}");
    }
}

#[inproxy_test::test]
async fn what_no_rule_is_for_is_refused_unless_the_operator_says_otherwise(proxy: Proxy<Auth>) {
    let (host, name) = proxy.host();
    for (configuration, status) in [(json!({}), 403), (json!({ "unmatched": "deny" }), 403), (json!({ "unmatched": "allow" }), 200)] {
        let proxy = Proxy::<Auth>::on(host, name).configure(configuration).start().await;
        assert_eq!(proxy.send(Request::get("/")).await.status(), status);
    }
}

#[inproxy_test::test]
async fn an_expression_that_cannot_be_evaluated_refuses(proxy: Proxy<Auth>) {
    let proxy = proxy.configure(json!({ "rules": [{ "when": "request.headers['x-a'] == 'b'", "require": [] }], "unmatched": "allow" })).start().await;
    assert_eq!(proxy.send(Request::get("/")).await.status(), 500);
    assert_eq!(proxy.send(Request::get("/").with_header("x-a", "b")).await.status(), 200);
    assert_eq!(proxy.send(Request::get("/").with_header("x-a", "c")).await.status(), 200);
}

#[inproxy_test::test]
async fn a_shadow_rule_counts_and_refuses_nothing(proxy: Proxy<Auth>) {
    let proxy = proxy
        .configure(json!({
            "checks": { "closed": { "denier": {} } },
            "rules": [
                { "name": "tomorrow", "match": { "paths": ["/old"] }, "require": "closed", "shadow": true },
                { "name": "unclear", "when": "request.headers['x-none'] == ''", "require": "closed", "shadow": true },
                { "name": "today", "require": [] },
            ],
        }))
        .metric_labels(["rule", "outcome"])
        .start()
        .await;
    assert_eq!(proxy.send(Request::get("/old")).await.status(), 200);
    assert_eq!(proxy.send(Request::get("/new")).await.status(), 200);
    assert_eq!(proxy.series("auth_shadows", [("rule", "tomorrow"), ("outcome", "denied")]).await, 1.0);
    proxy.expect_log("shadow rule tomorrow: denied").await;
}

#[inproxy_test::test]
async fn in_shadow_mode_nothing_is_refused(proxy: Proxy<Auth>) {
    let proxy = proxy
        .configure(
            json!({ "checks": { "closed": { "denier": {} } }, "rules": [{ "match": { "paths": ["/a"] }, "require": "closed" }], "shadow": true }),
        )
        .metric_labels(["rule", "outcome"])
        .start()
        .await;
    assert_eq!(proxy.send(Request::get("/a")).await.status(), 200);
    assert_eq!(proxy.send(Request::get("/b")).await.status(), 200);
    assert_eq!(proxy.series("auth_shadows", [("rule", "rules[0]"), ("outcome", "denied")]).await, 1.0);
    assert_eq!(proxy.series("auth_shadows", [("rule", "unmatched"), ("outcome", "denied")]).await, 1.0);
}

/// What clients say in the place of a check is taken out all the same.
#[inproxy_test::test]
async fn in_shadow_mode_nothing_is_refused_whose_rule_is_unclear(proxy: Proxy<Auth>) {
    let proxy = proxy
        .configure(json!({
            "checks": { "keys": { "api_key": { "consumers": [{ "name": "alice", "key": "k" }] } } },
            "rules": [{ "when": "request.headers['x-none'] == ''", "require": "keys" }],
            "shadow": true,
        }))
        .metric_labels(["rule", "outcome"])
        .start()
        .await;
    assert_eq!(proxy.send(Request::get("/").with_header("x-consumer", "root")).await.status(), 200);
    assert_eq!(proxy.upstream().request().header("x-consumer"), None);
    assert_eq!(proxy.series("auth_shadows", [("rule", "rules[0]"), ("outcome", "undecided")]).await, 1.0);
}

#[inproxy_test::test(only(native, wasm), because = "the real Envoy does not refuse calls on demand")]
async fn a_body_that_cannot_be_read_is_a_matter_of_the_check_that_needs_it(proxy: Proxy<Auth>) {
    let (host, name) = proxy.host();
    for (fail_open, shadow, status) in [(false, false, 403), (true, false, 200), (false, true, 200)] {
        let service = json!({ "http": { "cluster": "authz" }, "with_request_body": { "max_request_bytes": 9 }, "fail_open": fail_open });
        let rules = json!([{ "require": "it", "shadow": shadow }, { "require": [] }]);
        let proxy = Proxy::<Auth>::on(host, name).configure(json!({ "checks": { "it": { "ext_authz": service } }, "rules": rules }));
        // The configuration is the first buffer.
        let proxy = proxy.cluster("authz", |_| Response::new(200)).hold_headers().refuse_nth("proxy_get_buffer_bytes", 2, Status::INTERNAL_FAILURE);
        let proxy = proxy.start().await;
        assert_eq!(proxy.send(Request::post("/").with_body("a body")).await.status(), status, "fail_open {fail_open}, shadow {shadow}");
        proxy.expect_log("it: the request cannot be read: ").await;
    }
}

#[inproxy_test::test]
async fn rules_that_cannot_be_meant_are_refused(proxy: Proxy<Auth>) {
    let (host, name) = proxy.host();
    for (rule, reason) in [
        (json!({ "require": "tokens" }), r#"rules[0].require: no check is called "tokens"; there is closed"#),
        (json!({ "require": { "any": [] } }), "rules[0].require: one of none is never met"),
        (json!({ "require": { "some": [] } }), "rules[0].require: unknown field `some`, expected `any` or `all`"),
        (json!({ "require": { "any": ["closed"], "all": [] } }), "rules[0].require: \"any\" beside another one"),
        (json!({ "require": 1 }), "rules[0].require: invalid type: integer `1`, expected the name of a check, a list"),
        (json!({}), "rules[0]: missing field `require`"),
        (json!({ "require": [], "when": "request.path ==" }), "rules[0].when"),
    ] {
        let proxy = Proxy::<Auth>::on(host, name).configure(json!({ "checks": { "closed": { "denier": {} } }, "rules": [rule] }));
        proxy.refused().await.expect_log(reason);
    }
}
