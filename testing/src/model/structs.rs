//! A protobuf [`Struct`](https://protobuf.dev/reference/protobuf/google.protobuf/#struct), from its bytes.

use std::collections::BTreeMap;

use prost::{Message, Oneof};

use super::value::Value;

#[derive(Clone, PartialEq, Message)]
struct Struct {
    #[prost(btree_map = "string, message", tag = "1")]
    fields: BTreeMap<String, Field>,
}

#[derive(Clone, PartialEq, Message)]
struct Field {
    #[prost(oneof = "Kind", tags = "1, 2, 3, 4, 5, 6")]
    kind: Option<Kind>,
}

#[derive(Clone, PartialEq, Oneof)]
enum Kind {
    #[prost(int32, tag = "1")]
    Null(i32),
    #[prost(double, tag = "2")]
    Number(f64),
    #[prost(string, tag = "3")]
    Text(String),
    #[prost(bool, tag = "4")]
    Truth(bool),
    #[prost(message, tag = "5")]
    Map(Struct),
    #[prost(message, tag = "6")]
    List(List),
}

#[derive(Clone, PartialEq, Message)]
struct List {
    #[prost(message, repeated, tag = "1")]
    values: Vec<Field>,
}

/// `None` for bytes that are none.
pub(super) fn decode(bytes: &[u8]) -> Option<Value> {
    Struct::decode(bytes).ok().map(map)
}

fn map(map: Struct) -> Value {
    Value::Map(map.fields.into_iter().map(|(name, field)| (name, value(field))).collect())
}

fn value(field: Field) -> Value {
    match field.kind {
        None | Some(Kind::Null(_)) => Value::Null,
        Some(Kind::Number(number)) => Value::Double(number),
        Some(Kind::Text(text)) => Value::String(text),
        Some(Kind::Truth(truth)) => Value::Bool(truth),
        Some(Kind::Map(fields)) => map(fields),
        Some(Kind::List(list)) => Value::List(list.values.into_iter().map(value).collect()),
    }
}
