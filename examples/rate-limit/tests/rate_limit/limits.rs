use inproxy::abi::Status;
use inproxy_test::{Proxy, Request, json};
use rate_limit::RateLimit;

#[inproxy_test::test]
async fn limits_are_for_the_requests_that_they_match(proxy: Proxy<RateLimit>) {
    let none = json!({ "max_tokens": 0, "fill_interval": "1h" });
    let proxy = proxy
        .configure(json!({
            "limits": [
                { "name": "writes", "match": { "methods": ["POST"] }, "bucket": none },
                { "name": "large", "when": "request.path.startsWith('/large')", "bucket": { "max_tokens": 5, "fill_interval": "1h" }, "amount": "request.path == '/large' ? 3 : 1" },
            ],
        }))
        .start()
        .await;
    for (method, path, status, left) in [
        ("POST", "/", 429, Some("0")),
        ("GET", "/", 200, None),
        ("GET", "/large", 200, Some("2")),
        ("GET", "/large", 429, Some("2")),
        ("GET", "/large/not", 200, Some("1")),
    ] {
        let response = proxy.send(Request::new(method, path)).await;
        assert_eq!((response.status(), response.header("x-ratelimit-remaining")), (status, left), "{method} {path}");
    }
}

#[inproxy_test::test]
async fn clients_are_told_of_the_tightest_limit(proxy: Proxy<RateLimit>) {
    let bucket = |tokens| json!({ "max_tokens": tokens, "fill_interval": "1h" });
    let proxy = proxy
        .configure(
            json!({ "limits": [{ "name": "a", "bucket": bucket(9) }, { "name": "b", "bucket": bucket(2) }, { "name": "c", "bucket": bucket(5) }] }),
        )
        .start()
        .await;
    let response = proxy.send(Request::get("/")).await;
    assert_eq!((response.header("x-ratelimit-limit"), response.header("x-ratelimit-remaining")), (Some("2"), Some("1")));
    assert!(response.header("x-ratelimit-reset").is_some());
}

#[inproxy_test::test]
async fn a_client_of_grpc_is_told_that_it_has_used_up_its_resources(proxy: Proxy<RateLimit>) {
    let bucket = json!({ "max_tokens": 0, "fill_interval": "1h" });
    let proxy = proxy.configure(json!({ "limits": [{ "name": "all", "bucket": bucket }] })).start().await;
    let response = proxy.send(Request::post("/a.B/C").with_header("content-type", "application/grpc")).await;
    assert_eq!((response.status(), response.header("grpc-status")), (200, Some("8")));
}

#[inproxy_test::test]
async fn a_shadow_refuses_nothing_and_counts(proxy: Proxy<RateLimit>) {
    let none = json!({ "max_tokens": 0, "fill_interval": "1h" });
    let limits = json!([{ "name": "tomorrow", "bucket": none, "shadow": true }, { "name": "never", "bucket": none, "enforced_percent": 0 }]);
    let proxy = proxy.configure(json!({ "limits": limits })).metric_labels(["limit", "outcome"]).start().await;
    assert_eq!(proxy.send(Request::get("/")).await.status(), 200);
    for limit in ["tomorrow", "never"] {
        assert_eq!(proxy.series("rate_limit_requests", [("limit", limit), ("outcome", "shadow_limited")]).await, 1.0);
    }
}

#[inproxy_test::test]
async fn without_room_for_its_key_a_request_passes_or_not_as_the_operator_says(proxy: Proxy<RateLimit>) {
    let (host, name) = proxy.host();
    for (fail_open, status) in [(true, 200), (false, 503)] {
        let limit = json!({
            "name": format!("clients, open: {fail_open}"), "dimensions": { "key": { "header": "x-key" } },
            "bucket": { "max_tokens": 1, "fill_interval": "1h" }, "keys": 1, "fail_open": fail_open,
        });
        let proxy = Proxy::<RateLimit>::on(host, name).configure(json!({ "limits": [limit] })).start().await;
        for key in 0..8 {
            assert_eq!(proxy.send(Request::get("/").with_header("x-key", key.to_string())).await.status(), 200);
        }
        assert_eq!(proxy.send(Request::get("/").with_header("x-key", "one too many")).await.status(), status);
        // Those who have found room are limited all the same.
        assert_eq!(proxy.send(Request::get("/").with_header("x-key", "3")).await.status(), 429);
    }
}

