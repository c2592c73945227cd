//! Keys of a service: fetched, kept, fetched anew.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use auth::Auth;
use inproxy_test::{Proxy, Request, Response, Running, Value, json};

use super::{Issued, alice, check, wanting, with_token};

fn remote(settings: Value) -> Value {
    let mut remote = json!({ "cluster": "issuer", "path": "/jwks.json" });
    remote.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
    json!({ "jwks": { "remote": remote } })
}

fn jwks(keys: impl IntoIterator<Item = u8>) -> Response {
    let keys: Vec<_> = keys.into_iter().map(|number| Issued::new(number).public()).collect();
    Response::new(200).with_header("content-type", "application/json").with_body(json!({ "keys": keys }).to_string())
}

async fn status(proxy: &Running, key: u8) -> u16 {
    proxy.send(with_token(&Issued::new(key).token(&alice()))).await.status()
}

#[inproxy_test::test]
async fn keys_are_fetched_once_and_kept(proxy: Proxy<Auth>) {
    let settings = remote(json!({ "prefetch": false }));
    let proxy = wanting(proxy, settings).cluster("issuer", |_| jwks([1])).start().await;
    assert_eq!(proxy.send(Request::get("/")).await.status(), 401);
    assert_eq!(proxy.send(with_token(&Issued::new(1).token(&json!({ "exp": 1 })))).await.status(), 401);
    assert!(proxy.service("issuer").requests().is_empty(), "a token that is refused as it is has keys fetched");
    for _ in 0..3 {
        assert_eq!(status(&proxy, 1).await, 200);
    }
    let asked = proxy.service("issuer").request();
    assert_eq!((asked.method(), asked.path()), ("GET", "/jwks.json"));
}

/// Also while many ask for them at the start, each of the VMs fetches them once.
#[inproxy_test::test]
async fn requests_at_the_start_wait_for_one_fetch(proxy: Proxy<Auth>) {
    let settings = remote(json!({ "prefetch": false, "timeout": "5s" }));
    let proxy = wanting(proxy, settings).workers(2).cluster("issuer", |_| jwks([1]).after(Duration::from_millis(500))).start().await;
    let mut waiting = Vec::new();
    for _ in 0..20 {
        waiting.push(proxy.open(&with_token(&Issued::new(1).token(&alice()))).await);
    }
    for exchange in waiting {
        assert_eq!(exchange.response().await.status(), 200);
    }
    assert_eq!(proxy.service("issuer").requests().len(), 2, "each worker fetches them once");
}

#[inproxy_test::test]
async fn keys_are_there_before_the_first_request(proxy: Proxy<Auth>) {
    let proxy = wanting(proxy, remote(json!({}))).cluster("issuer", |_| jwks([1])).start().await;
    for _ in 0..100 {
        if proxy.counter("auth.jwks_fetches.tokens.fetched").await > 1 {
            break;
        }
        proxy.advance(Duration::from_millis(20)).await;
    }
    let fetched = proxy.service("issuer").requests().len();
    assert!(fetched > 0);
    assert_eq!(status(&proxy, 1).await, 200);
    assert_eq!(proxy.service("issuer").requests().len(), fetched);
}

#[inproxy_test::test]
async fn keys_that_were_not_there_at_the_start_are_fetched_again(proxy: Proxy<Auth>) {
    let asked = AtomicUsize::new(0);
    let proxy = wanting(proxy, remote(json!({ "failed_refetch": "20ms", "path": "/later" })))
        .cluster("issuer", move |_| if asked.fetch_add(1, SeqCst) < 4 { Response::new(500) } else { jwks([1]) })
        .start()
        .await;
    for tries in 0.. {
        if status(&proxy, 1).await == 200 {
            break;
        }
        assert!(tries < 200, "no keys are fetched");
        proxy.advance(Duration::from_millis(20)).await;
    }
    assert!(proxy.service("issuer").requests().len() > 4);
}

#[inproxy_test::test]
async fn a_fetch_goes_on_when_the_request_is_gone_that_began_it(proxy: Proxy<Auth>) {
    let settings = remote(json!({ "prefetch": false, "timeout": "5s" }));
    let proxy = wanting(proxy, settings).cluster("issuer", |_| jwks([1]).after(Duration::from_millis(300))).start().await;
    let request = with_token(&Issued::new(1).token(&alice()));
    let first = proxy.open(&request).await;
    proxy.advance(Duration::from_millis(100)).await;
    first.leave().await;
    assert_eq!(proxy.send(request).await.status(), 200);
    assert_eq!(proxy.service("issuer").requests().len(), 1);
}

