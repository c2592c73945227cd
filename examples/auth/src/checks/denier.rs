//! Mixer's `denier`: it says no.

use std::time::Duration;

use crate::policy::{Denial, Validity, Verdict};

/// Denies whatever it is asked about, always in the same way.
#[derive(Debug)]
pub(crate) struct Denier {
    denial: Denial,
    validity: Validity,
}

// === impl Denier ===

impl Denier {
    pub(crate) fn new(denial: Denial, valid_duration: Duration, valid_use_count: u32) -> Self {
        Self { denial, validity: Validity { duration: valid_duration, uses: Some(valid_use_count) } }
    }

    /// What it says, and for how long that holds. (To keep it would cost more than to ask again.)
    pub(crate) fn check(&self) -> (Verdict, Validity) {
        (Verdict::Deny(self.denial.clone()), self.validity)
    }
}
