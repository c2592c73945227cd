//! Mixer's cases of `redisquota`, by the sections of the reference, on the real Redis.

#![allow(missing_docs, clippy::disallowed_methods, clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "test code")]

mod server;

use std::time::Duration;

use quota_service::{Ask, Config, Dimensions, Grant, QuotaError, Quotas};
use server::Redis;

const NONE: &str = "";

async fn quotas(redis: &Redis, json: &str) -> Quotas {
    Quotas::connect(&Config::parse(json.as_bytes()).unwrap().with_redis(&redis.url())).await.unwrap()
}

/// How much is granted, and for how many seconds; nothing where nothing is left.
async fn allocate(
    quotas: &Quotas,
    dimensions: &[(&str, &str)],
    amount: u64,
    best_effort: bool,
    second: u64,
    id: &str,
) -> Result<(u64, u64), QuotaError> {
    let ask = Ask { amount, best_effort, id: (!id.is_empty()).then(|| id.to_owned()) };
    let dimensions: Dimensions = dimensions.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let granted = quotas.allocate("requestcount", &dimensions, &ask, Duration::from_secs(1_000_000 + second)).await;
    granted.map(|granted| granted.map_or((0, 0), |(grant, _)| (grant.amount, grant.valid.as_secs())))
}

async fn table(redis: &Redis, quota: &str, cases: &[(u64, u64, &str, u64, u64)]) {
    let quotas = quotas(redis, &format!(r#"{{"quotas":[{{"name":"requestcount",{quota}}}]}}"#)).await;
    for (amount, second, id, granted, valid) in cases {
        let said = match allocate(&quotas, &[], *amount, true, *second, id).await {
            Err(QuotaError::Exhausted(_)) => (0, 0),
            other => other.unwrap(),
        };
        assert_eq!(said, (*granted, *valid), "{amount} at {second} {id}");
    }
}

/// §4.7
#[tokio::test]
async fn a_fixed_window_grants_what_mixers_did() {
    let cases = [
        (3, 1, "test", 3, 10),
        (3, 2, NONE, 3, 9),
        (3, 3, NONE, 3, 8),
        (3, 4, NONE, 1, 7),
        (3, 5, NONE, 0, 0),
        (3, 6, "test", 3, 5),
        (3, 10, NONE, 0, 0),
        (3, 11, NONE, 3, 10),
        (8, 12, NONE, 7, 9),
        (3, 13, NONE, 0, 0),
        (3, 14, NONE, 0, 0),
        (12, 21, "test", 10, 10),
        (1, 22, NONE, 0, 0),
    ];
    table(&Redis::start(), r#""max_amount":10,"valid_duration":"10s""#, &cases).await;
}

/// §4.9
#[tokio::test]
async fn a_rolling_window_grants_what_mixers_did() {
    let cases = [
        (3, 0, "test", 3, 100),
        (3, 1, NONE, 3, 100),
        (3, 5, "test", 3, 95),
        (3, 10, NONE, 3, 100),
        (3, 11, NONE, 1, 100),
        (3, 12, NONE, 0, 0),
        (3, 20, NONE, 0, 0),
        (3, 85, "test", 3, 15),
        (3, 100, NONE, 3, 100),
        (2, 101, "test", 2, 100),
        (2, 102, NONE, 1, 100),
        (1, 110, NONE, 1, 100),
        (1, 111, NONE, 1, 100),
        (1, 112, NONE, 1, 100),
        (1, 113, NONE, 1, 100),
        (1, 114, NONE, 0, 0),
        (1, 150, NONE, 0, 0),
        (10, 200, NONE, 6, 100),
    ];
    let quota = r#""max_amount":10,"valid_duration":"100s","bucket_duration":"10s","rate_limit_algorithm":"ROLLING_WINDOW""#;
    table(&Redis::start(), quota, &cases).await;
}

/// §4.12
#[tokio::test]
async fn overrides_best_effort_and_a_redis_that_is_down() {
    for algorithm in [r#""rate_limit_algorithm":"FIXED_WINDOW""#, r#""rate_limit_algorithm":"ROLLING_WINDOW","bucket_duration":"1s""#] {
        let mut redis = Redis::start();
        let overrides = r#"[{"dimensions":{"destination":"ratings","source":"reviews"},"max_amount":12},{"dimensions":{"destination":"reviews"},"max_amount":5}]"#;
        let json = format!(r#"{{"quotas":[{{"name":"requestcount","max_amount":50,"valid_duration":"30s",{algorithm},"overrides":{overrides}}}]}}"#);
        let quotas = quotas(&redis, &json).await;
        let exhausted = |outcome: Result<_, QuotaError>| outcome.unwrap_err().to_string();
        assert_eq!(allocate(&quotas, &[("case", "1")], 30, true, 0, NONE).await, Ok((30, 30)));
        assert_eq!(allocate(&quotas, &[("case", "2")], 60, true, 0, NONE).await, Ok((50, 30)));
        assert_eq!(exhausted(allocate(&quotas, &[("case", "3")], 60, false, 0, NONE).await), "redisquota: Resource exhausted");
        assert_eq!(allocate(&quotas, &[("destination", "ratings"), ("source", "reviews")], 15, true, 0, NONE).await, Ok((12, 30)));
        // Without the source it is another key, and no override.
        assert_eq!(allocate(&quotas, &[("destination", "ratings")], 15, true, 0, NONE).await, Ok((15, 30)));
        redis.stop();
        assert_eq!(exhausted(allocate(&quotas, &[], 30, true, 0, NONE).await), "redisquota: Service Unavailable");
    }
}

/// What a window leaves behind goes by itself. (Mixer's buckets stayed.)
#[tokio::test]
async fn nothing_stays_in_redis() {
    let redis = Redis::start();
    let quota = r#""name":"requestcount","max_amount":10,"valid_duration":"0.3s""#;
    for algorithm in [r#""rate_limit_algorithm":"FIXED_WINDOW""#, r#""rate_limit_algorithm":"ROLLING_WINDOW","bucket_duration":"0.1s""#] {
        let quotas = quotas(&redis, &format!(r#"{{"quotas":[{{{quota},{algorithm}}}]}}"#)).await;
        assert_eq!(allocate(&quotas, &[], 1, false, 0, "id").await.unwrap().0, 1);
        assert!(redis.keys().await > 0);
        let mut left = redis.keys().await;
        for _ in 0..50 {
            tokio::time::sleep(Duration::from_millis(100)).await;
            left = redis.keys().await;
            if left == 0 {
                break;
            }
        }
        assert_eq!(left, 0);
    }
}

#[tokio::test]
async fn a_quota_that_nobody_has_declared_is_granted() {
    let redis = Redis::start();
    let quotas = quotas(&redis, r#"{"quotas":[{"name":"other","max_amount":1,"valid_duration":"1s"}]}"#).await;
    assert_eq!(quotas.allocate("requestcount", &Dimensions::new(), &Ask { amount: 5, ..Ask::default() }, Duration::ZERO).await, Ok(None));
    let _: Grant = Grant::default();
}
