//! The algorithms once more, as naive as can be: what they are held against.

use std::{collections::BTreeMap, time::Duration};

use proptest::prelude::*;

use super::{window::Window, *};
use crate::bucket::{Bucket, Fill};

/// All grants of a window, with their ticks: never forgotten.
#[derive(Default)]
struct Grants(Vec<(u64, u64)>);

impl Grants {
    fn within(&self, length: u64, tick: u64) -> u64 {
        self.0.iter().filter(|(granted, _)| granted + length > tick).map(|(_, amount)| amount).sum()
    }
}

fn asks() -> impl Strategy<Value = Vec<(u64, u64, u8)>> {
    // How long after the one before, how much, and what.
    prop::collection::vec((0..8_u64, 1..8_u64, 0..6_u8), 1..200)
}

proptest! {
    /// In no time as long as the window is more granted than its capacity; and nothing is refused that would fit.
    #[test]
    fn a_window_grants_what_fits_and_no_more(asks in asks(), capacity in 0..20_u64, length in 1..30_u64) {
        let (mut window, mut grants, mut tick) = (Window::new(capacity, length), Grants::default(), 100);
        for (pause, amount, kind) in asks {
            tick += pause;
            if kind == 0 {
                // What was granted last comes back first.
                let mut left = amount;
                for (_, granted) in grants.0.iter_mut().rev().filter(|(granted, _)| granted + length > tick) {
                    let freed = left.min(*granted);
                    *granted -= freed;
                    left -= freed;
                }
                prop_assert_eq!(window.release(amount, tick), amount - left);
                continue;
            }
            let fits = grants.within(length, tick) + amount <= capacity;
            prop_assert_eq!(window.allocate(amount, tick), fits);
            if fits {
                grants.0.push((tick, amount));
            }
            prop_assert!(grants.within(length, tick) <= capacity);
            prop_assert_eq!(window.available(), capacity - grants.within(length, tick));
        }
    }

    /// A quota grants with the best effort all that there is, and without it all or nothing; and its bytes are the quota.
    #[test]
    fn a_quota_grants_all_that_there_is(asks in asks(), max in 0..20_u64, seconds in 0..4_u64) {
        let limit = Amount { max, valid: Duration::from_secs(seconds) };
        let (mut state, mut now) = (State::default(), Duration::from_secs(1000));
        for (pause, amount, kind) in asks {
            now += Duration::from_millis(pause * 130);
            let before = { let mut rolled = state.clone(); rolled.ask(Ask::Release { amount: 0 }, limit, now); rolled.left(limit) };
            let ask = match kind { 0 => Ask::Release { amount }, kind => Ask::Allocate { amount, best_effort: kind % 2 == 0 } };
            let grant = state.ask(ask, limit, now);
            match ask {
                Ask::Allocate { best_effort: true, .. } => prop_assert_eq!(grant.amount, amount.min(before)),
                Ask::Allocate { .. } => prop_assert_eq!(grant.amount, if amount <= before { amount } else { 0 }),
                Ask::Release { .. } => prop_assert_eq!(grant.amount, amount.min(max - before)),
            }
            let bytes = prost::Message::encode_to_vec(&state);
            prop_assert_eq!(&<State as prost::Message>::decode(&*bytes).unwrap(), &state);
        }
    }

    /// In any time a bucket gives no more than it holds and what is filled in meanwhile; and it refuses only what it does not have.
    #[test]
    fn a_bucket_gives_what_it_has(asks in asks(), max_tokens in 0..20_u64, tokens_per_fill in 0..10_u64, interval in 1..5_u64) {
        let fill = Fill { max_tokens, tokens_per_fill, fill_interval: Duration::from_secs(interval) };
        let start = Duration::from_secs(1_000_000);
        let (mut bucket, mut now, mut given) = (Bucket::full(&fill, start), start, Vec::new());
        // Filled tick by tick, in milliseconds.
        let mut tokens = max_tokens;
        let mut at = start;
        for (pause, amount, _) in asks {
            now += Duration::from_millis(pause * 200);
            while at + fill.fill_interval <= now {
                at += fill.fill_interval;
                tokens = (tokens + tokens_per_fill).min(max_tokens);
            }
            let taken = bucket.take(amount, &fill, now);
            prop_assert_eq!(taken.granted, amount <= tokens);
            prop_assert_eq!(taken.next_fill, at + fill.fill_interval - now);
            if taken.granted {
                tokens -= amount;
                given.push((now, amount));
            }
            prop_assert_eq!(taken.left, tokens);
        }
        for (from, _) in &given {
            for (to, _) in given.iter().filter(|(to, _)| to >= from) {
                let sum: u64 = given.iter().filter(|(time, _)| time >= from && time <= to).map(|(_, amount)| amount).sum();
                let fills = (to.as_millis() - start.as_millis()) / fill.fill_interval.as_millis() - (from.as_millis() - start.as_millis()) / fill.fill_interval.as_millis();
                prop_assert!(sum <= max_tokens + u64::try_from(fills).unwrap() * tokens_per_fill);
            }
        }
    }

    /// Two keys are the same only if quota and dimensions are.
    #[test]
    fn keys_are_as_different_as_what_they_are_for(one in dimensions(), other in dimensions()) {
        prop_assert_eq!(key("q", &one) == key("q", &other), one == other);
    }
}

fn dimensions() -> impl Strategy<Value = BTreeMap<String, Value>> {
    prop::collection::btree_map("[ab;=%]{0,3}", "[ab;=%]{0,3}".prop_map(Value::Text), 0..3)
}
