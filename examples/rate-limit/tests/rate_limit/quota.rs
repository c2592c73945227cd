use std::time::Duration;

use inproxy_test::{Proxy, Request, Response, json};
use rate_limit::RateLimit;

#[inproxy_test::test]
async fn a_window_rolls(proxy: Proxy<RateLimit>) {
    let proxy = proxy.configure(json!({ "limits": [{ "name": "all", "quota": { "max_amount": 3, "valid_duration": "2s" } }] })).start().await;
    let mut admitted = Vec::new();
    for _ in 0..2 {
        let mut count = 0;
        for _ in 0..5 {
            count += u32::from(proxy.send(Request::get("/")).await.status() == 200);
        }
        admitted.push(count);
        proxy.advance(Duration::from_millis(2200)).await;
    }
    assert_eq!(admitted, [3, 3]);
}

/// §4.12, the overrides.
#[inproxy_test::test]
async fn overrides_give_other_amounts(proxy: Proxy<RateLimit>) {
    let quota = json!({
        "max_amount": 5, "valid_duration": "1h",
        "overrides": [
            { "dimensions": { "destination": "ratings", "source": "reviews" }, "max_amount": 2, "valid_duration": "1h" },
            { "dimensions": { "destination": "reviews" }, "max_amount": 1, "valid_duration": "1h" },
        ],
    });
    let dimensions = json!({ "destination": { "header": "x-to" }, "source": { "header": "x-from" } });
    let proxy = proxy.configure(json!({ "limits": [{ "name": "requestcount", "dimensions": dimensions, "quota": quota }] })).start().await;
    for (to, from, admitted) in [("ratings", "reviews", 2), ("reviews", "a", 1), ("ratings", "a", 5)] {
        let mut count = 0;
        for _ in 0..7 {
            count += u32::from(proxy.send(Request::get("/").with_header("x-to", to).with_header("x-from", from)).await.status() == 200);
        }
        assert_eq!(count, admitted, "{to} {from}");
    }
}

#[inproxy_test::test]
async fn a_request_that_is_sent_once_more_counts_once(proxy: Proxy<RateLimit>) {
    let quota = json!({ "max_amount": 2, "valid_duration": "1h", "deduplicate_by": "x-id", "min_deduplication_duration": "10m" });
    let proxy = proxy.configure(json!({ "limits": [{ "name": "all", "quota": quota }] })).start().await;
    for (id, status) in [("1", 200), ("1", 200), ("1", 200), ("2", 200), ("3", 429), ("3", 429), ("2", 200)] {
        assert_eq!(proxy.send(Request::get("/").with_header("x-id", id)).await.status(), status, "{id}");
    }
}

#[inproxy_test::test]
async fn without_a_window_it_is_a_limit_of_requests_at_the_same_time(proxy: Proxy<RateLimit>) {
    let proxy = proxy
        .configure(json!({ "limits": [{ "name": "all", "quota": { "max_amount": 2 } }] }))
        .upstream(|_| Response::new(200).after(Duration::from_secs(1)))
        .start()
        .await;
    let (one, two) = (proxy.open(&Request::get("/1")).await, proxy.open(&Request::get("/2")).await);
    assert_eq!(proxy.send(Request::get("/3")).await.status(), 429);
    one.leave().await;
    let three = proxy.open(&Request::get("/4")).await;
    assert_eq!(two.response().await.status(), 200);
    assert_eq!(three.response().await.status(), 200);
    assert_eq!(proxy.send(Request::get("/5")).await.status(), 200);
}
