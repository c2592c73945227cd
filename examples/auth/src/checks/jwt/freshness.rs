//! When keys are fetched.

use std::time::Duration;

/// How old keys may be, and how often their service is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Policy {
    /// So long they are good.
    pub(crate) cache_duration: Duration,
    /// So much longer they are used, while newer ones are fetched.
    pub(crate) max_stale: Duration,
    /// The pause after a fetch that failed.
    pub(crate) failed_refetch: Duration,
    /// The pause between two fetches that tokens of unknown keys have caused. Anybody can send such a token.
    pub(crate) unknown_key_cooldown: Duration,
}

/// Keys that were fetched, and what was tried. Times are those of any clock that only goes forward.
#[derive(Debug)]
pub(crate) struct Fetched<K> {
    policy: Policy,
    keys: Option<(K, Duration)>,
    /// When a fetch failed, if none was successful since.
    failed: Option<Duration>,
    /// When a token of an unknown key caused a fetch.
    asked_for_unknown: Option<Duration>,
}

/// What there is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum State<K> {
    Fresh(K),
    /// It can be used. Whether it should be fetched anew meanwhile.
    Stale(K, bool),
    /// There is nothing, and it should be fetched now.
    Missing,
    /// There is nothing, and it was tried just now.
    Unavailable,
}

/// What is to be done about a token whose key is not among those that there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unknown {
    /// They are fetched anew.
    Fetch,
    /// There is no such key: it was looked for just now.
    Refuse,
    /// Nobody knows: the last fetch failed.
    Unavailable,
}

// === impl Fetched ===

impl<K: Clone> Fetched<K> {
    pub(crate) const fn new(policy: Policy) -> Self {
        Self { policy, keys: None, failed: None, asked_for_unknown: None }
    }

    pub(crate) const fn policy(&self) -> &Policy {
        &self.policy
    }

    pub(crate) fn state(&self, now: Duration) -> State<K> {
        let may_fetch = !self.failed_just_now(now);
        match &self.keys {
            Some((keys, fetched)) if within(*fetched, self.policy.cache_duration, now) => State::Fresh(keys.clone()),
            Some((keys, fetched)) if within(*fetched, self.policy.cache_duration.saturating_add(self.policy.max_stale), now) => {
                State::Stale(keys.clone(), may_fetch)
            }
            _ if may_fetch => State::Missing,
            _ => State::Unavailable,
        }
    }

    /// The keys that there are, however old.
    pub(crate) fn keys(&self) -> Option<&K> {
        self.keys.as_ref().map(|(keys, _)| keys)
    }

    /// Whether keys are to be fetched for a token whose key is unknown; if so, that counts as done.
    pub(crate) fn unknown_key(&mut self, now: Duration) -> Unknown {
        if self.failed_just_now(now) {
            return Unknown::Unavailable;
        }
        if self.asked_for_unknown.is_some_and(|asked| within(asked, self.policy.unknown_key_cooldown, now)) {
            return if self.failed.is_some() { Unknown::Unavailable } else { Unknown::Refuse };
        }
        self.asked_for_unknown = Some(now);
        Unknown::Fetch
    }

    pub(crate) fn succeeded(&mut self, keys: K, now: Duration) {
        self.keys = Some((keys, now));
        self.failed = None;
    }

    /// Whether this is the first one to fail since one was successful.
    pub(crate) fn failed(&mut self, now: Duration) -> bool {
        self.failed.replace(now).is_none()
    }

    fn failed_just_now(&self, now: Duration) -> bool {
        self.failed.is_some_and(|failed| within(failed, self.policy.failed_refetch, now))
    }
}

/// Whether it is less than so long after then.
fn within(then: Duration, span: Duration, now: Duration) -> bool {
    now.saturating_sub(then) < span
}