/// §4.31: other workers are first at each attempt.
#[inproxy_test::test(only(native, wasm), because = "the real Envoy does not refuse calls on demand")]
async fn when_others_are_always_first_a_request_passes_or_not_as_the_operator_says(proxy: Proxy<RateLimit>) {
    let (host, name) = proxy.host();
    for (fail_open, status, outcome) in [(true, 200, "undecided_allowed"), (false, 503, "undecided")] {
        for count in
            [json!({ "bucket": { "max_tokens": 9, "fill_interval": "1h" } }), json!({ "quota": { "max_amount": 9, "valid_duration": "1h" } })]
        {
            let mut limit = json!({ "name": "all", "fail_open": fail_open });
            limit.as_object_mut().unwrap().extend(count.as_object().unwrap().clone());
            let proxy = Proxy::<RateLimit>::on(host, name).configure(json!({ "limits": [limit] })).metric_labels(["limit", "outcome"]);
            let proxy = proxy.refuse("proxy_set_shared_data", Status::CAS_MISMATCH).start().await;
            assert_eq!(proxy.send(Request::get("/")).await.status(), status, "{count}");
            assert_eq!(proxy.series("rate_limit_requests", [("limit", "all"), ("outcome", outcome)]).await, 1.0, "{count}");
            assert_eq!(proxy.costs().unwrap().host_calls.get("proxy_set_shared_data"), Some(&64), "{count}");
        }
    }
}

#[inproxy_test::test]
async fn each_source_of_a_dimension_tells_requests_apart(proxy: Proxy<RateLimit>) {
    let (host, name) = proxy.host();
    // Requests of the same key, and one of another.
    for (source, same, other) in [
        (json!({ "header": "x-a" }), ["/1", "/2"], Some(Request::get("/3").with_header("x-a", "b"))),
        (json!({ "cel": "request.url_path" }), ["/1?a", "/1?b"], Some(Request::get("/2?a"))),
        (json!({ "cel_int": "size(request.path)" }), ["/1", "/2"], Some(Request::get("/33"))),
        (json!({ "cel_double": "size(request.path) > 2 ? 1.5 : 0.5" }), ["/1", "/2"], Some(Request::get("/33"))),
        (json!({ "cel_bool": "request.path.startsWith('/a')" }), ["/a1", "/a2"], Some(Request::get("/b"))),
        (json!({ "text": "always" }), ["/1", "/2"], None),
        (json!("source_address"), ["/1", "/2"], None),
        (json!("principal"), ["/1", "/2"], None),
    ] {
        let limit =
            json!({ "name": "all", "fail_open": false, "dimensions": { "it": source }, "bucket": { "max_tokens": 1, "fill_interval": "1h" } });
        let proxy = Proxy::<RateLimit>::on(host, name).configure(json!({ "limits": [limit] })).start().await;
        let asked = same.map(|path| Request::get(path).with_header("x-a", "a"));
        for (request, status) in asked.into_iter().zip([200, 429]).chain(other.map(|request| (request, 200))) {
            assert_eq!(proxy.send(request).await.status(), status, "{source}");
        }
    }
}

#[inproxy_test::test]
async fn limits_that_cannot_be_meant_are_refused(proxy: Proxy<RateLimit>) {
    let (host, name) = proxy.host();
    let bucket = json!({ "max_tokens": 1, "fill_interval": "1s" });
    for (limits, reason) in [
        (json!([{ "name": "a" }]), "limits[0]: nobody counts: add \"quota\", \"bucket\" or \"global\""),
        (json!([{ "name": "a", "bucket": bucket, "quota": { "max_amount": 1 } }]), "limits[0]: quota, bucket, global: one of them counts"),
        (json!([{ "name": "a", "bucket": bucket }, { "name": "a", "bucket": bucket }]), "limits[1].name: there is another limit \"a\""),
        (json!([{ "name": "", "bucket": bucket }]), "limits[0]: name: must have 1 to 64 bytes"),
        (json!([{ "name": "a", "bucket": { "max_tokens": 1, "fill_interval": "0s" } }]), "limits[0]: bucket.fill_interval: must be at least"),
        // §4.6
        (
            json!([{ "name": "a", "quota": { "max_amount": 1, "min_deduplication_duration": "0s" } }]),
            "limits[0]: quota.min_deduplication_duration: must be more than nothing",
        ),
        (json!([{ "name": "a", "quota": { "max_amount": 1, "min_deduplication_duration": "-1s" } }]), "limits[0].quota.min_deduplication_duration: "),
        (
            json!([{ "name": "a", "quota": { "max_amount": 10000, "valid_duration": "1h" } }]),
            "limits[0]: quota.valid_duration: 10000 grants in a window of 3600 s",
        ),
        (
            json!([{ "name": "a", "quota": { "max_amount": 1, "overrides": [{ "dimensions": { "x": "" }, "max_amount": 1 }] } }]),
            "limits[0]: quota.overrides[0].dimensions: there is no dimension \"x\"; there is none",
        ),
        (json!([{ "name": "a", "bucket": bucket, "enforced_percent": 101 }]), "limits[0]: enforced_percent: 101 of a hundred"),
    ] {
        let proxy = Proxy::<RateLimit>::on(host, name).configure(json!({ "limits": limits }));
        proxy.refused().await.expect_log(reason);
    }
}
