//! JSON objects that say each thing once.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Value};

/// A JSON object, in which no object has a member twice: two readers of one that has would see different things ([RFC 7515 §4](https://www.rfc-editor.org/rfc/rfc7515#section-4),
/// [RFC 7519 §4](https://www.rfc-editor.org/rfc/rfc7519#section-4)).
#[derive(Clone, PartialEq)]
pub(crate) struct Object(Map<String, Value>);

/// A value, as an [`Object`] has them.
struct Unique(Value);

// === impl Object ===

impl Object {
    /// `None` unless the text is one object, with nothing behind it.
    pub(crate) fn parse(text: &[u8]) -> Option<Self> {
        serde_json::from_slice(text).ok()
    }

    /// One that is a value of another.
    pub(crate) fn of(value: &Value) -> Option<Self> {
        value.as_object().cloned().map(Self)
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// A member that must be a text if it is there; `Err` if it is something else.
    pub(crate) fn text(&self, name: &'static str) -> Result<Option<&str>, &'static str> {
        match self.0.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(name),
        }
    }

    /// What is at a path such as `realm.roles`. Names may have dots too, as in `https://example.com/roles`.
    pub(crate) fn at(&self, path: &str) -> Option<&Value> {
        at(&self.0, path)
    }
}

fn at<'a>(object: &'a Map<String, Value>, path: &str) -> Option<&'a Value> {
    object.get(path).or_else(|| {
        path.match_indices('.').find_map(|(dot, _)| {
            let (name, rest) = (path.get(..dot)?, path.get(dot + 1..)?);
            at(object.get(name)?.as_object()?, rest)
        })
    })
}

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Unique::deserialize(deserializer)?.0 {
            Value::Object(object) => Ok(Self(object)),
            _ => Err(de::Error::custom("this must be an object")),
        }
    }
}

/// Without what is in it: that may be a secret.
impl fmt::Debug for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Object").field(&self.0.len()).finish()
    }
}

// === impl Unique ===

impl<'de> Deserialize<'de> for Unique {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Any)
    }
}

struct Any;

impl<'de> Visitor<'de> for Any {
    type Value = Unique;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Unique, E> {
        Ok(Unique(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Unique, E> {
        Ok(Unique(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Unique, E> {
        Ok(Unique(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Unique, E> {
        Ok(Unique(value.into()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Unique, E> {
        Ok(Unique(value.into()))
    }

    fn visit_string<E>(self, value: String) -> Result<Unique, E> {
        Ok(Unique(value.into()))
    }

    fn visit_unit<E>(self) -> Result<Unique, E> {
        Ok(Unique(Value::Null))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Unique, A::Error> {
        let mut values = Vec::new();
        while let Some(Unique(value)) = list.next_element()? {
            values.push(value);
        }
        Ok(Unique(values.into()))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Unique, A::Error> {
        let mut object = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            if object.contains_key(&name) {
                // Without the name: it may be part of a secret.
                return Err(de::Error::custom("a member is there twice"));
            }
            let Unique(value) = members.next_value()?;
            object.insert(name, value);
        }
        Ok(Unique(object.into()))
    }
}
