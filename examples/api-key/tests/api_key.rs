//! What `api-key` does, on three hosts.

#![allow(missing_docs, reason = "test code")]

use std::time::Duration;

use api_key::ApiKey;
use inproxy_test::{Proxy, Request, Response, json};

fn configured(proxy: Proxy<ApiKey>) -> Proxy<ApiKey> {
    proxy.configure(json!({
        "realm": "test",
        "consumers": [{ "name": "alice", "key": "alice-key" }],
        "authority": { "cluster": "authority", "path": "/whose-key", "timeout_ms": 500 },
    }))
}

#[inproxy_test::test]
async fn a_missing_key_is_challenged(proxy: Proxy<ApiKey>) {
    let proxy = configured(proxy).cluster("authority", |_| Response::new(404)).start().await;
    let response = proxy.send(Request::get("/").with_header("x-consumer", "alice")).await;
    assert_eq!(response.status(), 401);
    assert_eq!(response.header("www-authenticate"), Some("ApiKey realm=\"test\""));
    assert!(proxy.upstream().requests().is_empty());
    assert_eq!(proxy.counter("api_key.denied").await, 1);
}

#[inproxy_test::test]
async fn a_known_key_passes_and_is_not_shown_to_the_upstream(proxy: Proxy<ApiKey>) {
    let proxy = configured(proxy).cluster("authority", |_| Response::new(404)).start().await;
    let response = proxy.send(Request::get("/").with_header("x-api-key", "alice-key").with_header("x-consumer", "root")).await;
    assert_eq!(response.status(), 200);
    let seen = proxy.upstream().request();
    assert_eq!(seen.headers("x-consumer"), ["alice"]);
    assert_eq!(seen.header("x-api-key"), None);
    assert!(proxy.service("authority").requests().is_empty());
    assert_eq!(proxy.counter("api_key.allowed").await, 1);
}

// ANCHOR: authority
#[inproxy_test::test]
async fn the_authority_is_asked_about_other_keys(proxy: Proxy<ApiKey>) {
    let proxy = configured(proxy)
        .cluster("authority", |request| match request.header("x-api-key") {
            Some("bob-key") => Response::new(200).with_header("x-consumer", "bob"),
            _ => Response::new(404),
        })
        .start()
        .await;
    assert_eq!(proxy.send(Request::post("/").with_header("x-api-key", "bob-key").with_body("the body")).await.status(), 200);
    let seen = proxy.upstream().request();
    assert_eq!((seen.header("x-consumer"), seen.text()), (Some("bob"), "the body"));
    assert_eq!(proxy.send(Request::get("/").with_header("x-api-key", "stolen")).await.status(), 403);
    assert_eq!(proxy.upstream().requests().len(), 1);
    assert!(proxy.service("authority").requests().iter().all(|request| request.path() == "/whose-key"));
}
// ANCHOR_END: authority

// ANCHOR: no_decision
#[inproxy_test::test]
async fn no_decision_is_no_admission(proxy: Proxy<ApiKey>) {
    let proxy = configured(proxy)
        .cluster("authority", |request| match request.header("x-api-key") {
            Some("broken") => Response::new(500),
            Some("nameless") => Response::new(200),
            Some("cut") => Response::new(200).with_header("x-consumer", "x").with_body("half").cut_off(),
            _ => Response::new(200).with_header("x-consumer", "late").after(Duration::from_millis(1500)),
        })
        .start()
        .await;
    for key in ["broken", "nameless", "cut", "slow"] {
        assert_eq!(proxy.send(Request::get("/").with_header("x-api-key", key)).await.status(), 503, "{key}");
    }
    assert!(proxy.upstream().requests().is_empty());
    assert_eq!(proxy.counter("api_key.failed").await, 4);
}
// ANCHOR_END: no_decision

#[inproxy_test::test]
async fn an_authority_without_endpoints_is_no_admission(proxy: Proxy<ApiKey>) {
    let proxy = configured(proxy).cluster_without_endpoints("authority").start().await;
    assert_eq!(proxy.send(Request::get("/").with_header("x-api-key", "any")).await.status(), 503);
    assert!(proxy.upstream().requests().is_empty());
}

#[inproxy_test::test]
async fn keys_that_cannot_be_meant_are_refused(proxy: Proxy<ApiKey>) {
    let consumers = json!({ "consumers": [{ "name": "alice", "key": "k" }, { "name": "bob", "key": "k" }] });
    proxy.configure(consumers).refused().await.expect_log(r#"consumers: "alice" and "bob" have the same key"#);
}
