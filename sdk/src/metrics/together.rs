//! The label sets of all VMs, counted together: in the shared data, where each has a key.

use std::{cell::Cell, hash::Hasher};

use siphasher::sip::SipHasher13;

use super::label;
use crate::shared::{Shared, SharedError};

/// Which label sets of a family or a group there are in the proxy.
pub(super) struct Together {
    /// What its keys begin with.
    of: String,
    count: Shared<u64>,
    told: Cell<bool>,
}

// === impl Together ===

impl Together {
    pub(super) fn new(of: String) -> Self {
        let of = format!("inproxy/metrics/{:016x}", hash([of.as_bytes()].into_iter()));
        Self { count: Shared::new(of.clone()), of, told: Cell::new(false) }
    }

    /// Whether a label set that this VM does not know is one that the proxy has, or may have.
    pub(super) fn has_room(&self, values: &[&[u8]], at_most: usize) -> bool {
        self.take(values, at_most).unwrap_or_else(|error| {
            // The bound holds, whatever the proxy answers.
            if !self.told.replace(true) {
                log::warn!("new label sets are counted as one, since they cannot be counted: {error}");
            }
            false
        })
    }

    fn take(&self, values: &[&[u8]], at_most: usize) -> Result<bool, SharedError> {
        let set = Shared::<u64>::new(format!("{}/{:016x}", self.of, hash(values.iter().map(|value| label::cut(value)))));
        if set.get()?.is_some() {
            return Ok(true);
        }
        let at_most = u64::try_from(at_most).unwrap_or(u64::MAX);
        let taken = self.count.try_update(|count| Some(count.unwrap_or(0)).filter(|count| *count < at_most).map(|count| count + 1))?;
        if taken.is_none() {
            return Ok(false);
        }
        let created = set.create(&1);
        if !matches!(created, Ok(true)) {
            // It has no place: another worker came with the same at the same time, or the proxy refuses it. A place that cannot be given back is lost.
            let _ = self.count.update(|count| count.unwrap_or(0).saturating_sub(1));
        }
        created.map(|_| true)
    }
}

/// Of values, each told apart from its neighbours by its length.
fn hash<'v>(values: impl Iterator<Item = &'v [u8]>) -> u64 {
    let mut hasher = SipHasher13::new();
    for value in values {
        hasher.write_usize(value.len());
        hasher.write(value);
    }
    hasher.finish()
}
