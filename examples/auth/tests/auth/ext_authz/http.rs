use auth::Auth;
use inproxy_test::{Proxy, Request, Response, json};

use super::guarded;

#[inproxy_test::test]
async fn the_service_gets_the_request_and_what_of_its_headers_it_may(proxy: Proxy<Auth>) {
    let settings = json!({
        "http": { "cluster": "authz", "path_prefix": "/check", "headers_to_add": { "x-from": "proxy" } },
        "allowed_headers": ["x-user", "x-trace-*"],
    });
    let proxy = guarded(proxy, &settings).cluster("authz", |_| Response::new(200)).start().await;
    let request = Request::new("DELETE", "/a?b=c").with_authority("shop.example").with_header("authorization", "Bearer t").with_header("cookie", "c");
    let request = request.with_header("x-user", "u").with_header("x-trace-id", "7").with_header("x-from", "client").with_header("x-other", "o");
    assert_eq!(proxy.send(request).await.status(), 200);
    let seen = proxy.service("authz").request();
    assert_eq!((seen.method(), seen.path(), seen.text()), ("DELETE", "/check/a?b=c", ""));
    for (name, value) in [
        ("authorization", Some("Bearer t")),
        ("x-user", Some("u")),
        ("x-trace-id", Some("7")),
        ("x-from", Some("proxy")),
        ("cookie", None),
        ("x-other", None),
    ] {
        assert_eq!(seen.headers(name), value.into_iter().collect::<Vec<_>>(), "{name}");
    }
    // The upstream has them all.
    assert_eq!((proxy.upstream().request().header("cookie"), proxy.upstream().request().header("x-from")), (Some("c"), Some("client")));
}

#[inproxy_test::test]
async fn nobody_sees_a_name_that_a_client_has_made_up(proxy: Proxy<Auth>) {
    let door = json!({ "basic": { "user_header": "x-user", "rules": [{ "prefix": "/", "methods": ["*"], "credentials": ["ok:test"] }] } });
    let authz = json!({ "ext_authz": { "http": { "cluster": "authz" }, "allowed_headers": ["x-user"] } });
    let named = json!({ "list": { "value": { "header": "x-user" }, "overrides": ["alice"] } });
    let rules = json!([{ "match": { "paths": ["/named"] }, "require": "named" }, { "require": "authz" }]);
    let proxy = proxy.configure(json!({ "checks": { "door": door, "authz": authz, "named": named }, "rules": rules }));
    let proxy = proxy.cluster("authz", |_| Response::new(200)).start().await;
    let request = |path| Request::get(path).with_header("x-user", "alice");
    assert_eq!(proxy.send(request("/")).await.status(), 200);
    assert_eq!((proxy.service("authz").request().header("x-user"), proxy.upstream().request().header("x-user")), (None, None));
    assert_eq!(proxy.send(request("/named")).await.status(), 403);
}

#[inproxy_test::test]
async fn of_a_yes_upstream_and_client_get_what_they_may(proxy: Proxy<Auth>) {
    let settings = json!({
        "http": {
            "cluster": "authz",
            "allowed_upstream_headers": ["x-user"],
            "allowed_upstream_headers_to_append": ["x-seen-by"],
            "allowed_client_headers_on_success": ["set-cookie"],
        },
    });
    let proxy = guarded(proxy, &settings)
        .cluster("authz", |_| {
            let yes = Response::new(200).with_header("x-user", "alice").with_header("x-seen-by", "authz").with_header("set-cookie", "c=1");
            yes.with_header("x-other", "o").with_header("x-envoy-auth-headers-to-remove", "authorization, x-key").with_body("ignored")
        })
        .upstream(|_| Response::new(201).with_header("set-cookie", "d=2").with_body("hello"))
        .start()
        .await;
    let request = Request::get("/")
        .with_header("authorization", "t")
        .with_header("x-key", "k")
        .with_header("x-user", "root")
        .with_header("x-seen-by", "client");
    let response = proxy.send(request).await;
    assert_eq!(
        (response.status(), response.text(), response.headers("set-cookie"), response.header("x-other")),
        (201, "hello", vec!["d=2", "c=1"], None)
    );
    let seen = proxy.upstream().request();
    assert_eq!((seen.headers("x-user"), seen.headers("x-seen-by")), (vec!["alice"], vec!["client", "authz"]));
    assert_eq!((seen.header("authorization"), seen.header("x-key"), seen.header("x-other")), (None, None, None));
}

#[inproxy_test::test]
async fn a_no_is_the_services_own_answer(proxy: Proxy<Auth>) {
    let (host, name) = proxy.host();
    for (allowed, why) in [(json!([]), Some("because")), (json!(["x-none"]), None)] {
        let settings = json!({ "http": { "cluster": "authz", "allowed_client_headers": allowed } });
        let proxy = guarded(Proxy::on(host, name), &settings).cluster("authz", |request| match request.path() {
            "/login" => Response::new(302).with_header("location", "/sign-in"),
            "/none" => Response::new(204),
            _ => Response::new(401).with_header("www-authenticate", "Basic").with_header("x-why", "because").with_body("who are you"),
        });
        let proxy = proxy.start().await;
        let response = proxy.send(Request::get("/")).await;
        assert_eq!(
            (response.status(), response.text(), response.header("www-authenticate"), response.header("x-why")),
            (401, "who are you", Some("Basic"), why)
        );
        let response = proxy.send(Request::get("/login")).await;
        assert_eq!((response.status(), response.header("location")), (302, Some("/sign-in")));
        assert_eq!(proxy.send(Request::get("/none")).await.status(), 204, "any other than 200 is a no");
        let response = proxy.send(Request::post("/").with_header("content-type", "application/grpc")).await;
        assert_eq!((response.status(), response.header("grpc-status")), (200, Some("16")));
        assert!(proxy.upstream().requests().is_empty());
    }
}
