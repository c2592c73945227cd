//! The scripts on the real Redis, held against models that never forget.

#![allow(missing_docs, clippy::disallowed_methods, clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "test code")]

mod server;

use std::time::Duration;

use proptest::{
    prelude::*,
    test_runner::{Config as Cases, TestRunner},
};
use quota_service::{Ask, Config, Dimensions, QuotaError, Quotas};
use server::Redis;
use tokio::runtime::Runtime;

const WINDOW: u64 = 5_000;
const BUCKET: u64 = 1_000;

/// When, in milliseconds, and how much was granted.
type Grants = Vec<(u64, u64)>;

fn sum(grants: &Grants, from: u64) -> u64 {
    grants.iter().filter(|(time, _)| *time >= from).map(|(_, amount)| amount).sum()
}

/// Runs random requests at a quota; `check` is told the grants before, the time, what was wanted with which effort, and what was granted.
fn run(algorithm: &str, check: impl Fn(&Grants, u64, u64, u64, bool, u64) -> Result<(), TestCaseError>) {
    let (redis, runtime) = (Redis::start(), Runtime::new().unwrap());
    let strategy = (1..20_u64, prop::collection::vec((0..1500_u64, 1..6_u64, any::<bool>()), 1..80));
    let mut runner = TestRunner::new(Cases { cases: 60, failure_persistence: None, ..Cases::default() });
    // A quota of its own for each run.
    let number = std::cell::Cell::new(0);
    let outcome = runner.run(&strategy, |(max, asks)| {
        let count = number.replace(number.get() + 1);
        let json = format!(r#"{{"quotas":[{{"name":"q{count}","max_amount":{max},"valid_duration":"5s",{algorithm}}}]}}"#);
        runtime.block_on(async {
            let quotas = Quotas::connect(&Config::parse(json.as_bytes()).unwrap().with_redis(&redis.url())).await.unwrap();
            let (mut grants, mut now) = (Grants::new(), 1_000_000_u64);
            for (pause, amount, best_effort) in asks {
                now += pause;
                let ask = Ask { amount, best_effort, id: None };
                let granted = match quotas.allocate(&format!("q{count}"), &Dimensions::new(), &ask, Duration::from_millis(now)).await {
                    Ok(granted) => granted.unwrap().0.amount,
                    Err(QuotaError::Exhausted(_)) => 0,
                    Err(error) => return Err(TestCaseError::fail(error.to_string())),
                };
                check(&grants, now, max, amount, best_effort, granted)?;
                if granted > 0 {
                    grants.push((now, granted));
                }
            }
            Ok(())
        })
    });
    outcome.unwrap();
}

#[test]
fn a_fixed_window_grants_all_of_it_and_no_more() {
    run(r#""rate_limit_algorithm":"FIXED_WINDOW""#, |grants, now, max, amount, best_effort, granted| {
        // The windows so far, each begun by its first grant.
        let (mut begun, mut used) = (None::<u64>, 0);
        for (time, amount) in grants {
            if begun.is_none_or(|begun| *time >= begun + WINDOW) {
                (begun, used) = (Some(*time), 0);
            }
            used += amount;
        }
        if begun.is_none_or(|begun| now >= begun + WINDOW) {
            used = 0;
        }
        let left = max - used;
        let expected = if amount <= left {
            amount
        } else if best_effort {
            left
        } else {
            0
        };
        prop_assert_eq!(granted, expected);
        Ok(())
    });
}

#[test]
fn a_rolling_window_grants_what_fits_to_the_accuracy_of_a_bucket() {
    run(r#""rate_limit_algorithm":"ROLLING_WINDOW","bucket_duration":"1s""#, |grants, now, max, amount, best_effort, granted| {
        // What is surely still counted, and what may be: a bucket comes back as a whole, as long after it was begun as the window is.
        let surely = sum(grants, (now + BUCKET).saturating_sub(WINDOW));
        let perhaps = sum(grants, now.saturating_sub(WINDOW + BUCKET));
        prop_assert!(surely + granted <= max, "{} + {} > {}", surely, granted, max);
        let left = max.saturating_sub(perhaps);
        let least = if amount <= left {
            amount
        } else if best_effort {
            left
        } else {
            0
        };
        prop_assert!(granted >= least, "{} < {}", granted, least);
        prop_assert!(granted == amount || best_effort || granted == 0);
        Ok(())
    });
}
