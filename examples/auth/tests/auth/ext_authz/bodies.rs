use auth::Auth;
use inproxy_test::{Proxy, Request, Response, json};

use super::{asked, guarded, no, proto::envoy::service::auth::v3::OkHttpResponse, with, yes};

#[inproxy_test::test]
async fn the_service_gets_the_body_before_the_upstream(proxy: Proxy<Auth>) {
    let (host, name) = proxy.host();
    for (partial, cases) in [
        (false, [("", 200), ("good", 200), ("evil", 403), ("exactly 10", 200), ("more than 10", 413)]),
        (true, [("", 200), ("good", 200), ("evil", 403), ("exactly 10", 200), ("more than 10", 200)]),
    ] {
        for protocol in ["grpc", "http"] {
            let more = json!({ "with_request_body": { "max_request_bytes": 10, "allow_partial_message": partial, "pack_as_bytes": partial } });
            let proxy = guarded(Proxy::on(host, name), &with(json!({ protocol: { "cluster": "authz" } }), &more)).hold_headers();
            let proxy = match protocol {
                "grpc" => proxy.grpc("authz", |call| {
                    let http = asked(call);
                    if http.body.starts_with("evil") || http.raw_body.starts_with(b"evil") {
                        no(403, vec![], "")
                    } else {
                        yes(OkHttpResponse::default())
                    }
                }),
                _ => proxy.cluster("authz", |request| Response::new(if request.text().starts_with("evil") { 403 } else { 200 })),
            };
            let proxy = proxy.start().await;
            for (body, status) in cases {
                let before = proxy.upstream().requests().len();
                let request = Request::post("/").with_header("x-envoy-auth-partial-body", "a lie").with_body(body);
                assert_eq!(proxy.send(request).await.status(), status, "{protocol}, partial {partial}: {body}");
                let upstream = proxy.upstream();
                let passed: Vec<_> = upstream.requests()[before..].iter().map(|request| request.text().to_owned()).collect();
                assert_eq!(passed, if status == 200 { vec![body.to_owned()] } else { Vec::new() }, "{protocol}, partial {partial}: {body}");
            }
            let (bodies, said): (Vec<String>, Vec<Option<String>>) = match protocol {
                "grpc" => proxy
                    .grpc_calls("authz")
                    .iter()
                    .map(asked)
                    .map(|http| {
                        let text = String::from_utf8([http.body.into_bytes(), http.raw_body].concat()).unwrap();
                        (text, http.headers.get("x-envoy-auth-partial-body").cloned())
                    })
                    .unzip(),
                _ => {
                    let service = proxy.service("authz");
                    service
                        .requests()
                        .iter()
                        .map(|request| (request.text().to_owned(), request.header("x-envoy-auth-partial-body").map(str::to_owned)))
                        .unzip()
                }
            };
            let said: Vec<_> = said.iter().map(Option::as_deref).collect();
            if partial {
                assert_eq!(bodies, ["", "good", "evil", "exactly 10", "more than "], "{protocol}");
                assert_eq!(said, [None, Some("false"), Some("false"), Some("false"), Some("true")], "{protocol}");
            } else {
                assert_eq!(bodies, ["", "good", "evil", "exactly 10"], "{protocol}: what is too large is not sent");
                assert_eq!(said, [None, Some("false"), Some("false"), Some("false")], "{protocol}");
            }
        }
    }
}

#[inproxy_test::test]
async fn a_service_decides_by_the_beginning_of_a_body_that_has_not_ended(proxy: Proxy<Auth>) {
    let settings = json!({ "http": { "cluster": "authz" }, "with_request_body": { "max_request_bytes": 4, "allow_partial_message": true } });
    let proxy = guarded(proxy, &settings).hold_headers().cluster("authz", |_| Response::new(403).with_body("no")).start().await;
    let mut request = proxy.open(&Request::post("/").with_body("evil things")).await;
    request.body(b"evil t").await;
    let response = request.response().await;
    assert_eq!((response.status(), response.text()), (403, "no"));
    assert_eq!(proxy.service("authz").request().text(), "evil");
    assert!(proxy.upstream().requests().is_empty());
}

#[inproxy_test::test]
async fn a_rule_that_needs_no_body_does_not_wait_for_one(proxy: Proxy<Auth>) {
    let check = json!({ "http": { "cluster": "authz" }, "with_request_body": { "max_request_bytes": 4 } });
    let proxy = proxy.configure(json!({
        "checks": { "authz": { "ext_authz": check }, "closed": { "denier": {} } },
        "rules": [{ "match": { "paths": ["/closed"] }, "require": "closed" }, { "require": "authz" }],
    }));
    let proxy = proxy.hold_headers().cluster("authz", |_| Response::new(200)).start().await;
    let request = proxy.open(&Request::post("/closed").with_body("which does not come")).await;
    assert_eq!(request.response().await.status(), 400);
}

/// A shadow rule refuses nothing, not even a body that is too large for it.
#[inproxy_test::test]
async fn a_shadow_rule_gets_the_body_too(proxy: Proxy<Auth>) {
    let check = json!({ "http": { "cluster": "authz" }, "with_request_body": { "max_request_bytes": 4 } });
    let proxy = proxy.configure(json!({ "checks": { "authz": { "ext_authz": check } }, "rules": [{ "name": "tomorrow", "require": "authz", "shadow": true }, { "require": [] }] }));
    let proxy = proxy.hold_headers().cluster("authz", |_| Response::new(200)).metric_labels(["rule", "outcome"]).start().await;
    for body in ["four", "longer"] {
        assert_eq!(proxy.send(Request::post("/").with_body(body)).await.status(), 200);
    }
    assert_eq!(proxy.service("authz").request().text(), "four");
    assert_eq!(proxy.series("auth_shadows", [("rule", "tomorrow"), ("outcome", "allowed")]).await, 1.0);
    assert_eq!(proxy.series("auth_shadows", [("rule", "tomorrow"), ("outcome", "denied")]).await, 1.0);
}

/// What Envoy has sent to its upstream, in bytes.
async fn sent(proxy: &inproxy_test::Running) -> f64 {
    let all = proxy.prometheus().await;
    let upstream = all.lines().filter(|line| line.starts_with("envoy_cluster_upstream_cx_tx_bytes_total{") && !line.contains("authz"));
    upstream.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
}

#[inproxy_test::test(only(envoy), because = "the bytes on the upstream's connection are Envoy's to count")]
async fn the_upstream_sees_no_byte_of_a_refused_body(proxy: Proxy<Auth>) {
    let settings = json!({ "http": { "cluster": "authz" }, "with_request_body": { "max_request_bytes": 1000, "allow_partial_message": true } });
    let proxy = guarded(proxy, &settings).hold_headers();
    let proxy = proxy.cluster("authz", |request| Response::new(if request.text().starts_with("evil") { 403 } else { 200 })).start().await;
    let before = sent(&proxy).await;
    assert_eq!(proxy.send(Request::post("/").with_body("evil".repeat(10_000))).await.status(), 403);
    assert_eq!(sent(&proxy).await, before);
    assert_eq!(proxy.send(Request::post("/").with_body("good".repeat(10_000))).await.status(), 200);
    assert!(sent(&proxy).await >= before + 40_000.0, "what is admitted is counted");
}