/// A token is refused at no time whose key its issuer shows at that time. New tokens come as soon as their key is there.
#[inproxy_test::test]
async fn keys_rotate_under_traffic_and_no_valid_token_is_refused(proxy: Proxy<Auth>) {
    let newest = Arc::new(AtomicUsize::new(1));
    let shown = Arc::clone(&newest);
    let settings = remote(json!({ "unknown_key_cooldown": "50ms", "timeout": "5s" }));
    let proxy = wanting(proxy, settings)
        .workers(2)
        .cluster("issuer", move |_| {
            let newest = u8::try_from(shown.load(SeqCst)).unwrap();
            // The key before is still good.
            jwks(newest.saturating_sub(1).max(1)..=newest).after(Duration::from_millis(20))
        })
        .start()
        .await;
    for generation in 1..=6_u8 {
        newest.store(generation.into(), SeqCst);
        let good = [generation, generation.saturating_sub(1).max(1)].map(|key| (key, with_token(&Issued::new(key).token(&alice()))));
        for _ in 0..5 {
            let mut waiting = Vec::new();
            for (key, request) in good.iter().cycle().take(10) {
                waiting.push((key, proxy.open(request).await));
            }
            for (key, exchange) in waiting {
                assert_eq!(exchange.response().await.status(), 200, "the token of key {key}, where {generation} is the newest");
            }
        }
        proxy.advance(Duration::from_millis(100)).await;
    }
    let fetches = proxy.service("issuer").requests().len();
    assert!(fetches <= 3 + 5 * 2, "{fetches} fetches for 5 rotations on two workers");
    assert_eq!(status(&proxy, 20).await, 401);
}

/// A fetch that was answered before the key was there is not the last word on a token that came later.
#[inproxy_test::test]
async fn a_key_is_found_that_came_while_an_older_set_was_on_its_way(proxy: Proxy<Auth>) {
    let asked = AtomicUsize::new(0);
    let settings = remote(json!({ "prefetch": false, "timeout": "5s", "cache_duration": "1ms", "max_stale": "10m", "path": "/on-its-way" }));
    let proxy = wanting(proxy, settings)
        .cluster("issuer", move |_| match asked.fetch_add(1, SeqCst) {
            0 => jwks([1]),
            1 => jwks([1]).after(Duration::from_millis(500)),
            _ => jwks([1, 2]),
        })
        .start()
        .await;
    assert_eq!(status(&proxy, 1).await, 200);
    proxy.advance(Duration::from_millis(20)).await;
    assert_eq!(status(&proxy, 1).await, 200, "stale, and fetched beside it");
    proxy.advance(Duration::from_millis(100)).await;
    assert_eq!(status(&proxy, 2).await, 200);
    assert_eq!(proxy.service("issuer").requests().len(), 3);
}

#[inproxy_test::test]
async fn whoever_invents_keys_has_one_fetch_made_and_no_more(proxy: Proxy<Auth>) {
    let settings = remote(json!({ "prefetch": false, "unknown_key_cooldown": "10m" }));
    let proxy = wanting(proxy, settings).cluster("issuer", |_| jwks([1])).start().await;
    assert_eq!(status(&proxy, 1).await, 200);
    for key in 2..40 {
        assert_eq!(status(&proxy, key).await, 401);
    }
    assert_eq!(status(&proxy, 1).await, 200);
    assert_eq!(proxy.service("issuer").requests().len(), 2);
}

/// A service that answers once, and then no more, has its keys used as long as they are fresh or stale.
#[inproxy_test::test]
async fn without_the_service_keys_are_used_while_they_are_fresh_or_stale(proxy: Proxy<Auth>) {
    let (host, name) = proxy.host();
    for (cache_duration, max_stale, expected) in [("10m", "0s", 200), ("1ms", "10m", 200), ("1ms", "1ms", 503)] {
        let settings = remote(json!({ "prefetch": false, "cache_duration": cache_duration, "max_stale": max_stale, "failed_refetch": "10m" }));
        let asked = AtomicUsize::new(0);
        let proxy = wanting(Proxy::on(host, name), settings)
            .cluster("issuer", move |_| if asked.fetch_add(1, SeqCst) == 0 { jwks([1]) } else { Response::new(500) })
            .start()
            .await;
        assert_eq!(status(&proxy, 1).await, 200);
        for _ in 0..10 {
            proxy.advance(Duration::from_millis(20)).await;
            assert_eq!(status(&proxy, 1).await, expected, "good for {cache_duration}, stale for {max_stale}");
        }
        let fetches = if cache_duration == "10m" { 1 } else { 2 };
        assert_eq!(proxy.service("issuer").requests().len(), fetches, "once, and not again just after it failed");
    }
}

