use auth::Auth;
use inproxy_test::{Proxy, Request, Value, json};

/// Of `carol-key`.
const CAROL: &str = "368c3387fc9b5ce6ab156ad952031f52bc9154e89a727020cd314f8910a21823";

fn keys() -> Value {
    json!({
        "sources": [{ "header": "x-api-key" }, { "query": "key" }, { "cookie": "key" }],
        "realm": "test",
        "consumers": [{ "name": "alice", "key": ["alice-key", "alice-old"], "groups": ["staff"] }, { "name": "bob", "key": "bob-key" }, { "name": "carol", "sha256": CAROL }],
        "allow_consumers": ["carol"],
        "allow_groups": ["staff"],
    })
}

fn configured(proxy: Proxy<Auth>, keys: &Value) -> Proxy<Auth> {
    proxy.configure(
        json!({ "checks": { "keys": { "api_key": keys } }, "rules": [{ "match": { "paths": ["/open"] }, "require": [] }, { "require": "keys" }] }),
    )
}

#[inproxy_test::test]
async fn a_request_without_a_known_key_is_challenged(proxy: Proxy<Auth>) {
    let proxy = configured(proxy, &keys()).metric_labels(["check", "outcome"]).start().await;
    for (request, said) in [
        (Request::get("/").with_header("x-consumer", "alice"), "a key is missing"),
        (Request::get("/").with_header("x-api-key", ""), "a key is missing"),
        (Request::get("/").with_header("x-api-key", "stolen"), "this key is not known"),
        (Request::get("/?key=stolen"), "this key is not known"),
        (Request::get("/").with_header("x-api-key", "alice-key").with_header("x-api-key", "bob-key"), "there is more than one key"),
        (Request::get("/?key=alice-key&key=alice-key"), "there is more than one key"),
        (Request::get("/?key=alice-key").with_header("x-api-key", "bob-key"), "there is more than one key"),
    ] {
        let shown = format!("{request:?}");
        let response = proxy.send(request).await;
        assert_eq!((response.status(), response.text()), (401, format!("UNAUTHENTICATED:keys:{said}").as_str()), "{shown}");
        assert_eq!(response.header("www-authenticate"), Some("ApiKey realm=\"test\""));
    }
    assert!(proxy.upstream().requests().is_empty());
    assert_eq!(proxy.series("auth_checks", [("check", "keys"), ("outcome", "denied")]).await, 7.0);
}

#[inproxy_test::test]
async fn a_consumer_who_is_not_allowed_is_refused_otherwise(proxy: Proxy<Auth>) {
    let proxy = configured(proxy, &keys()).start().await;
    let response = proxy.send(Request::get("/").with_header("x-api-key", "bob-key")).await;
    assert_eq!((response.status(), response.text()), (403, "PERMISSION_DENIED:keys:the consumer of this key is not allowed"));
    assert_eq!(response.header("www-authenticate"), None);
    assert!(proxy.upstream().requests().is_empty());
}

#[inproxy_test::test]
async fn the_upstream_gets_the_name_in_place_of_the_key(proxy: Proxy<Auth>) {
    let proxy = configured(proxy, &keys()).start().await;
    for (request, consumer) in [
        (Request::get("/a?b=%41&c").with_header("x-api-key", "alice-key"), "alice"),
        (Request::get("/a?b=%41&k%65y=alice-o%6cd&c"), "alice"),
        (Request::get("/a?b=%41&c").with_header("cookie", "key=\"carol-key\""), "carol"),
        (Request::get("/a?key=carol-key&b=%41&c").with_header("cookie", "key=carol-key").with_header("x-api-key", "carol-key"), "carol"),
    ] {
        assert_eq!(proxy.send(request.with_header("x-consumer", "root")).await.status(), 200);
        let requests = proxy.upstream().requests().to_vec();
        let seen = requests.last().unwrap();
        assert_eq!((seen.headers("x-consumer"), seen.path()), (vec![consumer], "/a?b=%41&c"));
        assert_eq!((seen.header("x-api-key"), seen.header("cookie")), (None, None));
    }
    assert_eq!(proxy.send(Request::get("/?key=alice-key").with_header("cookie", "a=\"1\"; key=alice-key;b=2")).await.status(), 200);
    let requests = proxy.upstream().requests().to_vec();
    let seen = requests.last().unwrap();
    assert_eq!((seen.path(), seen.header("cookie")), ("/", Some("a=\"1\";b=2")));
}

