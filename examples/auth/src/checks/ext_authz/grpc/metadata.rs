use serde_json::{Number, Value as Json};

use crate::checks::ext_authz::proto::google::protobuf::{Struct, Value, value::Kind};

/// What a service says beside its decision, as JSON.
pub(super) fn to_json(metadata: Struct) -> Json {
    Json::Object(metadata.fields.into_iter().map(|(name, value)| (name, value_to_json(value))).collect())
}

/// (A message is not read if it is nested deeper than a hundred times.)
fn value_to_json(value: Value) -> Json {
    match value.kind {
        None | Some(Kind::NullValue(_)) => Json::Null,
        Some(Kind::BoolValue(value)) => Json::Bool(value),
        Some(Kind::NumberValue(value)) => Number::from_f64(value).map_or(Json::Null, Json::Number),
        Some(Kind::StringValue(value)) => Json::String(value),
        Some(Kind::StructValue(value)) => to_json(value),
        Some(Kind::ListValue(list)) => Json::Array(list.values.into_iter().map(value_to_json).collect()),
    }
}