#[inproxy_test::test(only(native, wasm), because = "it is about seconds, which only the model counts exactly")]
async fn a_service_that_comes_back_is_asked_again(proxy: Proxy<Auth>) {
    let is_up = Arc::new(AtomicUsize::new(1));
    let answers = Arc::clone(&is_up);
    let settings = remote(json!({ "prefetch": false, "cache_duration": "1s", "max_stale": "2s" }));
    let proxy =
        wanting(proxy, settings).cluster("issuer", move |_| if answers.load(SeqCst) == 1 { jwks([1]) } else { Response::new(500) }).start().await;
    let fetches = || proxy.service("issuer").requests().len();
    assert_eq!((status(&proxy, 1).await, fetches()), (200, 1));
    is_up.store(0, SeqCst);
    proxy.advance(Duration::from_millis(500)).await;
    assert_eq!((status(&proxy, 1).await, fetches()), (200, 1), "fresh");
    proxy.advance(Duration::from_millis(1000)).await;
    assert_eq!(status(&proxy, 1).await, 200, "stale");
    proxy.advance(Duration::from_millis(100)).await;
    assert_eq!((status(&proxy, 1).await, fetches()), (200, 2), "stale, and not tried again just after it failed");
    proxy.advance(Duration::from_millis(1800)).await;
    assert_eq!((status(&proxy, 1).await, fetches()), (503, 3), "gone");
    let response = proxy.send(with_token(&Issued::new(1).token(&alice()))).await;
    assert_eq!((response.status(), response.text(), fetches()), (503, "UNAVAILABLE:Jwks remote fetch is failed", 3));
    is_up.store(1, SeqCst);
    proxy.advance(Duration::from_millis(1100)).await;
    assert_eq!((status(&proxy, 1).await, fetches()), (200, 4), "back");
}

#[inproxy_test::test]
async fn what_is_no_set_of_keys_lets_nobody_pass(proxy: Proxy<Auth>) {
    let (host, name) = proxy.host();
    type Answer = fn() -> Response;
    let answers: [(Answer, &str); 7] = [
        (|| Response::new(404), "answered with status 404"),
        (|| Response::new(302).with_header("location", "/elsewhere"), "answered with status 302"),
        (|| Response::new(200).with_body("<html>"), "a set of keys is a JSON object"),
        (|| Response::new(200).with_body(r#"{"keys":[]}"#), "there is no key in it"),
        (|| Response::new(200).with_body(r#"{"keys":[{"kty":"EC","crv":"P-521"}]}"#), "there is no key in it that can be used"),
        (|| jwks(1..=99), "which is more than it may"),
        (|| jwks([1]).after(Duration::from_secs(2)), "checks.tokens"),
    ];
    for (place, (answer, reason)) in answers.into_iter().enumerate() {
        // In Envoy two listeners with the same configuration share a plugin, and so its keys.
        let settings = remote(json!({ "prefetch": false, "max_bytes": 4096, "path": format!("/{place}") }));
        let proxy = wanting(Proxy::on(host, name), settings).cluster("issuer", move |_| answer()).start().await;
        assert_eq!(status(&proxy, 1).await, 503, "{reason}");
        assert!(proxy.upstream().requests().is_empty());
        if reason != "checks.tokens" {
            proxy.expect_log(reason).await;
        }
    }
    let proxy =
        wanting(Proxy::on(host, name), remote(json!({ "prefetch": false, "path": "/nowhere" }))).cluster_without_endpoints("issuer").start().await;
    assert_eq!(status(&proxy, 1).await, 503);
    let proxy = wanting(Proxy::on(host, name), remote(json!({ "prefetch": false, "path": "/nobody" }))).cluster_refusing("issuer").start().await;
    assert_eq!(status(&proxy, 1).await, 503);
}

#[inproxy_test::test]
async fn a_check_without_keys_lets_pass_if_it_fails_open(proxy: Proxy<Auth>) {
    let (host, name) = proxy.host();
    for lenient in ["fail_open", "allow_missing_or_failed"] {
        let mut settings = remote(json!({ "prefetch": false }));
        settings[lenient] = json!(true);
        settings["claims_to_headers"] = json!({ "sub": "x-user" });
        let configuration = json!({ "checks": { "tokens": { "jwt": check(settings) } }, "rules": [{ "require": "tokens" }] });
        let proxy = Proxy::<Auth>::on(host, name)
            .configure(configuration)
            .cluster("issuer", |_| Response::new(500))
            .metric_labels(["check", "outcome"])
            .start()
            .await;
        let request = with_token(&Issued::new(1).token(&alice())).with_header("x-user", "root");
        assert_eq!(proxy.send(request).await.status(), 200, "{lenient}");
        assert_eq!(proxy.upstream().request().header("x-user"), None);
        let outcome = if lenient == "fail_open" { "undecided_allowed" } else { "allowed" };
        assert_eq!(proxy.series("auth_checks", [("check", "tokens"), ("outcome", outcome)]).await, 1.0, "{lenient}");
        // A token that is refused is another matter.
        let broken = proxy.send(with_token("broken")).await.status();
        assert_eq!(broken, if lenient == "fail_open" { 401 } else { 200 });
    }
}
