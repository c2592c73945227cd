use std::time::Duration;

use futures_util::future::join_all;
use inproxy_test::{Proxy, Request, json};
use rate_limit::RateLimit;

/// §4.31, with an hour in the place of a second where nothing may be filled meanwhile.
#[inproxy_test::test]
async fn a_burst_gets_what_the_bucket_holds(proxy: Proxy<RateLimit>) {
    let bucket = json!({ "max_tokens": 20, "tokens_per_fill": 10, "fill_interval": "1h" });
    let proxy = proxy.configure(json!({ "limits": [{ "name": "all", "bucket": bucket }] })).start().await;
    for place in 0..30_u64 {
        let response = proxy.send(Request::get("/")).await;
        if place < 20 {
            assert_eq!((response.status(), response.header("x-ratelimit-remaining")), (200, Some((19 - place).to_string().as_str())));
        } else {
            assert_eq!((response.status(), response.text()), (429, "rate_limited"));
        }
        assert_eq!(response.header("x-ratelimit-limit"), Some("20"));
    }
    assert_eq!(proxy.upstream().requests().len(), 20);
}

#[inproxy_test::test]
async fn a_bucket_is_filled_with_time(proxy: Proxy<RateLimit>) {
    let bucket = json!({ "max_tokens": 4, "tokens_per_fill": 2, "fill_interval": "2s" });
    let proxy = proxy.configure(json!({ "limits": [{ "name": "all", "bucket": bucket }] })).start().await;
    let mut admitted = Vec::new();
    for _ in 0..2 {
        let mut count = 0;
        for _ in 0..6 {
            let response = proxy.send(Request::get("/")).await;
            count += u32::from(response.status() == 200);
            if response.status() == 429 {
                let seconds: u64 = response.header("retry-after").unwrap().parse().unwrap();
                assert!((1..=2).contains(&seconds), "{seconds}");
            }
        }
        admitted.push(count);
        proxy.advance(Duration::from_millis(2100)).await;
    }
    assert_eq!(admitted, [4, 2]);
}

#[inproxy_test::test]
async fn each_client_has_a_bucket_of_its_own(proxy: Proxy<RateLimit>) {
    let limit = json!({ "name": "clients", "dimensions": { "key": { "header": "x-key" } }, "bucket": { "max_tokens": 1, "fill_interval": "1h" } });
    let proxy = proxy.configure(json!({ "limits": [limit] })).start().await;
    for (key, status) in [("a", 200), ("a", 429), ("b", 200), ("b", 429), ("a;key=b", 200), (&"x".repeat(300), 200), (&"x".repeat(300), 429)] {
        assert_eq!(proxy.send(Request::get("/").with_header("x-key", key)).await.status(), status, "{key}");
    }
}

#[inproxy_test::test]
async fn workers_share_a_bucket(proxy: Proxy<RateLimit>) {
    let bucket = json!({ "max_tokens": 5, "fill_interval": "1h" });
    let proxy = proxy.configure(json!({ "limits": [{ "name": "all", "bucket": bucket }] })).workers(2).start().await;
    let mut admitted = 0;
    for _ in 0..12 {
        admitted += u32::from(proxy.send(Request::get("/")).await.status() == 200);
    }
    assert_eq!(admitted, 5);
}

/// Of four times as many requests as there is room for, sent at the same time to two workers, exactly as many pass as there is: ten times in a row.
#[inproxy_test::test]
async fn a_concurrent_burst_gets_exactly_what_there_is(proxy: Proxy<RateLimit>) {
    const ROOM: usize = 50;
    let dimensions = json!({ "round": { "header": "x-round" } });
    let limits = json!([
        { "name": "bucket", "match": { "paths": ["/bucket"] }, "dimensions": dimensions, "bucket": { "max_tokens": ROOM, "fill_interval": "1h" }, "fail_open": false },
        { "name": "quota", "match": { "paths": ["/quota"] }, "dimensions": dimensions, "quota": { "max_amount": ROOM, "valid_duration": "1h" }, "fail_open": false },
    ]);
    let proxy = proxy.configure(json!({ "limits": limits })).workers(2).start().await;
    for round in 0..10 {
        for path in ["/bucket", "/quota"] {
            let burst = (0..4 * ROOM).map(|_| proxy.send(Request::get(path).with_header("x-round", round.to_string())));
            let statuses: Vec<u16> = join_all(burst).await.iter().map(inproxy_test::Response::status).collect();
            let of = |status| statuses.iter().filter(|seen| **seen == status).count();
            assert_eq!((of(200), of(429)), (ROOM, 3 * ROOM), "{path} {round}: {statuses:?}");
        }
    }
}
