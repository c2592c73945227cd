//! `reference` 4.21: Mixer's cases of its Prometheus adapter.

use super::{value::NoNumber, *};
use crate::config::metric::Buckets;

#[test]
fn names_4_21() {
    for (name, safe) in [
        ("/funky::gauge", "funky::gauge"),
        ("not-istio", "notistio"),
        ("the.counter", "the_counter"),
        ("a/b c", "a_b_c"),
        ("//a", "_a"),
        ("requestcount.metric.istio-system", "requestcount_metric_istiosystem"),
    ] {
        assert_eq!(safe_name(name), safe);
    }
    assert_eq!(full_name("istio", "request.count"), "istio_request_count");
    assert_eq!(full_name("", "request_count"), "request_count");
}

#[test]
fn buckets_4_21() {
    assert_eq!(bounds(&Buckets::Linear { num_finite_buckets: 1, width: 1.0, offset: 4.0 }), [4.0, 5.0]);
    assert_eq!(bounds(&Buckets::Explicit { bounds: vec![6.0, 7.0] }), [6.0, 7.0]);
    assert_eq!(bounds(&Buckets::Exponential { num_finite_buckets: 3, growth_factor: 3.0, scale: 4.0 }), [4.0, 12.0, 36.0, 108.0]);
}

#[test]
fn values_4_21() {
    for (text, value) in [("8", 8.0), ("0.386s", 0.386), ("8.243543", 8.243_543), ("-3", -3.0), ("1e3", 1000.0), ("0s", 0.0)] {
        assert_eq!(number(text), Ok(value), "{text}");
    }
    for text in ["true", "not a value", "", "s", "inf", "NaN", "infs", "8 ", "0x8", "1m"] {
        assert!(number(text).is_err(), "{text}");
    }
}

#[test]
fn the_proxy_takes_whole_numbers_from_zero_up() {
    for (value, scale, expected) in [(8.0, 1, 8), (0.386, 1000, 386), (0.386, 1, 0), (0.5, 1, 1), (-0.2, 1, 0)] {
        assert_eq!(whole(value, scale), Ok(expected), "{value}");
    }
    assert_eq!(whole(9e18, 1), Ok(9_000_000_000_000_000_000));
    for (value, scale) in [(1e300, 1), (9.3e18, 1), (9e18, 1000)] {
        assert_eq!(whole(value, scale), Err(NoNumber::TooLarge(value.to_string())), "{value}");
    }
    assert_eq!(whole(-3.0, 1), Err(NoNumber::Negative("-3".to_owned())));
}
