use std::{
    borrow::Cow,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use super::{Shared, SharedError};
use crate::random;

/// Who of all workers does what one of them must do: a lease that one VM has at a time, and keeps for as long as it renews it.
///
/// It is no lock: a VM that is stopped for longer than the lease lasts finds that another one has it. What is done under it should take less time than it lasts, or be harmless if done twice.
///
/// # Examples
///
/// One VM asks for the list, and all have it:
///
/// ```
/// use std::time::Duration;
///
/// use inproxy::{prelude::*, shared::{Lease, Shared}, time};
///
/// async fn refresh(source: Cluster) -> Result<()> {
///     let lease = Lease::new("denied/refresh", Duration::from_secs(90));
///     let list = Shared::<Vec<u8>>::new("denied/list");
///     loop {
///         if lease.take(time::now()?)? {
///             list.set(&source.get("/denied").send().await?.require_success()?.into_body())?;
///         }
///         time::sleep(Duration::from_secs(30)).await;
///     }
/// }
/// ```
#[derive(Debug)]
pub struct Lease {
    /// The holder's number and, in milliseconds since the epoch, until when.
    value: Shared<Vec<u8>>,
    holder: u64,
    duration: Duration,
}

// === impl Lease ===

impl Lease {
    /// The lease under a key, which lasts so long each time that it is taken. Filters with the same `vm_id` share all keys: begin with the filter's name.
    pub fn new(key: impl Into<Cow<'static, str>>, duration: Duration) -> Self {
        Self { value: Shared::new(key), holder: random::number(), duration }
    }

    /// Takes the lease if nobody has it, or renews it; whether this VM has it now.
    ///
    /// # Errors
    ///
    /// [`SharedError`] if the proxy refuses, or too many take it at the same time.
    pub fn take(&self, now: SystemTime) -> Result<bool, SharedError> {
        let now = milliseconds(now);
        let until = now.saturating_add(u64::try_from(self.duration.as_millis()).unwrap_or(u64::MAX));
        let taken = self.value.try_update(|current| {
            let free = current.as_deref().and_then(read).is_none_or(|(holder, until)| holder == self.holder || until <= now);
            free.then(|| [self.holder.to_le_bytes(), until.to_le_bytes()].concat())
        })?;
        Ok(taken.is_some())
    }

    /// Gives the lease back, if this VM has it, so that another one need not wait.
    ///
    /// # Errors
    ///
    /// [`SharedError`] if the proxy refuses, or too many take it at the same time.
    pub fn give_back(&self) -> Result<(), SharedError> {
        self.value.try_update(|current| {
            let own = current.as_deref().and_then(read).is_some_and(|(holder, _)| holder == self.holder);
            own.then(|| [self.holder.to_le_bytes(), 0_u64.to_le_bytes()].concat())
        })?;
        Ok(())
    }
}

fn read(value: &[u8]) -> Option<(u64, u64)> {
    let (holder, until) = value.split_first_chunk()?;
    Some((u64::from_le_bytes(*holder), u64::from_le_bytes(*until.first_chunk()?)))
}

fn milliseconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
