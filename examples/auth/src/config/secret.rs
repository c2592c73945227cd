use std::fmt;

use serde::{Deserialize, Deserializer, de};

use super::Hushed;
use crate::policy::Secret;

/// A secret, or a list of them.
#[derive(Debug, Default)]
pub(crate) struct Secrets(pub(crate) Vec<Secret>);

struct OneOrMore;

/// An error says nothing of it.
impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Hushed::<String>::deserialize(deserializer).map(|text| Self::new(text.into_inner()))
    }
}

impl<'de> Deserialize<'de> for Secrets {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OneOrMore).map(Self)
    }
}

impl<'de> de::Visitor<'de> for OneOrMore {
    type Value = Vec<Secret>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, or a list of texts")
    }

    fn visit_str<E: de::Error>(self, secret: &str) -> Result<Vec<Secret>, E> {
        Ok(vec![Secret::new(secret)])
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut list: A) -> Result<Vec<Secret>, A::Error> {
        let mut secrets = Vec::new();
        while let Some(secret) = list.next_element()? {
            secrets.push(secret);
        }
        Ok(secrets)
    }
}
