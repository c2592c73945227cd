use std::{cell::Cell, time::Duration};

use super::Verdict;

/// For how long, and how often, a verdict may be used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Validity {
    pub(crate) duration: Duration,
    /// How often; none stands for no bound.
    pub(crate) uses: Option<u32>,
}

/// A verdict that is kept, with the uses that are left of it.
#[derive(Debug)]
pub(crate) struct Kept {
    verdict: Verdict,
    uses: Option<Cell<u32>>,
}

// === impl Kept ===

impl Kept {
    pub(crate) fn new(verdict: Verdict, uses: Option<u32>) -> Self {
        Self { verdict, uses: uses.map(Cell::new) }
    }

    /// The verdict, unless it was used often enough.
    pub(crate) fn take(&self) -> Option<&Verdict> {
        if let Some(uses) = &self.uses {
            uses.set(uses.get().checked_sub(1)?);
        }
        Some(&self.verdict)
    }
}
