//! Lists that a service has: fetched, changed, late, broken, gone.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use inproxy_test::HostKind;

use super::*;

/// What the service of a list answers at the moment.
#[derive(Clone)]
struct Lists(Arc<Mutex<Response>>);

impl Lists {
    fn of(body: &str) -> Self {
        Self(Arc::new(Mutex::new(Response::new(200).with_body(body))))
    }

    fn answer(&self, response: Response) {
        *self.0.lock().unwrap() = response;
    }

    fn serve(&self, body: &str) {
        self.answer(Response::new(200).with_body(body));
    }
}

/// A list of users, fetched every second and kept for three. No decision outlives its request, unless `list` says so.
fn users(proxy: Proxy<Auth>, lists: &Lists, list: &Value) -> Proxy<Auth> {
    let mut settings = json!({
        "value": { "header": "x-user" },
        "provider": { "cluster": "lists", "path": "/users", "authority": "lists.example.com" },
        "refresh_interval": "1s",
        "ttl": "3s",
        "caching_use_count": 0,
    });
    for (name, value) in list.as_object().unwrap() {
        settings[name] = value.clone();
    }
    let lists = lists.clone();
    with(proxy, &settings).cluster("lists", move |_| lists.0.lock().unwrap().clone())
}

async fn status(proxy: &Running, name: &str) -> u16 {
    proxy.send(user(name)).await.status()
}

/// Until a list has come again that was asked for after this.
const A_FETCH: Duration = Duration::from_millis(1300);

#[inproxy_test::test]
async fn requests_wait_for_the_first_list(proxy: Proxy<Auth>) {
    let lists = Lists::of("alice\nbob\n");
    lists.answer(Response::new(200).with_body("alice\nbob\n").after(Duration::from_millis(100)));
    let proxy = users(proxy, &lists, &json!({ "overrides": ["carol"] })).start().await;
    for (name, expected) in [("alice", 200), ("bob", 200), ("carol", 200), ("dave", 403)] {
        assert_eq!(status(&proxy, name).await, expected, "{name}");
    }
    let seen = proxy.service("lists");
    let asked = &seen.requests()[0];
    assert_eq!((asked.method(), asked.path()), ("GET", "/users"));
    assert!(format!("{asked:?}").contains("(to lists.example.com)"), "{asked:?}");
    proxy.expect_log("offices: a list with 3 entries").await;
}

#[inproxy_test::test]
async fn requests_wait_no_longer_than_they_shall(proxy: Proxy<Auth>) {
    let (host, name) = proxy.host();
    for (fail_open, expected) in [(false, 500), (true, 200)] {
        let lists = Lists::of("");
        lists.answer(Response::new(200).with_body("alice").after(Duration::from_millis(1000)));
        let list = json!({ "provider": { "cluster": "lists", "wait": "100ms" }, "fail_open": fail_open });
        let proxy = users(Proxy::on(host, name), &lists, &list).start().await;
        assert_eq!(status(&proxy, "bob").await, expected);
        proxy.expect_log("offices: there is no list: it was not fetched yet").await;
        proxy.advance(A_FETCH).await;
        assert_eq!(status(&proxy, "bob").await, 403);
        assert_eq!(status(&proxy, "alice").await, 200);
    }
}

/// §4.15: a list that is served once and then not any more is used until its ttl is over.
#[inproxy_test::test]
async fn a_list_whose_service_is_gone_is_used_until_its_ttl_is_over(proxy: Proxy<Auth>) {
    let (host, name) = proxy.host();
    for (fail_open, expected) in [(false, 500), (true, 200)] {
        let lists = Lists::of("alice");
        let proxy = users(Proxy::on(host, name), &lists, &json!({ "fail_open": fail_open })).start().await;
        assert_eq!((status(&proxy, "alice").await, status(&proxy, "bob").await), (200, 403));
        lists.answer(Response::hang_up());
        proxy.advance(A_FETCH).await;
        assert_eq!((status(&proxy, "alice").await, status(&proxy, "bob").await), (200, 403), "the list is kept");
        proxy.advance(Duration::from_millis(3000)).await;
        assert_eq!((status(&proxy, "alice").await, status(&proxy, "bob").await), (expected, expected));
        proxy.expect_log("offices: there is no list: cluster \"lists\" broke off before an answer").await;
        // It comes again, as the same list.
        lists.serve("alice");
        proxy.advance(A_FETCH).await;
        assert_eq!((status(&proxy, "alice").await, status(&proxy, "bob").await), (200, 403));
    }
}

#[inproxy_test::test]
async fn a_list_that_changes_changes_under_traffic(proxy: Proxy<Auth>) {
    let lists = Lists::of("alice");
    let proxy = users(proxy, &lists, &json!({})).start().await;
    assert_eq!((status(&proxy, "alice").await, status(&proxy, "bob").await), (200, 403));
    lists.serve("bob");
    let mut changes = Vec::new();
    for _ in 0..30 {
        let both = (status(&proxy, "alice").await, status(&proxy, "bob").await);
        if changes.last() != Some(&both) {
            changes.push(both);
        }
        proxy.advance(Duration::from_millis(50)).await;
    }
    // Between two requests it may have changed.
    changes.retain(|both| *both != (200, 200));
    assert_eq!(changes, [(200, 403), (403, 200)]);
}

