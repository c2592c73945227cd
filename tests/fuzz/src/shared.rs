//! What workers share, which an earlier version of a filter, or another one, may have written.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    rc::Rc,
    time::{Duration, SystemTime},
};

use arbitrary::Unstructured;
use inproxy::{
    abi::{Host, Status, enter},
    shared::{Json, Lease, Shared, SharedCounter, SharedError, Slots},
};

/// By key, a value and the number of its last change.
type Values = BTreeMap<Vec<u8>, (Vec<u8>, u32)>;

/// Shared data, in which one of the first writes finds that somebody else was first.
#[derive(Default)]
struct Data {
    values: RefCell<Values>,
    writes: Cell<u32>,
    /// Before which write, and what.
    other: RefCell<Option<(u32, Vec<u8>)>>,
}

// === impl Data ===

impl Data {
    fn put(&self, key: &[u8], value: &[u8]) {
        self.writes.set(self.writes.get() + 1);
        self.values.borrow_mut().insert(key.to_vec(), (value.to_vec(), self.writes.get()));
    }
}

impl Host for Data {
    fn shared_data(&self, key: &[u8]) -> Result<(Vec<u8>, u32), Status> {
        self.values.borrow().get(key).cloned().ok_or(Status::NOT_FOUND)
    }

    fn set_shared_data(&self, key: &[u8], value: &[u8], cas: u32) -> Status {
        let other = self.other.borrow_mut().take_if(|(at, _)| *at <= self.writes.get());
        if let Some((_, value)) = other {
            self.put(key, &value);
        }
        if self.values.borrow().get(key).is_some_and(|(_, changed)| cas != 0 && cas != *changed) {
            return Status::CAS_MISMATCH;
        }
        self.put(key, value);
        Status::OK
    }
}

/// What a key has, what somebody else writes, and the steps.
pub(crate) fn fuzz(data: &[u8]) {
    let mut input = Unstructured::new(data);
    let (first, other, at): (&[u8], Option<&[u8]>, u8) = input.arbitrary().unwrap_or((data, None, 0));
    let shared = Rc::new(Data::default());
    for key in ["table/0", "value"] {
        shared.put(key.as_bytes(), first);
    }
    shared.other.replace(other.map(|other| (u32::from(at % 4) + 2, other.to_vec())));
    enter(shared, || {
        values();
        while table(&mut input).is_some() {}
    });
}

/// One value, read as whatever it may be.
fn values() {
    let _ = Shared::<Vec<u8>>::new("value").get().unwrap();
    let text = Shared::<String>::new("value").get();
    let json = Shared::<Json<serde_json::Value>>::new("value");
    if let Ok(Some(found)) = json.get() {
        assert!(text.is_ok_and(|text| text.is_some()), "JSON is text");
        // Unless what somebody else writes meanwhile is none.
        let written = json.update(|_| Json(found.0.clone()));
        assert!(written.is_err() || written.is_ok_and(|written| written == found));
    }
    let _ = Shared::<u64>::new("value").get();
    let counter = SharedCounter::new("value");
    if let Ok(count) = counter.get() {
        let _ = (count, counter.add(u64::MAX), counter.increment());
    }
    let _ = Lease::new("value", Duration::from_secs(1)).take(SystemTime::UNIX_EPOCH);
}

/// A change of the table. One key of those that are in use is what was written last, or the change is an error and nothing has changed.
fn table(input: &mut Unstructured<'_>) -> Option<()> {
    let (step, key, value, ttl): (u8, u8, &[u8], u16) = input.arbitrary().ok()?;
    if input.is_empty() {
        return None;
    }
    let table = Slots::<Vec<u8>>::new("table", 1).with_ways(step >> 5);
    let now = SystemTime::UNIX_EPOCH + Duration::from_millis(u64::from(step & 15) * 1000);
    let (key, neighbour) = ([key % 16], [key.wrapping_add(1) % 16]);
    let before = (table.get(&key, now), table.get(&neighbour, now));
    let ttl = Duration::from_millis(ttl.into());
    let written = if step & 16 == 0 {
        table.update(&key, now, ttl, |_| value.to_vec()).map(Some)
    } else {
        table.try_update(&key, now, ttl, |found| Some(value.to_vec()).filter(|value| found.as_ref() != Some(value)))
    };
    let after = (table.get(&key, now), table.get(&neighbour, now));
    match written {
        Ok(Some(_)) if ttl.is_zero() => assert!(matches!(after.0, Ok(None)), "its time is over at once"),
        Ok(Some(written)) => assert_eq!(after.0.unwrap().as_ref(), Some(&written)),
        Ok(None) => assert_eq!(after.0.unwrap(), before.0.unwrap()),
        Err(SharedError::Full { .. } | SharedError::Corrupt { .. }) => {}
        Err(error) => panic!("{error}"),
    }
    let _ = (before.1, after.1);
    Some(())
}
