use std::borrow::Cow;

use super::{Shared, SharedError};

/// A number from 0 to `u64::MAX` that all workers add to, and can read.
///
/// What is only to be seen in the proxy's statistics is cheaper as a [`Counter`](crate::metrics::Counter). Under its key this is a [`Shared<u64>`](Shared).
///
/// # Examples
///
/// One request in a hundred, over all workers:
///
/// ```no_run
/// # use inproxy::log;
/// # use inproxy::prelude::*;
/// use inproxy::shared::SharedCounter;
///
/// # fn example() -> Result<()> {
/// let requests = SharedCounter::new("sample/requests");
/// if requests.increment()? % 100 == 0 {
///     log::info!("a sample");
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct SharedCounter(Shared<u64>);

// === impl SharedCounter ===

impl SharedCounter {
    /// The number under a key.
    pub fn new(key: impl Into<Cow<'static, str>>) -> Self {
        Self(Shared::new(key))
    }

    /// How often an addition is tried: [`ATTEMPTS`](super::ATTEMPTS) times unless set, at least once.
    #[must_use]
    pub fn with_attempts(self, attempts: u32) -> Self {
        Self(self.0.with_attempts(attempts))
    }

    /// The number; 0 if nothing was added yet.
    ///
    /// # Errors
    ///
    /// [`SharedError::Decode`] if something else is under the key; [`SharedError::Host`].
    pub fn get(&self) -> Result<u64, SharedError> {
        Ok(self.0.get()?.unwrap_or(0))
    }

    /// Adds one; the new number, which no other addition of one has got or gets.
    ///
    /// # Errors
    ///
    /// As those of [`add`](Self::add).
    pub fn increment(&self) -> Result<u64, SharedError> {
        self.add(1)
    }

    /// Adds; the new number. It stays at `u64::MAX` when it gets there.
    ///
    /// # Errors
    ///
    /// [`SharedError::Contended`] if other workers were first each time; [`SharedError::Decode`], [`SharedError::Host`]. Nothing was added then.
    pub fn add(&self, count: u64) -> Result<u64, SharedError> {
        self.0.update(|number| number.unwrap_or(0).saturating_add(count))
    }
}
