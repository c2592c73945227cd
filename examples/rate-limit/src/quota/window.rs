use super::TICKS_PER_SECOND;

/// What was granted within the last ticks, of an amount that is granted within any so many of them.
///
/// Mixer has an array with a slot for each tick; this has the slots that are not empty, so that a minute's window with ten grants is ten pairs of numbers, and can be shared.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Window {
    /// The limit that it was made with. Mixer keeps that, also when a later request comes with another one.
    #[prost(uint64, tag = "1")]
    capacity: u64,
    /// How many ticks it is long.
    #[prost(uint64, tag = "2")]
    length: u64,
    /// The tick that it was last rolled to.
    #[prost(uint64, tag = "3")]
    now: u64,
    /// The ticks in which something was granted, in order.
    #[prost(uint64, repeated, tag = "4")]
    ticks: Vec<u64>,
    /// How much in each.
    #[prost(uint64, repeated, tag = "5")]
    amounts: Vec<u64>,
}

// === impl Window ===

impl Window {
    pub(crate) fn new(capacity: u64, length: u64) -> Self {
        Self { capacity, length, now: 0, ticks: Vec::new(), amounts: Vec::new() }
    }

    /// For a duration, as Mixer rounds it: up to whole seconds.
    pub(crate) fn of_seconds(capacity: u64, seconds: u64) -> Self {
        Self::new(capacity, seconds.saturating_mul(TICKS_PER_SECOND))
    }

    /// How much could be granted at the tick that it was last rolled to.
    pub(crate) fn available(&self) -> u64 {
        self.capacity.saturating_sub(self.amounts.iter().fold(0, |sum, amount| sum.saturating_add(*amount)))
    }

    /// Grants an amount, or nothing of it.
    pub(crate) fn allocate(&mut self, amount: u64, tick: u64) -> bool {
        self.roll(tick);
        if amount > self.available() {
            return false;
        }
        match (self.ticks.last(), self.amounts.last_mut()) {
            (Some(last), Some(granted)) if *last == self.now => *granted = granted.saturating_add(amount),
            _ => {
                self.ticks.push(self.now);
                self.amounts.push(amount);
            }
        }
        true
    }

    /// Takes back what was granted last, up to an amount; how much it was.
    pub(crate) fn release(&mut self, amount: u64, tick: u64) -> u64 {
        self.roll(tick);
        let mut left = amount;
        while let Some(granted) = self.amounts.last_mut() {
            let freed = left.min(*granted);
            *granted -= freed;
            left -= freed;
            if *granted > 0 {
                break;
            }
            self.amounts.pop();
            self.ticks.pop();
        }
        amount - left
    }

    /// In how many ticks the oldest grant is out of the window.
    pub(crate) fn frees_in(&self, tick: u64) -> Option<u64> {
        self.ticks.first().map(|oldest| oldest.saturating_add(self.length).saturating_sub(tick))
    }

    /// Forgets what is out of the window. A clock that was set back does not bring it back.
    fn roll(&mut self, tick: u64) {
        self.now = self.now.max(tick);
        let over = self.ticks.iter().take_while(|granted| granted.saturating_add(self.length) <= self.now).count();
        self.ticks.drain(..over);
        self.amounts.drain(..over.min(self.amounts.len()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Mixer, §4.1: a limit of 5, 3 slots.
    #[test]
    fn grants_what_mixers_window_grants() {
        let mut window = Window::new(5, 3);
        for (place, (amount, tick, granted, available)) in [
            (6, 1, false, 5),
            (1, 1, true, 4),
            (2, 1, true, 2),
            (2, 1, true, 0),
            (1, 1, false, 0),
            (2, 1, false, 0),
            (1, 2, false, 0),
            (1, 3, false, 0),
            (1, 4, true, 4),
            (4, 5, true, 0),
            (1, 5, false, 0),
            (1, 7, true, 0),
            (1, 7, false, 0),
            (1, 8, true, 3),
            (5, 11, true, 0),
        ]
        .into_iter()
        .enumerate()
        {
            assert_eq!((window.allocate(amount, tick), window.available()), (granted, available), "case {place}: {amount} at {tick}");
        }
    }

    #[test]
    fn a_clock_that_is_set_back_grants_nothing_anew() {
        let mut window = Window::new(5, 3);
        assert!(window.allocate(5, 100));
        assert!(!window.allocate(1, 1));
        assert!(!window.allocate(1, 102));
        assert!(window.allocate(1, 103));
    }

    #[test]
    fn what_was_granted_last_is_taken_back_first() {
        let mut window = Window::new(10, 5);
        assert!(window.allocate(2, 1) && window.allocate(3, 2) && window.allocate(4, 3));
        assert_eq!((window.release(5, 3), window.available()), (5, 6));
        assert_eq!((window.release(100, 3), window.available(), window.ticks.len()), (4, 10, 0));
    }
}
