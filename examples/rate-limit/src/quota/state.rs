use std::time::Duration;

use super::{Amount, TICKS_PER_SECOND, cell::Cell, window::Window};

/// What is asked of a quota.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ask {
    /// So much of it; with the best effort, as much as there is.
    Allocate { amount: u64, best_effort: bool },
    /// So much is given back.
    Release { amount: u64 },
}

/// What comes of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Grant {
    /// How much was granted, or given back.
    pub(crate) amount: u64,
    /// For how long that holds; zero if it is for ever, or if nothing was granted.
    pub(crate) valid: Duration,
}

/// How much of a quota is in use under one key. It has bytes, so that all workers can share it.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct State {
    /// Of an amount that never comes back by itself.
    #[prost(message, tag = "1")]
    cell: Option<Cell>,
    /// Of one that is granted within each so long.
    #[prost(message, tag = "2")]
    window: Option<Window>,
}

// === impl State ===

impl State {
    /// Asks something at a time since the epoch. The amount is that of the request; a window that is there keeps the one that it was made with, as Mixer's did.
    pub(crate) fn ask(&mut self, ask: Ask, limit: Amount, now: Duration) -> Grant {
        if limit.valid.is_zero() {
            let cell = self.cell.get_or_insert_default();
            let amount = match ask {
                Ask::Allocate { amount, best_effort } => cell.allocate(amount, limit.max, best_effort),
                Ask::Release { amount } => cell.release(amount),
            };
            return Grant { amount, valid: Duration::ZERO };
        }
        let seconds = limit.valid.as_secs() + u64::from(limit.valid.subsec_nanos() > 0);
        let window = self.window.get_or_insert_with(|| Window::of_seconds(limit.max, seconds));
        let tick = tick(now);
        match ask {
            Ask::Allocate { amount: 0, .. } => Grant::default(),
            Ask::Allocate { amount, .. } if window.allocate(amount, tick) => Grant { amount, valid: limit.valid },
            // Also if it is nothing.
            Ask::Allocate { best_effort: true, .. } => {
                let amount = window.available();
                Grant { amount: if amount > 0 && window.allocate(amount, tick) { amount } else { 0 }, valid: limit.valid }
            }
            Ask::Allocate { .. } => Grant::default(),
            Ask::Release { amount } => Grant { amount: window.release(amount, tick), valid: Duration::ZERO },
        }
    }

    /// How much is left of it.
    pub(crate) fn left(&self, limit: Amount) -> u64 {
        match (&self.cell, &self.window) {
            (Some(cell), _) if limit.valid.is_zero() => cell.left(limit.max),
            (_, Some(window)) if !limit.valid.is_zero() => window.available(),
            _ => limit.max,
        }
    }

    /// When more of it will be granted than is now; `None` if nothing is granted, or only what is given back counts.
    pub(crate) fn resets_in(&self, now: Duration) -> Option<Duration> {
        self.window.as_ref()?.frees_in(tick(now)).map(|ticks| Duration::from_millis(ticks.saturating_mul(1000 / TICKS_PER_SECOND)))
    }
}

fn tick(now: Duration) -> u64 {
    now.as_secs().saturating_mul(TICKS_PER_SECOND).saturating_add(u64::from(now.subsec_millis()) * TICKS_PER_SECOND / 1000)
}
