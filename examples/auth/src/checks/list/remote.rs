use std::time::Duration;

use super::{Entries, EntryError};
use crate::config::list::EntryType;

/// A list that is fetched again and again: what is kept of it, and for how long. Times count from any moment on.
#[derive(Debug)]
pub(crate) struct Remote {
    entry_type: EntryType,
    overrides: Vec<String>,
    refresh_interval: Duration,
    ttl: Duration,
    installed: Option<Installed>,
    /// Why the last fetch brought none.
    error: Option<String>,
    /// How often in a row.
    failures: u32,
}

#[derive(Debug)]
struct Installed {
    entries: Entries,
    /// What it was read from, to know it again.
    body: Vec<u8>,
    /// When it is purged, unless it is fetched again before.
    until: Duration,
}

/// What a fetch has brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum News {
    /// Another list, with so many entries.
    Installed(usize),
    Unchanged,
}

// === impl Remote ===

impl Remote {
    /// One that was not fetched yet. The overrides are valid: the configuration was refused else.
    pub(crate) fn new(entry_type: EntryType, overrides: Vec<String>, refresh_interval: Duration, ttl: Duration) -> Self {
        Self { entry_type, overrides, refresh_interval, ttl, installed: None, error: None, failures: 0 }
    }

    /// What a fetch has brought: a body, or why there is none. Without one, or with one that cannot be read, the list stays as it is, but is purged when its time is over.
    pub(crate) fn fetched(&mut self, outcome: Result<Vec<u8>, String>, now: Duration) -> Result<News, String> {
        self.installed.take_if(|installed| installed.until <= now);
        let news = outcome.and_then(|body| self.install(body, now).map_err(|error| error.to_string()));
        self.failures = if news.is_ok() { 0 } else { self.failures.saturating_add(1) };
        self.error = news.clone().err();
        news
    }

    fn install(&mut self, body: Vec<u8>, now: Duration) -> Result<News, EntryError> {
        let until = now.saturating_add(self.ttl);
        if let Some(installed) = self.installed.as_mut().filter(|installed| installed.body == body) {
            installed.until = until;
            return Ok(News::Unchanged);
        }
        let entries = Entries::parse(self.entry_type, &body, &self.overrides)?;
        let count = entries.count();
        self.installed = Some(Installed { entries, body, until });
        Ok(News::Installed(count))
    }

    /// The list; or why there is none, `None` if it was not fetched yet.
    pub(crate) fn entries(&self, now: Duration) -> Result<&Entries, Option<&str>> {
        match &self.installed {
            Some(installed) if now < installed.until => Ok(&installed.entries),
            Some(_) if self.error.is_none() => Err(Some("it was not fetched again in time")),
            _ => Err(self.error.as_deref()),
        }
    }

    /// When to fetch it again: after the refresh interval; sooner if there is no list, after a second at first. (Mixer waits, and says in a comment that it should not.)
    pub(crate) fn pause(&self, now: Duration) -> Duration {
        if self.entries(now).is_ok() {
            return self.refresh_interval;
        }
        let doublings = self.failures.saturating_sub(1).min(16);
        Duration::from_secs(1 << doublings).min(self.refresh_interval)
    }
}
