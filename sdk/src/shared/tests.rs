use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, VecDeque},
    rc::Rc,
    time::{Duration, SystemTime},
};

use super::*;
use crate::abi::{self, Host, Status};

/// By key, a value and the number of its last change.
type Values = BTreeMap<Vec<u8>, (Vec<u8>, u32)>;

/// Shared data as Envoy has it, with others who change it just before the filter does.
#[derive(Default)]
struct Data {
    values: RefCell<Values>,
    /// The number of the last change.
    changes: Cell<u32>,
    /// What others write, one by one, before a write of the filter.
    others: RefCell<VecDeque<(&'static str, Vec<u8>)>>,
    refused: Cell<Option<Status>>,
}

impl Data {
    fn put(&self, key: &[u8], value: &[u8]) {
        self.changes.set(self.changes.get() + 1);
        self.values.borrow_mut().insert(key.to_vec(), (value.to_vec(), self.changes.get()));
    }

    fn bytes(&self, key: &str) -> Option<Vec<u8>> {
        self.values.borrow().get(key.as_bytes()).map(|(value, _)| value.clone())
    }

    fn meanwhile(&self, key: &'static str, values: impl IntoIterator<Item = u64>) {
        self.others.borrow_mut().extend(values.into_iter().map(|value| (key, value.to_le_bytes().to_vec())));
    }
}

impl Host for Data {
    fn shared_data(&self, key: &[u8]) -> Result<(Vec<u8>, u32), Status> {
        match self.refused.get() {
            Some(status) => Err(status),
            None => self.values.borrow().get(key).cloned().ok_or(Status::NOT_FOUND),
        }
    }