#[inproxy_test::test]
async fn a_key_may_be_forwarded(proxy: Proxy<Auth>) {
    let mut keys = keys();
    keys["forward"] = json!(true);
    keys["consumer_header"] = json!("x-who");
    let proxy = configured(proxy, &keys).start().await;
    assert_eq!(proxy.send(Request::get("/?key=alice-key")).await.status(), 200);
    let seen = proxy.upstream().request();
    assert_eq!((seen.path(), seen.header("x-who")), ("/?key=alice-key", Some("alice")));
}

#[inproxy_test::test]
async fn no_client_says_itself_who_it_is(proxy: Proxy<Auth>) {
    let proxy = configured(proxy, &keys()).start().await;
    assert_eq!(proxy.send(Request::get("/open").with_header("x-consumer", "alice").with_header("x-consumer", "root")).await.status(), 200);
    assert_eq!(proxy.upstream().request().header("x-consumer"), None);
}

#[inproxy_test::test]
async fn a_client_of_grpc_gets_the_code(proxy: Proxy<Auth>) {
    let proxy = configured(proxy, &keys()).start().await;
    let call = || Request::post("/a.B/C").with_header("content-type", "application/grpc");
    let response = proxy.send(call()).await;
    assert_eq!(
        (response.status(), response.header("grpc-status"), response.header("grpc-message")),
        (200, Some("16"), Some("keys:a key is missing"))
    );
    assert_eq!(proxy.send(call().with_header("x-api-key", "bob-key")).await.header("grpc-status"), Some("7"));
}

#[inproxy_test::test]
async fn keys_that_cannot_be_meant_are_refused(proxy: Proxy<Auth>) {
    let (host, name) = proxy.host();
    let alice = json!({ "name": "alice", "key": "k" });
    for (keys, reason) in [
        (json!({ "consumers": [alice, { "name": "bob", "key": ["l", "k"] }] }), "checks.keys.api_key.consumers[1]: consumers[0] has the same key"),
        (json!({ "consumers": [{ "name": "bob", "sha256": "abc" }] }), "checks.keys.api_key.consumers[0].sha256: the SHA-256 of a key has 64"),
        (json!({ "consumers": [{ "name": "bob", "key": "" }] }), "checks.keys.api_key.consumers[0].key: the key is empty"),
        (json!({ "consumers": [alice], "allow_consumers": ["bob"] }), "checks.keys.api_key.allow_consumers: no consumer is called \"bob\""),
        (json!({ "consumers": [alice], "sources": [] }), "checks.keys.api_key.sources: a key must be somewhere"),
        (json!({ "consumers": [alice], "sources": [{ "query": "" }] }), "checks.keys.api_key.sources[0].query: the name of a parameter is not empty"),
        (json!({ "consumers": [alice], "realm": "a\nb" }), "checks.keys.api_key.realm: it has control characters"),
        (json!({ "consumers": [alice], "consumer_header": ":path" }), "checks.keys.api_key.consumer_header: :path is no header for a name"),
        (json!({ "consumers": [alice], "keys": [] }), "checks.keys.api_key: unknown field, expected sources, consumers,"),
        (json!({}), "checks.keys.api_key: missing field `consumers`"),
    ] {
        configured(Proxy::on(host, name), &keys).refused().await.expect_log(reason);
    }
}
