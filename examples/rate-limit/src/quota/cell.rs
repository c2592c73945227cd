/// What is in use of an amount that never comes back by itself.
#[derive(Clone, Copy, PartialEq, prost::Message)]
pub(crate) struct Cell {
    #[prost(uint64, tag = "1")]
    in_use: u64,
}

// === impl Cell ===

impl Cell {
    /// Grants an amount of a limit; for the best effort, what there is of it.
    pub(crate) fn allocate(&mut self, amount: u64, limit: u64, best_effort: bool) -> u64 {
        let available = self.left(limit);
        let granted = match amount {
            amount if amount <= available => amount,
            _ if best_effort => available,
            _ => 0,
        };
        self.in_use = self.in_use.saturating_add(granted);
        granted
    }

    /// Takes back up to an amount; how much it was.
    pub(crate) fn release(&mut self, amount: u64) -> u64 {
        let freed = amount.min(self.in_use);
        self.in_use -= freed;
        freed
    }

    pub(crate) fn left(&self, limit: u64) -> u64 {
        limit.saturating_sub(self.in_use)
    }
}
