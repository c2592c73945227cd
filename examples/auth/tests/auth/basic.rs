//! `reference` sections are those of Mixer's golden cases.

use auth::Auth;
use inproxy_test::{Proxy, Request, Value, json};

/// Base64 of `ok:test`, of `admin3:admin3` and of `ok:wrong`.
const OK: &str = "Basic b2s6dGVzdA==";
const ADMIN3: &str = "Basic YWRtaW4zOmFkbWluMw==";
const WRONG: &str = "Basic b2s6d3Jvbmc=";

/// SHA-256 of `test`.
const TEST: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

fn configured(proxy: Proxy<Auth>, basic: &Value) -> Proxy<Auth> {
    proxy.configure(json!({ "checks": { "door": { "basic": basic } }, "rules": [{ "require": "door" }] }))
}

fn api() -> Value {
    let credentials = json!([{ "user": "ok", "sha256": TEST }, "admin2:admin2", "YWRtaW4zOmFkbWluMw=="]);
    json!({ "rules": [{ "hosts": ["*.example.com"], "prefix": "/api", "methods": ["GET", "POST"], "credentials": credentials }], "user_header": "x-user" })
}

fn get(path: &str) -> Request {
    Request::get(path).with_authority("a.example.com:8080")
}

/// §4.30.
#[inproxy_test::test]
async fn who_is_not_known_is_challenged_without_a_body(proxy: Proxy<Auth>) {
    let proxy = configured(proxy, &api()).start().await;
    for (request, details) in [
        (get("/api"), "Request_denied_by_Basic_Auth_check._No_Basic_Authentication_information_found."),
        (
            get("/api?a=b").with_header("authorization", "b2s6dGVzdA=="),
            "Request_denied_by_Basic_Auth_check._No_Basic_Authentication_information_found.",
        ),
        (get("/api").with_header("authorization", WRONG), "Request_denied_by_Basic_Auth_check._Invalid_username_and/or_password"),
        (get("/api").with_header("authorization", "Basic %"), "Request_denied_by_Basic_Auth_check._Invalid_username_and/or_password"),
    ] {
        let shown = format!("{request:?}");
        let response = proxy.send(request).await;
        assert_eq!((response.status(), response.text()), (401, ""), "{shown}");
        assert_eq!(response.header("www-authenticate"), Some("Basic realm=\"istio\""));
        let accesses = proxy.access_log().await;
        assert_eq!(accesses.last().map(|access| access.details.as_str()), Some(details), "{shown}");
    }
    assert!(proxy.upstream().requests().is_empty());
}

/// Envoy makes one of them, with a comma in between.
#[inproxy_test::test]
async fn two_authorizations_are_refused(proxy: Proxy<Auth>) {
    let proxy = configured(proxy, &api()).start().await;
    for other in [OK, ADMIN3, "Bearer t"] {
        let response = proxy.send(get("/api").with_header("authorization", OK).with_header("authorization", other)).await;
        assert_eq!(response.status(), 401, "{other}");
        let response = proxy.send(get("/api").with_header("authorization", other).with_header("authorization", OK)).await;
        assert_eq!(response.status(), 401, "{other}");
    }
    assert!(proxy.upstream().requests().is_empty());
}

#[inproxy_test::test]
async fn the_upstream_gets_the_user_in_place_of_the_password(proxy: Proxy<Auth>) {
    let proxy = configured(proxy, &api()).start().await;
    for (authorization, user) in [(OK, "ok"), (ADMIN3, "admin3")] {
        let request = get("/api/test").with_header("authorization", authorization).with_header("x-user", "root");
        assert_eq!(proxy.send(request).await.status(), 200);
        let requests = proxy.upstream().requests().to_vec();
        let seen = requests.last().unwrap();
        assert_eq!((seen.headers("x-user"), seen.header("authorization")), (vec![user], None));
    }
}

/// §4.30: also with wrong credentials, which are not ours to judge then.
#[inproxy_test::test]
async fn what_no_rule_covers_passes_as_it_is(proxy: Proxy<Auth>) {
    let proxy = configured(proxy, &api()).start().await;
    for request in [Request::new("PUT", "/api").with_authority("a.example.com"), get("/other?/api"), Request::get("/api")] {
        let request = request.with_header("authorization", WRONG).with_header("x-user", "root");
        assert_eq!(proxy.send(request).await.status(), 200);
        let requests = proxy.upstream().requests().to_vec();
        let seen = requests.last().unwrap();
        assert_eq!((seen.header("authorization"), seen.header("x-user")), (Some(WRONG), None));
    }
}

#[inproxy_test::test]
async fn a_password_may_be_forwarded(proxy: Proxy<Auth>) {
    let mut basic = api();
    basic["forward"] = json!(true);
    let proxy = configured(proxy, &basic).start().await;
    assert_eq!(proxy.send(get("/api").with_header("authorization", OK)).await.status(), 200);
    assert_eq!(proxy.upstream().request().header("authorization"), Some(OK));
}

#[inproxy_test::test]
async fn a_client_of_grpc_gets_the_code(proxy: Proxy<Auth>) {
    let proxy = configured(proxy, &api()).start().await;
    let call = Request::post("/api.B/C").with_authority("a.example.com").with_header("content-type", "application/grpc");
    let response = proxy.send(call).await;
    let message = response.header("grpc-message");
    assert_eq!((response.status(), response.header("grpc-status")), (200, Some("16")));
    assert_eq!(message, Some("door:No Basic Authentication information found."));
}

