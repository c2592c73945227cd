//! The keys of an issuer.

use serde_json::Value;

use super::{
    algorithm::Algorithm,
    key::{Key, KeyFault},
    object::Object,
};

/// A [JSON Web Key Set](https://www.rfc-editor.org/rfc/rfc7517#section-5), without those of its keys that cannot be used.
#[derive(Debug)]
pub(crate) struct KeySet {
    keys: Vec<Key>,
    /// Where they were, and why they are not used.
    pub(crate) left_out: Vec<(usize, KeyFault)>,
}

/// A set of keys with which no token can be checked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum KeySetError {
    #[error("a set of keys is a JSON object with a list \"keys\", and none of its objects has a member twice")]
    Malformed,
    #[error("{0} keys are more than {MOST}")]
    TooMany(usize),
    #[error("there is no key in it")]
    Empty,
    #[error("there is no key in it that can be used; the first, keys[{0}]: {1}")]
    NoneOfUse(usize, KeyFault),
}

/// Sets of more keys are refused.
const MOST: usize = 100;

/// So many keys are tried with a token that does not say which is its own.
const TRIED: usize = 16;

// === impl KeySet ===

impl KeySet {
    pub(crate) fn parse(text: &[u8]) -> Result<Self, KeySetError> {
        Self::try_new(&Object::parse(text).ok_or(KeySetError::Malformed)?)
    }

    /// Keys of unknown kinds, for other purposes or out of order are left out, as [RFC 7517 §5](https://www.rfc-editor.org/rfc/rfc7517#section-5) recommends.
    pub(crate) fn try_new(set: &Object) -> Result<Self, KeySetError> {
        let all = set.get("keys").and_then(Value::as_array).ok_or(KeySetError::Malformed)?;
        if all.len() > MOST {
            return Err(KeySetError::TooMany(all.len()));
        }
        let (mut keys, mut left_out) = (Vec::new(), Vec::new());
        for (place, key) in all.iter().enumerate() {
            match Object::of(key).ok_or(KeyFault::NotAKey).and_then(|key| Key::try_new(&key)) {
                Ok(key) => keys.push(key),
                Err(fault) => left_out.push((place, fault)),
            }
        }
        match left_out.first() {
            _ if !keys.is_empty() => Ok(Self { keys, left_out }),
            Some((place, fault)) => Err(KeySetError::NoneOfUse(*place, fault.clone())),
            None => Err(KeySetError::Empty),
        }
    }

    /// The keys that may be those of a token: all with its id, or without one.
    pub(crate) fn fitting<'a>(&'a self, algorithm: Algorithm, id: Option<&'a str>) -> impl Iterator<Item = &'a Key> {
        self.keys.iter().filter(move |key| key.fits(algorithm, id)).take(TRIED)
    }
}
