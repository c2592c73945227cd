use super::*;
use crate::checks::jwt::freshness::{Fetched, Policy, State, Unknown};

const POLICY: Policy = Policy {
    cache_duration: Duration::from_secs(600),
    max_stale: Duration::from_secs(3600),
    failed_refetch: Duration::from_secs(1),
    unknown_key_cooldown: Duration::from_secs(5),
};

fn at(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

#[test]
fn keys_are_fresh_then_stale_then_gone() {
    let mut fetched = Fetched::new(POLICY);
    assert_eq!(fetched.state(at(0)), State::Missing);
    fetched.succeeded("a", at(1_000));
    for (now, state) in [
        (0, State::Fresh("a")),
        (1_000, State::Fresh("a")),
        (600_999, State::Fresh("a")),
        (601_000, State::Stale("a", true)),
        (4_200_999, State::Stale("a", true)),
        (4_201_000, State::Missing),
        (u64::MAX, State::Missing),
    ] {
        assert_eq!(fetched.state(at(now)), state, "at {now} ms");
    }
    fetched.succeeded("b", at(5_000_000));
    assert_eq!(fetched.state(at(5_000_000)), State::Fresh("b"));
}

#[test]
fn a_fetch_that_failed_is_tried_again_after_a_pause() {
    let mut fetched = Fetched::new(POLICY);
    assert!(fetched.failed(at(0)));
    assert_eq!(fetched.state(at(999)), State::Unavailable);
    assert_eq!(fetched.unknown_key(at(999)), Unknown::Unavailable);
    assert_eq!(fetched.state(at(1_000)), State::Missing);
    fetched.succeeded("a", at(1_000));
    fetched.failed(at(601_000));
    assert_eq!(fetched.state(at(601_000)), State::Stale("a", false));
    assert_eq!(fetched.state(at(602_000)), State::Stale("a", true));
    fetched.failed(at(4_202_000));
    assert_eq!(fetched.state(at(4_202_999)), State::Unavailable);
}

/// Whoever sends tokens with keys of their own invention cannot have more fetched than one in so long.
#[test]
fn unknown_keys_cause_one_fetch_in_a_while() {
    let mut fetched = Fetched::new(POLICY);
    fetched.succeeded("a", at(0));
    assert_eq!(fetched.unknown_key(at(10)), Unknown::Fetch);
    fetched.succeeded("a", at(20));
    for now in 20..5_010 {
        assert_eq!(fetched.unknown_key(at(now)), Unknown::Refuse);
    }
    assert_eq!(fetched.unknown_key(at(5_010)), Unknown::Fetch);
    // If it failed, nobody knows whether there is such a key.
    fetched.failed(at(5_020));
    assert_eq!(fetched.unknown_key(at(5_021)), Unknown::Unavailable);
    assert_eq!(fetched.unknown_key(at(6_020)), Unknown::Unavailable);
    assert_eq!(fetched.unknown_key(at(10_010)), Unknown::Fetch);
    assert_eq!(fetched.keys(), Some(&"a"));
}

#[test]
fn no_time_overflows() {
    let policy =
        Policy { cache_duration: Duration::MAX, max_stale: Duration::MAX, failed_refetch: Duration::MAX, unknown_key_cooldown: Duration::MAX };
    let mut fetched = Fetched::new(policy);
    fetched.succeeded("a", Duration::MAX);
    assert_eq!(fetched.state(Duration::ZERO), State::Fresh("a"));
    fetched.failed(Duration::MAX);
    assert_eq!(fetched.unknown_key(Duration::MAX), Unknown::Unavailable);
}