/// §4.15, and what Mixer did not bound.
#[inproxy_test::test]
async fn what_cannot_be_the_list_does_not_replace_it(proxy: Proxy<Auth>) {
    let lists = Lists::of("^al.*\n");
    let list = json!({ "entry_type": "REGEX", "provider": { "cluster": "lists", "max_bytes": 20 }, "ttl": "60s" });
    let proxy = users(proxy, &lists, &list).start().await;
    assert_eq!((status(&proxy, "alice").await, status(&proxy, "bob").await), (200, 403));
    for (answer, reason) in [
        (Response::new(200).with_body("bob\n(\n"), "\"(\" is not a regular expression"),
        (Response::new(200).with_body("bob\n".repeat(6)), "the answer of cluster \"lists\" has 24 bytes, which is more than it may"),
        (Response::new(200).with_body(b"bob\xff"), "the list is not UTF-8"),
        (Response::new(500).with_body("bob"), "cluster \"lists\" answered with status 500"),
        (Response::new(301).with_header("location", "/elsewhere").with_body("bob"), "cluster \"lists\" answered with status 301"),
        (Response::new(204), "cluster \"lists\" answered with status 204"),
    ] {
        lists.answer(answer);
        proxy.advance(A_FETCH).await;
        proxy.expect_log(&format!("offices: the list was not fetched: {reason}")).await;
        assert_eq!((status(&proxy, "alice").await, status(&proxy, "bob").await), (200, 403), "{reason}");
    }
    lists.serve("bob");
    proxy.advance(A_FETCH).await;
    assert_eq!((status(&proxy, "alice").await, status(&proxy, "bob").await), (403, 200));
}

#[inproxy_test::test]
async fn a_list_of_addresses_is_json_or_lines(proxy: Proxy<Auth>) {
    let (host, name) = proxy.host();
    for body in [r#"{"whitelist": ["10.57.0.0/16"]}"#, "# offices\r\n10.57.0.0/16\r\n"] {
        let list = json!({ "value": { "header": "x-user" }, "entry_type": "IP_ADDRESSES" });
        let proxy = users(Proxy::on(host, name), &Lists::of(body), &list).start().await;
        assert_eq!((status(&proxy, "10.57.0.1").await, status(&proxy, "10.56.0.1").await), (200, 403), "{body}");
    }
}

/// Of a module that is built without the feature.
#[cfg(not(feature = "yaml"))]
#[inproxy_test::test]
async fn a_list_in_yaml_says_what_to_do(proxy: Proxy<Auth>) {
    let list = json!({ "entry_type": "IP_ADDRESSES" });
    let proxy = users(proxy, &Lists::of("whitelist:\n- 10.57.0.0/16\n"), &list).start().await;
    assert_eq!(status(&proxy, "10.57.0.1").await, 500);
    proxy.expect_log("serve JSON or one address in each line, or build it with the feature `yaml`").await;
}

/// Mixer's clients held to what they were told, for as long and as often as they were told.
#[inproxy_test::test]
async fn a_decision_holds_though_the_list_changes(proxy: Proxy<Auth>) {
    let lists = Lists::of("alice");
    let proxy = users(proxy, &lists, &json!({ "caching_interval": "4s", "caching_use_count": 100 })).start().await;
    assert_eq!((status(&proxy, "alice").await, status(&proxy, "bob").await), (200, 403));
    lists.serve("carol");
    proxy.advance(A_FETCH).await;
    assert_eq!((status(&proxy, "alice").await, status(&proxy, "bob").await), (200, 403), "as was decided");
    assert_eq!((status(&proxy, "carol").await, status(&proxy, "dave").await), (200, 403), "nothing was decided of these");
    assert_eq!(proxy.series("auth_cache_hits", [("check", "offices")]).await, 2.0);
    proxy.advance(Duration::from_millis(3500)).await;
    assert_eq!((status(&proxy, "alice").await, status(&proxy, "carol").await), (403, 200));
}

#[inproxy_test::test]
async fn a_decision_holds_for_so_many_requests(proxy: Proxy<Auth>) {
    let lists = Lists::of("alice");
    let proxy = users(proxy, &lists, &json!({ "caching_interval": "60s", "caching_use_count": 2 })).start().await;
    assert_eq!((status(&proxy, "alice").await, status(&proxy, "bob").await), (200, 403));
    lists.serve("bob");
    proxy.advance(A_FETCH).await;
    for (alice, bob) in [(200, 403), (200, 403), (403, 200)] {
        assert_eq!((status(&proxy, "alice").await, status(&proxy, "bob").await), (alice, bob));
    }
}

#[inproxy_test::test]
async fn the_service_is_asked_once_in_an_interval_by_each_worker(proxy: Proxy<Auth>) {
    let (host, name) = proxy.host();
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    let list =
        json!({ "value": { "header": "x-user" }, "provider": { "cluster": "lists" }, "refresh_interval": "2s", "ttl": "2s", "caching_use_count": 0 });
    let proxy = with(Proxy::on(host, name), &list).cluster("lists", move |_| {
        counted.fetch_add(1, Ordering::Relaxed);
        Response::new(200).with_body("alice").after(Duration::from_millis(20))
    });
    let proxy = proxy.start().await;
    for _ in 0..50 {
        assert_eq!(status(&proxy, "alice").await, 200, "it is fetched again before its time is over");
        proxy.advance(Duration::from_millis(100)).await;
    }
    // A worker and the main thread, three times each in five seconds. In Envoy somewhat more goes by.
    let most = if host == HostKind::Envoy { 20 } else { 6 };
    let count = count.load(Ordering::Relaxed);
    assert!((6..=most).contains(&count), "{count}");
}
