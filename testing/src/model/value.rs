//! Values of attributes and expressions, and how the ABI has them in bytes.

use inproxy::abi::{Status, encode_pairs};
use serde_json::Value as Json;

/// A value as Envoy's expressions know it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Double(f64),
    String(String),
    Bytes(Vec<u8>),
    /// Nanoseconds since the epoch.
    Timestamp(i64),
    /// Nanoseconds.
    Duration(i64),
    List(Vec<Value>),
    Map(Vec<(String, Value)>),
    /// One that can be walked into, and has no bytes itself.
    Wrapper(Vec<(String, Value)>),
}

// === impl Value ===

impl Value {
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self::String(text.into())
    }

    /// What a map has under a name.
    pub(crate) fn get(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Map(entries) | Self::Wrapper(entries) => entries.iter().find(|(key, _)| key == name).map(|(_, value)| value),
            Self::List(values) => values.get(name.parse::<usize>().ok()?),
            _ => None,
        }
    }

    /// Its bytes: strings and bytes as they are, numbers and times as eight bytes, truth as one, maps and lists as pairs.
    pub(crate) fn encode(&self) -> Result<Vec<u8>, Status> {
        Ok(match self {
            Self::Null | Self::Wrapper(_) => return Err(Status::SERIALIZATION_FAILURE),
            Self::Bool(value) => vec![u8::from(*value)],
            Self::Int(value) | Self::Timestamp(value) | Self::Duration(value) => value.to_le_bytes().to_vec(),
            Self::Uint(value) => value.to_le_bytes().to_vec(),
            Self::Double(value) => value.to_le_bytes().to_vec(),
            Self::String(value) => value.clone().into_bytes(),
            Self::Bytes(value) => value.clone(),
            Self::List(values) => {
                let values = values.iter().map(Self::encode).collect::<Result<Vec<_>, _>>()?;
                encode_pairs(values.iter().map(|value| (&**value, &b""[..])))
            }
            Self::Map(entries) => {
                let values = entries.iter().map(|(name, value)| Ok((name.as_bytes(), value.encode()?))).collect::<Result<Vec<_>, Status>>()?;
                encode_pairs(values.iter().map(|(name, value)| (*name, &**value)))
            }
        })
    }
}

impl From<&Json> for Value {
    /// As in a protobuf `Struct`, whose numbers are all doubles.
    fn from(json: &Json) -> Self {
        match json {
            Json::Null => Self::Null,
            Json::Bool(value) => Self::Bool(*value),
            Json::Number(value) => Self::Double(value.as_f64().unwrap_or(0.0)),
            Json::String(value) => Self::String(value.clone()),
            Json::Array(values) => Self::List(values.iter().map(Self::from).collect()),
            Json::Object(entries) => Self::Map(entries.iter().map(|(name, value)| (name.clone(), Self::from(value))).collect()),
        }
    }
}
