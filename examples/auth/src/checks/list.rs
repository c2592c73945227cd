//! Mixer's `list`, which it calls `listchecker` too: who is on it is the only one that may pass, or the only one that may not.
//!
//! Where it deviates from Mixer is said in the README, and at each place.

mod document;
mod entries;
mod networks;
mod remote;
mod value;

pub(crate) use self::entries::{Entries, EntryError};
pub(crate) use self::remote::{News, Remote};
pub(crate) use self::value::Value;

use std::time::Duration;

use crate::policy::{Code, Validity, Verdict};

/// What it means to be on a list, and for how long what was decided holds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Judge {
    blacklist: bool,
    validity: Validity,
}

// === impl Judge ===

impl Judge {
    pub(crate) fn new(blacklist: bool, caching_interval: Duration, caching_use_count: u32) -> Self {
        Self { blacklist, validity: Validity { duration: caching_interval, uses: Some(caching_use_count) } }
    }

    /// For how long a decision holds, also if the list changes meanwhile.
    pub(crate) fn validity(&self) -> Validity {
        self.validity
    }

    /// What a list says of a value.
    pub(crate) fn judge(&self, entries: &Entries, value: &Value) -> Verdict {
        match entries.contains(value) {
            Err(not_valid) => Verdict::deny(Code::INVALID_ARGUMENT, not_valid.to_string()),
            Ok(true) if self.blacklist => Verdict::deny(Code::PERMISSION_DENIED, format!("{value} is blacklisted")),
            Ok(false) if !self.blacklist => Verdict::deny(Code::PERMISSION_DENIED, format!("{value} is not whitelisted")),
            Ok(_) => Verdict::allow(),
        }
    }
}

#[cfg(test)]
mod tests;
