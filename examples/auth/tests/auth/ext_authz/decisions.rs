//! §4.32, with a service that decides as OPA did there: `GET` may, `POST` may not.

use std::time::Duration;

use auth::Auth;
use inproxy_test::{Proxy, Request, Response, Value, json};

use super::{asked, guarded, header, no, proto::envoy::service::auth::v3::OkHttpResponse, with, yes};

fn opa(proxy: Proxy<Auth>, protocol: &str, cache: &Value) -> Proxy<Auth> {
    let service = json!({ "cluster": "opa", "timeout": "2s" });
    let proxy = guarded(proxy, &with(json!({ protocol: service, "allowed_headers": ["*"] }), &json!({ "cache": cache })));
    match protocol {
        "grpc" => proxy.grpc("opa", |call| match asked(call).method.as_str() {
            "GET" => yes(OkHttpResponse { headers: vec![header("x-by", "opa", 2)], ..OkHttpResponse::default() }),
            _ => no(403, vec![], "no"),
        }),
        _ => proxy.cluster("opa", |request| if request.method() == "GET" { Response::new(200) } else { Response::new(403).with_body("no") }),
    }
}

async fn kept(proxy: &inproxy_test::Running) -> [f64; 2] {
    let [hits, misses] = ["hit", "miss"].map(|outcome| async move { proxy.series("auth_cache", [("check", "authz"), ("outcome", outcome)]).await });
    [hits.await, misses.await]
}

#[inproxy_test::test]
async fn ten_requests_are_nine_hits_and_one_miss(proxy: Proxy<Auth>) {
    let (host, name) = proxy.host();
    for protocol in ["grpc", "http"] {
        for (method, status) in [("GET", 200), ("POST", 403)] {
            let proxy = opa(Proxy::on(host, name), protocol, &json!({ "valid_duration": "4s", "key": ["authorization"] })).start().await;
            for _ in 0..10 {
                assert_eq!(proxy.send(Request::new(method, "/").with_header("authorization", "secret")).await.status(), status, "{protocol}");
            }
            assert_eq!(kept(&proxy).await, [9.0, 1.0], "{protocol} {method}");
            // What the service has said goes with each.
            let edited = proxy.upstream().requests().iter().filter(|request| request.header("x-by") == Some("opa")).count();
            assert_eq!(edited, if protocol == "grpc" && status == 200 { 10 } else { 0 });
            let outcome = if status == 200 { "allowed" } else { "denied" };
            assert_eq!(proxy.series("auth_checks", [("check", "authz"), ("outcome", outcome)]).await, 10.0);
        }
    }
}

#[inproxy_test::test]
async fn a_decision_is_over_after_its_time(proxy: Proxy<Auth>) {
    let proxy = opa(proxy, "grpc", &json!({ "valid_duration": "4s", "key": [] })).start().await;
    for pause in [0, 4_100] {
        proxy.advance(Duration::from_millis(pause)).await;
        for _ in 0..2 {
            assert_eq!(proxy.send(Request::get("/")).await.status(), 200);
        }
    }
    assert_eq!(kept(&proxy).await, [2.0, 2.0]);
    assert_eq!(proxy.grpc_calls("opa").len(), 2);
}

#[inproxy_test::test]
async fn a_decision_is_over_after_its_uses_and_for_others_it_is_none(proxy: Proxy<Auth>) {
    let proxy = opa(proxy, "http", &json!({ "valid_duration": "1h", "valid_use_count": 2, "key": ["authorization"] })).start().await;
    let get = |user: &str| Request::get("/").with_header("authorization", user);
    for (request, asked) in [
        (get("alice"), 1),
        (get("alice"), 1),
        (get("alice"), 1),
        (get("alice"), 2),
        (get("bob"), 3),
        (Request::get("/"), 4),
        (Request::get("/?a").with_header("authorization", "alice"), 5),
        (get("alice").with_authority("other"), 6),
        (get("alice").with_header("authorization", "alice"), 7),
        (get("alice").with_header("x-other", "1"), 7),
    ] {
        proxy.send(request).await;
        assert_eq!(proxy.service("opa").requests().len(), asked);
    }
}

#[inproxy_test::test]
async fn no_decision_is_not_kept(proxy: Proxy<Auth>) {
    let settings = json!({ "http": { "cluster": "authz" }, "cache": { "valid_duration": "1h", "key": [] } });
    let asked = std::sync::atomic::AtomicUsize::new(0);
    let proxy = guarded(proxy, &settings).cluster("authz", move |_| {
        let before = asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        Response::new(if before == 0 { 500 } else { 200 })
    });
    let proxy = proxy.start().await;
    for status in [403, 200, 200] {
        assert_eq!(proxy.send(Request::get("/")).await.status(), status);
    }
    assert_eq!(kept(&proxy).await, [1.0, 2.0]);
}
