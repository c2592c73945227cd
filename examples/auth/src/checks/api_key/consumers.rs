use subtle::ConditionallySelectable;

use crate::policy::{Digest, Secret};

/// A consumer, as it is configured.
#[derive(Debug, Default)]
pub(crate) struct Consumer {
    pub(crate) name: String,
    pub(crate) keys: Vec<Secret>,
    /// SHA-256 of keys, in hexadecimal digits.
    pub(crate) hashes: Vec<Secret>,
    pub(crate) groups: Vec<String>,
}

/// Keys, of which only the SHA-256 is kept, and whose they are.
#[derive(Debug)]
pub(crate) struct Consumers {
    /// With the place of the consumer.
    keys: Vec<(Digest, u32)>,
    /// With whether they may pass.
    consumers: Vec<(String, bool)>,
}

/// Whose key it is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Identified<'a> {
    Allowed(&'a str),
    NotAllowed,
    Unknown,
}

/// Consumers that cannot be meant. Nothing of a key is told, nor of its hash.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ConsumersError {
    #[error("consumers[{0}].name: a name is not empty, and has no control characters")]
    Name(usize),
    #[error("consumers[{0}].name: consumers[{1}] has the same name; a consumer may have a list of keys")]
    Twice(usize, usize),
    #[error("consumers[{0}]: it has neither a key nor a sha256")]
    NoKey(usize),
    #[error("consumers[{0}].key: the key is empty")]
    Empty(usize),
    #[error("consumers[{0}].sha256: the SHA-256 of a key has 64 hexadecimal digits")]
    Hash(usize),
    #[error("consumers[{0}]: consumers[{1}] has the same key")]
    Shared(usize, usize),
    #[error("allow_consumers: no consumer is called {0:?}")]
    NoConsumer(String),
    #[error("allow_groups: no consumer is in the group {0:?}")]
    NoGroup(String),
}

// === impl Consumers ===

impl Consumers {
    /// # Errors
    ///
    /// [`ConsumersError`].
    pub(crate) fn try_new(
        all: impl IntoIterator<Item = Consumer>,
        allow_consumers: Option<&[String]>,
        allow_groups: Option<&[String]>,
    ) -> Result<Self, ConsumersError> {
        let all: Vec<Consumer> = all.into_iter().collect();
        for name in allow_consumers.unwrap_or_default() {
            if !all.iter().any(|consumer| consumer.name == *name) {
                return Err(ConsumersError::NoConsumer(name.clone()));
            }
        }
        for group in allow_groups.unwrap_or_default() {
            if !all.iter().any(|consumer| consumer.groups.contains(group)) {
                return Err(ConsumersError::NoGroup(group.clone()));
            }
        }
        let may_pass = |consumer: &Consumer| {
            let named = allow_consumers.is_some_and(|names| names.contains(&consumer.name));
            let grouped = allow_groups.is_some_and(|groups| consumer.groups.iter().any(|group| groups.contains(group)));
            (allow_consumers.is_none() && allow_groups.is_none()) || named || grouped
        };
        let (mut keys, mut consumers) = (Vec::<(Digest, u32)>::new(), Vec::<(String, bool)>::new());
        for (consumer, at) in all.iter().zip(0_u32..) {
            let place = consumers.len();
            if consumer.name.is_empty() || consumer.name.chars().any(char::is_control) {
                return Err(ConsumersError::Name(place));
            }
            if let Some(other) = consumers.iter().position(|(name, _)| *name == consumer.name) {
                return Err(ConsumersError::Twice(place, other));
            }
            let digests = consumer.digests(place)?;
            for digest in digests {
                if let Some((_, other)) = keys.iter().find(|(known, _)| bool::from(known.is(&digest))) {
                    return Err(ConsumersError::Shared(place, *other as usize));
                }
                keys.push((digest, at));
            }
            consumers.push((consumer.name.clone(), may_pass(consumer)));
        }
        Ok(Self { keys, consumers })
    }

    /// Compares with all keys: how long it takes does not tell which of them it was, nor how much of it was right.
    pub(crate) fn identify(&self, key: &[u8]) -> Identified<'_> {
        let digest = Digest::of(key);
        let mut place = u32::MAX;
        for (known, consumer) in &self.keys {
            place.conditional_assign(consumer, known.is(&digest));
        }
        match self.consumers.get(place as usize) {
            Some((name, true)) => Identified::Allowed(name),
            Some((_, false)) => Identified::NotAllowed,
            None => Identified::Unknown,
        }
    }
}

// === impl Consumer ===

impl Consumer {
    fn digests(&self, place: usize) -> Result<Vec<Digest>, ConsumersError> {
        if self.keys.is_empty() && self.hashes.is_empty() {
            return Err(ConsumersError::NoKey(place));
        }
        let keys = self.keys.iter().map(|key| match key.as_bytes() {
            [] => Err(ConsumersError::Empty(place)),
            key => Ok(Digest::of(key)),
        });
        let hashes = self.hashes.iter().map(|hash| {
            let digest = Digest::from_hex(hash.as_bytes()).ok_or(ConsumersError::Hash(place))?;
            // Anybody has nothing.
            if bool::from(digest.is(&Digest::of(b""))) { Err(ConsumersError::Empty(place)) } else { Ok(digest) }
        });
        keys.chain(hashes).collect()
    }
}
