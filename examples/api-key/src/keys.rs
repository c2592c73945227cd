//! Whose key it is.

use std::fmt;

use subtle::ConstantTimeEq;

/// Keys and their consumers.
pub(crate) struct Keys(Vec<(Vec<u8>, String)>);

/// A list of keys that cannot be meant.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum KeysError {
    /// Any request with an empty header would be that consumer.
    EmptyKey(String),
    /// Two consumers have one key.
    Shared(String, String),
}

// === impl Keys ===

impl Keys {
    pub(crate) fn try_new<'a>(consumers: impl Iterator<Item = (&'a str, &'a str)>) -> Result<Self, KeysError> {
        let mut keys = Vec::<(Vec<u8>, String)>::new();
        for (key, consumer) in consumers {
            if key.is_empty() {
                return Err(KeysError::EmptyKey(consumer.to_owned()));
            }
            if let Some((_, other)) = keys.iter().find(|(known, _)| known == key.as_bytes()) {
                return Err(KeysError::Shared(other.clone(), consumer.to_owned()));
            }
            keys.push((key.as_bytes().to_vec(), consumer.to_owned()));
        }
        Ok(Self(keys))
    }

    /// The consumer whose key this is. How long the comparison takes tells nothing of the keys but their lengths.
    pub(crate) fn consumer(&self, key: &[u8]) -> Option<&str> {
        let mut found = None;
        for (known, consumer) in &self.0 {
            if bool::from(known.as_slice().ct_eq(key)) {
                found = Some(consumer.as_str());
            }
        }
        found
    }
}

/// Without the keys.
impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Keys").field(&self.0.len()).finish()
    }
}

// === impl KeysError ===

impl fmt::Display for KeysError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EmptyKey(consumer) => write!(f, "consumers: the key of {consumer:?} is empty"),
            Self::Shared(one, other) => write!(f, "consumers: {one:?} and {other:?} have the same key"),
        }
    }
}

impl std::error::Error for KeysError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_belongs_to_its_consumer_only() {
        let keys = Keys::try_new([("k1", "alice"), ("k22", "bob")].into_iter()).unwrap();
        for (key, consumer) in [("k1", Some("alice")), ("k22", Some("bob")), ("k2", None), ("", None), ("K1", None), ("k1 ", None)] {
            assert_eq!(keys.consumer(key.as_bytes()), consumer, "{key:?}");
        }
        assert_eq!(keys.consumer(b"\xff"), None);
    }

    #[test]
    fn keys_that_cannot_be_meant_are_refused() {
        let empty = Keys::try_new([("", "alice")].into_iter()).unwrap_err();
        assert_eq!(empty.to_string(), r#"consumers: the key of "alice" is empty"#);
        let shared = Keys::try_new([("k", "alice"), ("k", "bob")].into_iter()).unwrap_err();
        assert_eq!(shared.to_string(), r#"consumers: "alice" and "bob" have the same key"#);
    }
}