    fn set_shared_data(&self, key: &[u8], value: &[u8], cas: u32) -> Status {
        if let Some(status) = self.refused.get() {
            return status;
        }
        if let Some((key, value)) = self.others.borrow_mut().pop_front() {
            self.put(key.as_bytes(), &value);
        }
        if self.values.borrow().get(key).is_some_and(|(_, changed)| cas != 0 && cas != *changed) {
            return Status::CAS_MISMATCH;
        }
        self.put(key, value);
        Status::OK
    }
}

fn with(run: impl FnOnce(&Data)) {
    let data = Rc::new(Data::default());
    abi::enter(Rc::clone(&data) as Rc<dyn Host>, || run(&data));
}

fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

const MINUTE: Duration = Duration::from_secs(60);

#[test]
fn a_value_is_there_once_it_was_written() {
    with(|_| {
        let value = Shared::<String>::new("k");
        assert_eq!(value.get().unwrap(), None);
        value.set(&"a".to_owned()).unwrap();
        assert_eq!(value.get().unwrap().as_deref(), Some("a"));
        value.set(&String::new()).unwrap();
        assert_eq!(value.get().unwrap().as_deref(), Some(""), "an empty value is one");
        assert_eq!(value.update(|found| format!("{found:?}")).unwrap(), "Some(\"\")");
    });
}

#[test]
fn a_value_is_created_once() {
    with(|data| {
        let value = Shared::<u64>::new("k");
        assert!(value.create(&1).unwrap());
        assert!(!value.create(&2).unwrap());
        assert_eq!(value.get().unwrap(), Some(1));
        // Another worker is faster, between the look and the write.
        data.meanwhile("late", [3]);
        let late = Shared::<u64>::new("late");
        assert!(!late.create(&4).unwrap());
        assert_eq!(late.get().unwrap(), Some(3));
    });
}

#[test]
fn a_value_whose_change_has_the_number_of_first_writes_is_not_created_again() {
    with(|data| {
        data.changes.set(u32::MAX - 1);
        data.put(b"k", &1_u64.to_le_bytes());
        assert!(!Shared::<u64>::new("k").create(&2).unwrap());
        assert_eq!(Shared::<u64>::new("k").get().unwrap(), Some(1));
    });
}

#[test]
fn an_update_loses_no_change_of_another() {
    with(|data| {
        let value = Shared::<u64>::new("k");
        data.meanwhile("k", [10]);
        assert_eq!(value.update(|value| value.unwrap_or(0) + 1).unwrap(), 11, "another made it first");
        data.meanwhile("k", [20, 30]);
        let mut seen = Vec::new();
        let updated = value.update(|value| {
            seen.push(value);
            value.unwrap_or(0) + 1
        });
        assert_eq!((updated.unwrap(), seen), (31, vec![Some(11), Some(20), Some(30)]));
        assert_eq!(data.bytes("k").unwrap(), 31_u64.to_le_bytes());
    });
}

#[test]
fn an_update_gives_up_after_so_many_attempts() {
    with(|data| {
        let value = Shared::<u64>::new("k");
        data.meanwhile("k", 0..63);
        assert_eq!(value.update(|_| 100).unwrap(), 100);
        data.meanwhile("k", 0..64);
        let error = value.update(|_| 200).unwrap_err();
        assert_eq!(error.to_string(), "\"k\" was not changed: at each of 64 attempts another worker was first");
        assert_eq!(value.get().unwrap(), Some(63), "the last of the others");
        for (attempts, tried) in [(0, 1), (1, 1), (3, 3)] {
            data.meanwhile("k", 0..tried);
            let error = value.clone().with_attempts(attempts).update(|_| 300).unwrap_err();
            assert!(matches!(error, SharedError::Contended { attempts, .. } if u64::from(attempts) == tried), "{error}");
        }
    });
}

#[test]
fn an_update_may_leave_a_value_as_it_is() {
    with(|data| {
        let value = Shared::<u64>::new("k");
        assert_eq!(value.try_update(|value| value).unwrap(), None);
        assert_eq!(data.bytes("k"), None, "nothing was written");
        assert_eq!(value.try_update(|_| Some(1)).unwrap(), Some(1));
        let changes = data.changes.get();
        assert_eq!(value.try_update(|value| value.filter(|value| *value > 1)).unwrap(), None);
        assert_eq!((value.get().unwrap(), data.changes.get()), (Some(1), changes));
    });
}

#[test]
fn what_is_not_a_value_is_an_error_and_stays() {
    with(|data| {
        data.put(b"k", b"text");
        let value = Shared::<u64>::new("k");
        let text = "what is shared as \"k\" cannot be read: 4 bytes where a number has 8";
        assert_eq!(value.get().unwrap_err().to_string(), text);
        assert_eq!(value.update(|_| panic!("not called")).unwrap_err().to_string(), text);
        assert_eq!(SharedCounter::new("k").increment().unwrap_err().to_string(), text);
        assert_eq!(data.bytes("k").unwrap(), b"text");
        value.set(&1).unwrap();
        assert_eq!(value.get().unwrap(), Some(1));
    });
}

#[test]
fn a_value_without_bytes_is_an_error_and_nothing_is_written() {
    with(|data| {
        let value = Shared::<Json<BTreeMap<(u8, u8), u8>>>::new("k");
        let error = value.set(&Json(BTreeMap::from([((1, 2), 3)]))).unwrap_err();
        assert_eq!(error.to_string(), "the new value of \"k\" cannot be stored: key must be a string");
        assert_eq!(data.bytes("k"), None);
    });
}

#[test]
fn every_status_is_an_error() {
    with(|data| {
        for status in (2..=12).chain([13, u32::MAX]).filter(|status| *status != 8).map(Status::from_raw) {
            data.refused.set(Some(status));
            let value = Shared::<u64>::new("k");
            let table = Slots::<u64>::new("t", 1);
            let results = [
                value.get().err(),
                value.set(&1).err(),
                value.create(&1).err(),
                value.update(|_| 1).err(),
                table.get(b"k", at(0)).err(),
                table.update(b"k", at(0), MINUTE, |_| 1).err(),
            ];
            for error in results {
                assert!(matches!(error, Some(SharedError::Host(error)) if error.status == status), "{status}: {error:?}");
            }
        }
        // Always refused as if others had been first.
        data.refused.set(Some(Status::CAS_MISMATCH));
        assert!(matches!(Shared::<u64>::new("k").get(), Err(SharedError::Host(_))));
    });
}

#[test]
fn a_host_without_numbers_of_changes_is_an_error() {
    with(|data| {
        data.values.borrow_mut().insert(b"k".to_vec(), (1_u64.to_le_bytes().to_vec(), 0));
        let error = SharedCounter::new("k").increment().unwrap_err();
        assert_eq!(error.to_string(), "read shared data: the proxy answered result mismatch (9)");
    });
}

#[test]
fn a_counter_begins_at_nothing_and_ends_at_its_greatest() {
    with(|data| {
        let counter = SharedCounter::new("c");
        assert_eq!((counter.get().unwrap(), data.bytes("c")), (0, None));
        data.meanwhile("c", [5]);
        assert_eq!(counter.increment().unwrap(), 6);
        assert_eq!(counter.add(u64::MAX).unwrap(), u64::MAX);
        assert_eq!((counter.increment().unwrap(), counter.get().unwrap()), (u64::MAX, u64::MAX));
    });
}

#[test]
fn a_table_has_a_value_for_each_key_until_its_time_is_over() {
    with(|_| {
        let table = Slots::<u64>::new("t", 4);
        let count = |key: &[u8], now| table.update(key, at(now), MINUTE, |count| count.unwrap_or(0) + 1).unwrap();
        assert_eq!(table.get(b"a", at(0)).unwrap(), None);
        assert_eq!((count(b"a", 0), count(b"a", 30), count(b"b", 30)), (1, 2, 1));
        assert_eq!((table.get(b"a", at(89)).unwrap(), table.get(b"a", at(90)).unwrap()), (Some(2), None));
        assert_eq!(count(b"a", 90), 1, "it begins anew");
        assert_eq!(table.get(b"", at(90)).unwrap(), None, "an empty key is one");
        assert_eq!(count(b"", 90), 1);
    });
}

#[test]
fn a_value_that_is_left_as_it_is_keeps_its_time() {
    with(|data| {
        let table = Slots::<u64>::new("t", 1);
        let grant = |now| table.try_update(b"k", at(now), MINUTE, |count| Some(count.unwrap_or(0) + 1).filter(|count| *count <= 2)).unwrap();
        assert_eq!((grant(0), grant(1), grant(2)), (Some(1), Some(2), None));
        let changes = data.changes.get();
        assert_eq!((grant(60), data.changes.get()), (None, changes));
        assert_eq!(grant(61), Some(1));
    });
}

#[test]
fn a_full_slot_drops_nothing_that_is_in_use() {
    with(|data| {
        let table = Slots::<u64>::new("t", 1).with_ways(2);
        let count = |key: &[u8], now| table.update(key, at(now), MINUTE, |count| count.unwrap_or(0) + 1);
        assert_eq!((count(b"a", 0).unwrap(), count(b"b", 10).unwrap()), (1, 1));
        let error = count(b"c", 59).unwrap_err();
        assert!(matches!(error, SharedError::Full { .. }));
        assert_eq!(error.to_string(), "\"t/0\" was not changed: its 2 entries are in use by other keys");
        assert_eq!((count(b"a", 59).unwrap(), count(b"b", 59).unwrap()), (2, 2), "those that have an entry go on");
        assert_eq!(count(b"c", 119).unwrap(), 1, "both are over");
        assert_eq!(data.bytes("t/0").unwrap().len(), 1 + 14 + 1 + 8, "and are gone");
    });
}

#[test]
fn a_slot_that_others_change_is_read_again() {
    with(|data| {
        let table = Slots::<u64>::new("t", 1).with_ways(1);
        table.update(b"other", at(0), MINUTE, |_| 1).unwrap();
        let full = data.bytes("t/0").unwrap();
        data.put(b"t/0", b"");
        data.others.borrow_mut().push_back(("t/0", full));
        // There was room when it looked, and none any more when it wrote.
        assert!(matches!(table.update(b"k", at(0), MINUTE, |_| 1), Err(SharedError::Full { .. })));
        assert_eq!(table.get(b"other", at(0)).unwrap(), Some(1));
    });
}

#[test]
fn keys_are_spread_over_all_slots_and_by_the_secret() {
    with(|data| {
        let key = |key: u32| key.to_le_bytes();
        let slots = |table: Slots<u64>| {
            data.values.borrow_mut().clear();
            let places = (0..200).map(|number| {
                table.update(&key(number), at(0), MINUTE, |_| number.into()).unwrap();
                data.values.borrow().iter().max_by_key(|(_, (_, change))| *change).unwrap().0.clone()
            });
            places.collect::<Vec<_>>()
        };
        let plain = slots(Slots::new("t", 16).with_ways(64));
        assert_eq!(data.values.borrow().len(), 16);
        assert_eq!(plain, slots(Slots::new("t", 16).with_ways(64)));
        let secret = slots(Slots::new("t", 16).with_ways(64).with_secret(b"s3cret"));
        assert_ne!(plain, secret);
        assert_ne!(secret, slots(Slots::new("t", 16).with_ways(64).with_secret(b"other")));
        // Which slot a key is in outlives the module: another compiler must not change it.
        assert_eq!(plain[..4], ["t/0", "t/0", "t/1", "t/14"].map(|slot| slot.as_bytes().to_vec()));
    });
}

#[test]
fn what_is_not_a_slot_is_an_error_and_stays() {
    with(|data| {
        let table = Slots::<u64>::new("t", 0);
        for bytes in [&b"text"[..], b"\x01\x00", b"\x01\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff\xff\xff\xff\xff"] {
            data.put(b"t/0", bytes);
            for error in [table.get(b"k", at(0)).unwrap_err(), table.update(b"k", at(0), MINUTE, |_| 1).unwrap_err()] {
                assert!(matches!(error, SharedError::Corrupt { .. }), "{error}");
                assert!(error.to_string().starts_with("what is shared as \"t/0\" is not a slot of a table: "), "{error}");
            }
            assert_eq!(data.bytes("t/0").unwrap(), bytes);
        }
    });
}

#[test]
fn a_value_of_another_type_is_an_error_until_its_time_is_over() {
    with(|_| {
        Slots::<String>::new("t", 1).update(b"k", at(0), MINUTE, |_| "text".to_owned()).unwrap();
        let table = Slots::<u64>::new("t", 1);
        assert!(matches!(table.get(b"k", at(59)), Err(SharedError::Decode { .. })));
        assert!(matches!(table.update(b"k", at(59), MINUTE, |_| 1), Err(SharedError::Decode { .. })));
        assert_eq!(table.get(b"k", at(60)).unwrap(), None);
        assert_eq!(table.update(b"k", at(60), MINUTE, |_| 1).unwrap(), 1);
    });
}

#[test]
fn a_key_that_is_too_long_is_an_error() {
    with(|_| {
        let table = Slots::<u64>::new("t", 1);
        assert_eq!(table.update(&[b'k'; 256], at(0), MINUTE, |_| 1).unwrap(), 1);
        let error = table.update(&[b'k'; 257], at(0), MINUTE, |_| 1).unwrap_err();
        assert_eq!(error.to_string(), "a key of 257 bytes is too long for a table: it takes up to 256");
    });
}

#[test]
fn times_at_the_ends_of_the_calendar_are_times() {
    with(|_| {
        let table = Slots::<u64>::new("t", 1);
        let before = SystemTime::UNIX_EPOCH - MINUTE;
        table.update(b"k", before, Duration::MAX, |_| 1).unwrap();
        assert_eq!(table.get(b"k", at(1 << 40)).unwrap(), Some(1));
        table.update(b"k", before, Duration::ZERO, |_| 2).unwrap();
        assert_eq!(table.get(b"k", before).unwrap(), None);
    });
}

#[test]
fn a_lease_is_one_holders_until_it_is_over_or_given_back() {
    with(|_| {
        let (one, other) = (Lease::new("lease", MINUTE), Lease::new("lease", MINUTE));
        assert!(one.take(at(0)).unwrap() && one.take(at(30)).unwrap(), "it is renewed by its holder");
        assert!(!other.take(at(89)).unwrap());
        assert!(other.take(at(90)).unwrap() && !one.take(at(91)).unwrap(), "it is over, and somebody else's");
        one.give_back().unwrap();
        assert!(!one.take(at(92)).unwrap(), "it was not its own to give back");
        other.give_back().unwrap();
        assert!(one.take(at(93)).unwrap());
    });
}

#[test]
fn of_two_who_take_a_lease_at_once_one_has_it() {
    with(|data| {
        let lease = Lease::new("lease", MINUTE);
        // Another one's number and time come between the look and the write.
        data.others.borrow_mut().push_back(("lease", [7_u64.to_le_bytes(), 60_000_u64.to_le_bytes()].concat()));
        assert!(!lease.take(at(0)).unwrap());
        assert!(lease.take(at(60)).unwrap());
    });
}
