//! Mixer's cases, by the sections of the reference.

use std::{collections::BTreeMap, time::Duration};

use super::*;

/// Quotas in this process: what the filter has in the proxy's shared data.
struct Quotas {
    limits: BTreeMap<&'static str, Limit>,
    states: BTreeMap<String, State>,
    remembered: BTreeMap<String, Remembered>,
    generation: Duration,
}

impl Quotas {
    fn new(generation: Duration, limits: impl IntoIterator<Item = (&'static str, Limit)>) -> Self {
        Self { limits: limits.into_iter().collect(), states: BTreeMap::new(), remembered: BTreeMap::new(), generation }
    }

    fn ask(&mut self, quota: &str, dimensions: &Dimensions, id: &str, ask: Ask, now: Duration) -> Grant {
        if let Some(grant) = self.remembered.get(id).and_then(|remembered| remembered.replay(now, self.generation)) {
            return grant;
        }
        let grant = self.states.entry(key(quota, dimensions)).or_default().ask(ask, self.limits[quota].of(dimensions), now);
        self.remembered.insert(id.to_owned(), Remembered::new(grant, now, self.generation));
        grant
    }
}

fn limit(max: u64, seconds: u64) -> Limit {
    Limit { amount: Amount { max, valid: Duration::from_secs(seconds) }, overrides: Vec::new() }
}

const MINUTE: u64 = 60;

/// §4.3
#[test]
fn grants_what_memquota_grants() {
    let mut quotas = Quotas::new(Duration::from_secs(3600), [("Q1", limit(10, 0)), ("Q3", limit(10, MINUTE))]);
    let none = Dimensions::new();
    // Quota, id, allocation with best effort, second, granted, valid; what is released with the same id, and how much was.
    for (quota, id, amount, best_effort, second, granted, valid, release) in [
        ("Q1", "0", 2, false, 0, 2, 0, None),
        ("Q1", "0", 2, false, 0, 2, 0, None),
        ("Q1", "1", 6, false, 0, 6, 0, None),
        ("Q1", "2", 2, false, 0, 2, 0, None),
        ("Q1", "3", 2, false, 0, 0, 0, None),
        ("Q1", "4", 1, true, 0, 0, 0, None),
        ("Q1", "5", 0, true, 0, 0, 0, None),
        ("Q1", "5b", 0, false, 0, 0, 0, Some((5, 5))),
        ("Q1", "5b", 0, false, 0, 0, 0, Some((5, 5))),
        ("Q1", "5c", 0, false, 0, 0, 0, Some((15, 5))),
        ("Q3", "6", 10, false, 1, 10, MINUTE, None),
        ("Q3", "7", 10, false, 2, 0, 0, None),
        ("Q3", "8", 10, false, 60, 0, 0, None),
        ("Q3", "9", 10, false, 61, 10, MINUTE, None),
        ("Q3", "10", 100, true, 121, 10, MINUTE, None),
        ("Q3", "11", 100, false, 122, 0, 0, Some((10, 10))),
        ("Q3", "12", 0, false, 123, 0, 0, Some((1000, 0))),
        ("Q3", "12", 0, false, 124, 0, 0, Some((1000, 0))),
    ] {
        let now = Duration::from_secs(second);
        let case = format!("{quota} {id}");
        let grant = quotas.ask(quota, &none, &format!("A{id}"), Ask::Allocate { amount, best_effort }, now);
        assert_eq!(grant, Grant { amount: granted, valid: Duration::from_secs(valid) }, "{case}");
        if let Some((amount, freed)) = release {
            assert_eq!(quotas.ask(quota, &none, &format!("R{id}"), Ask::Release { amount }, now).amount, freed, "{case}");
        }
    }
}

/// §4.4: a table of ids is emptied when its time is over, and then the next.
#[test]
fn an_id_is_remembered_for_one_to_two_generations() {
    let mut quotas = Quotas::new(Duration::from_secs(1), [("Q1", limit(10, 0))]);
    for (id, second, granted) in [("0", 0, 10), ("0", 0, 10), ("1", 0, 0), ("2", 1, 0), ("0", 1, 10), ("0", 2, 0)] {
        let grant = quotas.ask("Q1", &Dimensions::new(), id, Ask::Allocate { amount: 10, best_effort: false }, Duration::from_secs(second));
        assert_eq!(grant.amount, granted, "{id} at {second}");
    }
}

/// §4.17: a quota of Mixer's denier is one of which there is nothing.
#[test]
fn of_nothing_nothing_is_granted() {
    let mut quotas = Quotas::new(Duration::from_secs(1), [("windows", limit(0, MINUTE)), ("in use", limit(0, 0))]);
    for quota in ["windows", "in use"] {
        for best_effort in [false, true] {
            let ask = Ask::Allocate { amount: 100, best_effort };
            let grant = quotas.ask(quota, &Dimensions::new(), &format!("{quota} {best_effort}"), ask, Duration::ZERO);
            assert_eq!(grant.amount, 0, "{quota} {best_effort}");
        }
    }
}

/// §4.28: Mixer's client asked for some in advance, and was off by up to 6 % of a limit of 1200 a minute. Here each request is counted, and nothing is off.
#[test]
fn what_is_admitted_needs_no_tolerance() {
    const MINUTES: u64 = 5;
    // How many requests come in a minute, and how many of them pass.
    for (offered, admitted) in [(600, 600), (1140, 1140), (1200, 1200), (1320, 1200), (12_000, 1200)] {
        let mut state = State::default();
        let granted = (0..offered * MINUTES).filter(|number| {
            let now = Duration::from_millis(1_000_000 + number * MINUTE * 1000 / offered);
            state.ask(Ask::Allocate { amount: 1, best_effort: false }, limit(1200, MINUTE).amount, now).amount == 1
        });
        assert_eq!(granted.count() as u64, admitted * MINUTES, "{offered} a minute");
    }
}

/// §1.2: what is left of its time is told again with it.
#[test]
fn a_replayed_grant_is_valid_for_what_is_left() {
    let mut quotas = Quotas::new(Duration::from_secs(3600), [("Q", limit(10, MINUTE))]);
    let valid = [0, 20, 59, 61].map(|second| {
        quotas.ask("Q", &Dimensions::new(), "id", Ask::Allocate { amount: 1, best_effort: false }, Duration::from_secs(second)).valid.as_secs()
    });
    assert_eq!(valid, [60, 40, 1, 0]);
}

/// §1.2: the first override that matches; it does not change the key, and a window keeps the limit that it was made with.
#[test]
fn overrides_are_tried_in_their_order() {
    let one = |pairs: &[(&str, &str)], max| Override {
        dimensions: pairs.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect(),
        amount: Amount { max, valid: Duration::from_secs(1) },
    };
    let mut limit = limit(50, 30);
    limit.overrides =
        vec![one(&[("destination", "ratings"), ("source", "reviews")], 12), one(&[("destination", "reviews")], 5), one(&[("user", "")], 1)];
    let text = |text: &str| Value::Text(text.to_owned());
    for (dimensions, max) in [
        (vec![("destination", text("ratings")), ("source", text("reviews")), ("user", text("a"))], 12),
        (vec![("destination", text("reviews")), ("source", text("x")), ("user", text("a"))], 5),
        (vec![("destination", text("ratings")), ("user", text("a"))], 50),
        // A dimension that is not there is the empty text.
        (vec![("destination", text("ratings"))], 1),
    ] {
        let dimensions: Dimensions = dimensions.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        assert_eq!(limit.of(&dimensions).max, max, "{dimensions:?}");
    }
    limit.overrides.push(one(&[], 7));
    limit.overrides.rotate_right(1);
    assert_eq!(limit.of(&Dimensions::new()).max, 7);
}

/// §1.2, keys.go and instanceUtil_test.go
#[test]
fn values_are_written_and_compared_as_mixer_did() {
    for (value, text, same, other) in [
        (Value::Text("a".to_owned()), "a", "a", "A"),
        (Value::Int(255), "ff", "255", "ff"),
        (Value::Int(-255), "-ff", "-255", "255"),
        (Value::Float(1.0), "4503599627370496p-52", "1.00", "1.1"),
        (Value::Float(-0.5), "-4503599627370496p-53", "-0.5", "x"),
        (Value::Bool(true), "true", "1", "false"),
        (Value::Address("::ffff:10.0.0.1".parse().unwrap()), "::ffff:10.0.0.1", "10.0.0.1", "10.0.0.2"),
        (Value::Text("a;b=c%".to_owned()), "a%3Bb%3Dc%25", "a;b=c%", ""),
    ] {
        assert_eq!((value.to_string().as_str(), value.is(same), value.is(other)), (text, true, false), "{value:?}");
    }
    let dimensions = [("source", "test"), ("a", "b")].map(|(name, value)| (name.to_owned(), Value::Text(value.to_owned()))).into();
    assert_eq!(key("fixed-window", &dimensions), "fixed-window;a=b;source=test");
}
