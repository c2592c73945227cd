use filters::per_route::{CacheControl, InACallback, Later, Sizes};
use inproxy_test::{Proxy, Request, Response, RouteMatch, json};

// ANCHOR: routes
#[inproxy_test::test]
async fn each_route_has_its_configuration(proxy: Proxy<Sizes>) {
    let upload = RouteMatch::Path { prefix: "/upload".to_owned() };
    let proxy = proxy.route_to("upload", upload, "upstream").route("others", json!({}));
    let sizes = json!({ "default": { "bytes": 10 }, "routes": { "upload": { "bytes": 100 } } });
    let proxy = proxy.configure(json!({ "sizes": sizes })).start().await;
    for (path, length, status) in [("/", 10, 200), ("/", 11, 413), ("/upload", 100, 200), ("/upload", 101, 413)] {
        let response = proxy.send(Request::post(path).with_body(vec![b'x'; length])).await;
        assert_eq!(response.status(), status, "{path} {length}");
    }
}
// ANCHOR_END: routes

#[inproxy_test::test]
async fn a_table_that_is_not_one_is_refused_with_the_place_of_the_fault(proxy: Proxy<Sizes>) {
    let (host, name) = proxy.host();
    for (sizes, reason) in [
        (r#"{"routes":{"a":{"bytes":1},"a":{"bytes":2}}}"#, "the route \"a\" is given twice"),
        (r#"{"routes":{"a":{"bytes":1},"b":{"bytes":"x"}}}"#, "sizes.routes.b.bytes: invalid type: string \"x\", expected u64"),
        (r#"{"route":{}}"#, "sizes.route: unknown field `route`, expected `default` or `routes`"),
        (r#"{"default":{"byte":1}}"#, "sizes.default.byte: unknown field `byte`, expected `bytes`"),
        (r#"{"default":{"bytes":1},"default":{"bytes":1}}"#, "duplicate field `default`"),
    ] {
        let proxy = Proxy::<Sizes>::on(host, name).configure_text(&format!(r#"{{"sizes":{sizes}}}"#));
        proxy.refused().await.expect_log(reason);
    }
}

// ANCHOR: rules
#[inproxy_test::test]
async fn the_first_rule_that_matches_is_taken(proxy: Proxy<CacheControl>) {
    let rules = json!([
        { "match": { "hosts": ["*.example.com"], "paths": ["/static", "=/favicon.ico"] }, "config": { "seconds": 3600 } },
        { "match": { "paths": ["/static"] }, "config": { "seconds": 60 } },
        { "match": { "routes": ["search"] }, "config": { "seconds": 5 } },
        { "match": { "methods": ["HEAD", "DELETE"] }, "config": { "seconds": 1 } },
    ]);
    let search = RouteMatch::Path { prefix: "/search".to_owned() };
    let proxy =
        proxy.configure(json!({ "max_age": { "default": { "seconds": 0 }, "rules": rules } })).route_to("search", search, "upstream").start().await;
    for (host, path, seconds) in [
        ("www.example.com", "/static/a.css?v=1", 3600),
        ("WWW.example.com:8080", "/favicon.ico", 3600),
        ("example.com", "/static", 60),
        ("example.com", "/favicon.ico", 0),
        ("example.com", "/statics", 0),
        ("example.com", "/search", 5),
    ] {
        let response = proxy.send(Request::get(path).with_authority(host)).await;
        assert_eq!(response.header("cache-control"), Some(format!("max-age={seconds}").as_str()), "{host} {path}");
    }
    assert_eq!(proxy.send(Request::new("DELETE", "/")).await.header("cache-control"), Some("max-age=1"));
}
// ANCHOR_END: rules

#[inproxy_test::test]
async fn nothing_is_taken_where_no_rule_matches_and_there_is_no_default(proxy: Proxy<CacheControl>) {
    let rules = json!([{ "match": { "hosts": ["a.example"] }, "config": { "seconds": 1 } }]);
    let proxy = proxy.configure(json!({ "max_age": { "rules": rules } })).start().await;
    assert_eq!(proxy.send(Request::get("/")).await.header("cache-control"), None);
}

#[inproxy_test::test]
async fn a_rule_that_could_match_nothing_is_refused_with_the_place_of_the_fault(proxy: Proxy<CacheControl>) {
    let (host, name) = proxy.host();
    for (rule, reason) in [
        (
            json!({ "match": {}, "config": { "seconds": 1 } }),
            "max_age.rules[0].match: a rule without hosts, routes, methods or paths would take all requests",
        ),
        (json!({ "match": { "hosts": [] }, "config": { "seconds": 1 } }), "max_age.rules[0].match: an empty list matches nothing: leave hosts out"),
        (json!({ "match": { "hosts": ["a", "b/c"] }, "config": { "seconds": 1 } }), "max_age.rules[0].match.hosts[1]: \"b/c\" is not a host"),
        (json!({ "match": { "methods": ["G T"] }, "config": { "seconds": 1 } }), "max_age.rules[0].match: \"G T\" is not a method"),
        (json!({ "match": { "paths": ["api"] }, "config": { "seconds": 1 } }), "max_age.rules[0].match.paths[0]: \"api\" is not a path"),
        (json!({ "match": { "path": ["/"] }, "config": { "seconds": 1 } }), "max_age.rules[0].match.path: unknown field `path`"),
        (json!({ "match": { "paths": ["/"] }, "config": { "second": 1 } }), "max_age.rules[0].config.second: unknown field `second`"),
        (json!({ "match": { "paths": ["/"] } }), "max_age.rules[0]: missing field `config`"),
        (json!({ "config": { "seconds": 1 } }), "max_age.rules[0]: missing field `match`"),
    ] {
        let proxy = Proxy::<CacheControl>::on(host, name).configure(json!({ "max_age": { "rules": [rule] } }));
        proxy.refused().await.expect_log(reason);
    }
}

#[inproxy_test::test]
async fn rules_hold_after_a_wait_and_see_what_was_edited(proxy: Proxy<Later>) {
    let rules = json!({ "rules": [{ "match": { "paths": ["/edited"] }, "config": 1 }, { "match": { "routes": ["a"] }, "config": 2 }] });
    let edited = RouteMatch::Path { prefix: "/edited".to_owned() };
    let proxy = proxy
        .route_to("edited", edited, "upstream")
        .route("a", json!({}))
        .configure(json!({ "rules": rules, "routes": { "routes": { "a": 3, "edited": 4 } } }));
    let proxy = proxy.upstream(|_| Response::new(200)).start().await;
    assert_eq!(proxy.send(Request::get("/")).await.header("x-told"), Some("Some(2) Some(3)"));
    let edited = proxy.send(Request::get("/").with_header("x-edit", "1")).await;
    assert_eq!(edited.header("x-told"), Some("Some(1) Some(3)"), "the route that is known is still the first");
}

#[inproxy_test::test]
async fn rules_hold_in_callbacks_too(proxy: Proxy<InACallback>) {
    let rules = json!({ "default": 0, "rules": [{ "match": { "paths": ["/a"] }, "config": 1 }] });
    let proxy = proxy.configure(json!({ "rules": rules })).start().await;
    proxy.send(Request::get("/a/b")).await;
    proxy.upstream().request().expect_header("x-told", "Some(1)");
}