fn both(proxy: Proxy<Auth>, require: &Value) -> Proxy<Auth> {
    let basic = json!({ "rules": [{ "prefix": "/", "methods": ["*"], "credentials": ["ok:test"] }], "user_header": "x-user" });
    let keys = json!({ "consumers": [{ "name": "alice", "key": "alice-key" }] });
    proxy.configure(json!({ "checks": { "door": { "basic": basic }, "keys": { "api_key": keys } }, "rules": [{ "require": require }] }))
}

#[inproxy_test::test]
async fn one_of_two_is_enough_where_any_is(proxy: Proxy<Auth>) {
    let proxy = both(proxy, &json!({ "any": ["door", "keys"] })).start().await;
    let forged = || Request::get("/").with_header("x-user", "root").with_header("x-consumer", "root");
    for (request, status, user, consumer) in [
        (forged(), 401, None, None),
        (forged().with_header("authorization", WRONG), 401, None, None),
        (forged().with_header("authorization", OK), 200, Some("ok"), None),
        (forged().with_header("x-api-key", "alice-key"), 200, None, Some("alice")),
        (forged().with_header("authorization", WRONG).with_header("x-api-key", "alice-key"), 200, None, Some("alice")),
    ] {
        let shown = format!("{request:?}");
        assert_eq!(proxy.send(request).await.status(), status, "{shown}");
        if status == 200 {
            let requests = proxy.upstream().requests().to_vec();
            let seen = requests.last().unwrap();
            assert_eq!((seen.header("x-user"), seen.header("x-consumer")), (user, consumer), "{shown}");
        }
    }
    assert_eq!(proxy.upstream().requests().len(), 3);
}

/// RFC 9110, section 11.6.1.
#[inproxy_test::test]
async fn a_client_is_told_of_both_where_one_is_enough(proxy: Proxy<Auth>) {
    let proxy = both(proxy, &json!({ "any": ["door", "keys"] })).start().await;
    let response = proxy.send(Request::get("/")).await;
    assert_eq!((response.status(), response.headers("www-authenticate")), (401, vec!["Basic realm=\"istio\"", "ApiKey"]));
}

#[inproxy_test::test]
async fn both_are_needed_where_all_are(proxy: Proxy<Auth>) {
    let proxy = both(proxy, &json!(["door", "keys"])).start().await;
    for (request, status) in [
        (Request::get("/").with_header("authorization", OK), 401),
        (Request::get("/").with_header("x-api-key", "alice-key"), 401),
        (Request::get("/").with_header("authorization", OK).with_header("x-api-key", "alice-key"), 200),
    ] {
        assert_eq!(proxy.send(request).await.status(), status);
    }
    let seen = proxy.upstream().request();
    assert_eq!((seen.header("x-user"), seen.header("x-consumer")), (Some("ok"), Some("alice")));
    assert_eq!((seen.header("authorization"), seen.header("x-api-key")), (None, None));
}

/// §4.30, configurations.
#[inproxy_test::test]
async fn what_cannot_be_meant_is_refused(proxy: Proxy<Auth>) {
    let (host, name) = proxy.host();
    let rule = |extra: Value| {
        let mut rule = json!({ "methods": ["GET"], "credentials": ["ok:test"] });
        for (field, value) in extra.as_object().unwrap() {
            rule[field] = value.clone();
        }
        json!({ "rules": [rule] })
    };
    for (basic, reason) in [
        (rule(json!({ "prefix": "/", "exact": "/" })), "checks.door.basic.rules[0]: one of prefix, exact and suffix is needed"),
        (rule(json!({})), "checks.door.basic.rules[0]: one of prefix, exact and suffix is needed"),
        (rule(json!({ "prefix": "/", "methods": "GET" })), "checks.door.basic.rules[0].methods: invalid type: string, expected a sequence"),
        (rule(json!({ "prefix": "/", "methods": [] })), "checks.door.basic.rules[0]: methods: at least one is needed"),
        (rule(json!({ "prefix": "/", "credentials": [] })), "checks.door.basic.rules[0]: credentials: at least one is needed"),
        (rule(json!({ "prefix": "/", "credentials": ["ok"] })), "checks.door.basic.rules[0].credentials[0]: it is neither user:password nor base64"),
        (rule(json!({ "prefix": "/", "hosts": ["a:80"] })), "checks.door.basic.rules[0]: hosts[0]: write a host without a port"),
        (rule(json!({ "prefix": "/", "credentials": [{ "user": "ok" }] })), "checks.door.basic.rules[0].credentials[0]: missing field `sha256`"),
        (json!({ "realm": "a\nb" }), "checks.door.basic.realm: it has control characters"),
    ] {
        configured(Proxy::on(host, name), &basic).refused().await.expect_log(reason);
    }
}

/// §4.30: `{}`, and the names of the extension's fields.
#[inproxy_test::test]
async fn what_the_extension_took_is_taken(proxy: Proxy<Auth>) {
    let (host, name) = proxy.host();
    let rule = json!({ "prefix": "/", "request_methods": ["GET"], "credentials": ["ok:test"] });
    for (basic, status) in [(json!({}), 200), (json!({ "basic_auth_rules": [rule], "realm": "a \"b\"" }), 401)] {
        let proxy = configured(Proxy::on(host, name), &basic).start().await;
        let response = proxy.send(Request::get("/")).await;
        assert_eq!(response.status(), status);
        assert_eq!(response.header("www-authenticate"), (status == 401).then_some(r#"Basic realm="a \"b\"""#));
    }
}
