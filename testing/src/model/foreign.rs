//! Envoy's foreign functions.

use std::io::{Read, Write};

use cel::{Context, Program, Value as Cel, objects::Key};
use flate2::{Compression, read::ZlibDecoder, write::ZlibEncoder};
use inproxy::abi::Status;
use prost::Message;

use super::{
    properties,
    state::{Declared, State},
    value::Value,
};
use crate::running::LogLevel;

/// The attributes that expressions can name.
const ATTRIBUTES: [&str; 12] = [
    "request",
    "response",
    "source",
    "destination",
    "connection",
    "upstream",
    "metadata",
    "filter_state",
    "xds",
    "plugin_name",
    "plugin_root_id",
    "plugin_vm_id",
];

/// `envoy.source.extensions.common.wasm.SetEnvoyFilterStateArguments`.
#[derive(Clone, PartialEq, Message)]
struct SetFilterState {
    #[prost(string, tag = "1")]
    path: String,
    #[prost(string, tag = "2")]
    value: String,
    #[prost(int32, tag = "3")]
    span: i32,
}

/// `envoy.source.extensions.common.wasm.DeclarePropertyArguments`.
#[derive(Clone, PartialEq, Message)]
struct DeclareProperty {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(bool, tag = "2")]
    readonly: bool,
    #[prost(int32, tag = "3")]
    kind: i32,
    #[prost(bytes, tag = "4")]
    schema: Vec<u8>,
    #[prost(int32, tag = "5")]
    span: i32,
}

/// The kind of a declared property whose bytes are a message, and the only message that the model reads.
const PROTOBUF: i32 = 3;
const STRUCT: &[u8] = b"type.googleapis.com/google.protobuf.Struct";

/// The keys for which Envoy has a factory, as far as an HTTP filter meets them.
const TYPED: [&str; 4] =
    ["envoy.tcp_proxy.cluster", "envoy.network.upstream_server_name", "envoy.upstream.dynamic_host", "envoy.upstream.dynamic_port"];

/// Calls one.
pub(crate) fn call(state: &mut State, vm: usize, name: &[u8], argument: &[u8]) -> Result<Vec<u8>, Status> {
    match name {
        b"compress" => {
            let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
            encoder.write_all(argument).and_then(|()| encoder.finish()).map_err(|_| Status::SERIALIZATION_FAILURE)
        }
        b"uncompress" => {
            let mut bytes = Vec::new();
            ZlibDecoder::new(argument).read_to_end(&mut bytes).map_err(|_| Status::SERIALIZATION_FAILURE)?;
            Ok(bytes)
        }
        b"clear_route_cache" => Ok(Vec::new()),
        b"set_envoy_filter_state" => {
            let SetFilterState { path, value, .. } = Message::decode(argument).map_err(|_| Status::BAD_ARGUMENT)?;
            if !TYPED.contains(&path.as_str()) {
                return Err(Status::NOT_FOUND);
            }
            let one = &state.vms[vm];
            let stream = one.contexts.get(&one.effective).ok_or(Status::NOT_FOUND)?.stream;
            state.streams[stream].envoy_state.insert(path, Value::String(value));
            Ok(Vec::new())
        }
        b"declare_property" => {
            let DeclareProperty { name, readonly, kind, schema, .. } = Message::decode(argument).map_err(|_| Status::BAD_ARGUMENT)?;
            if state.vms[vm].declared.contains_key(name.as_bytes()) {
                return Err(Status::BAD_ARGUMENT);
            }
            let has_fields = kind == PROTOBUF && schema == STRUCT;
            state.vms[vm].declared.insert(name.into_bytes(), Declared { readonly, has_fields });
            Ok(Vec::new())
        }
        b"expr_create" => {
            let text = String::from_utf8_lossy(argument).into_owned();
            if let Err(error) = Program::compile(&text) {
                state.log(LogLevel::Info, format!("expr_create parse error: {error}"));
                return Err(Status::BAD_ARGUMENT);
            }
            let expressions = &mut state.vms[vm].expressions;
            expressions.push(Some(text));
            Ok((expressions.len() as u32 - 1).to_le_bytes().to_vec())
        }
        b"expr_evaluate" => {
            let text = expression(state, vm, argument)?.clone().ok_or(Status::NOT_FOUND)?;
            evaluate(state, vm, &text)
        }
        b"expr_delete" => {
            let token = token(argument)?;
            if let Some(expression) = state.vms[vm].expressions.get_mut(token) {
                *expression = None;
            }
            Ok(Vec::new())
        }
        _ => Err(Status::NOT_FOUND),
    }
}

fn token(argument: &[u8]) -> Result<usize, Status> {
    argument.try_into().map(|bytes| u32::from_le_bytes(bytes) as usize).map_err(|_| Status::BAD_ARGUMENT)
}

fn expression<'a>(state: &'a State, vm: usize, argument: &[u8]) -> Result<&'a Option<String>, Status> {
    state.vms[vm].expressions.get(token(argument)?).ok_or(Status::NOT_FOUND)
}

/// Evaluates an expression in the context whose callback runs, whatever context calls act on.
fn evaluate(state: &mut State, vm: usize, text: &str) -> Result<Vec<u8>, Status> {
    let program = Program::compile(text).map_err(|_| Status::INTERNAL_FAILURE)?;
    let one = &mut state.vms[vm];
    let effective = std::mem::replace(&mut one.effective, one.current);
    let mut context = Context::default();
    for name in ATTRIBUTES {
        if let Some(value) = properties::attribute(state, vm, name) {
            context.add_variable_from_value(name, to_cel(&value));
        }
    }
    state.vms[vm].effective = effective;
    let result = program.execute(&context).map_err(|_| Status::INTERNAL_FAILURE)?;
    from_cel(&result).ok_or(Status::SERIALIZATION_FAILURE)?.encode()
}

fn to_cel(value: &Value) -> Cel {
    match value {
        Value::Null => Cel::Null,
        Value::Bool(value) => Cel::Bool(*value),
        Value::Int(value) | Value::Timestamp(value) | Value::Duration(value) => Cel::Int(*value),
        Value::Uint(value) => Cel::UInt(*value),
        Value::Double(value) => Cel::Float(*value),
        Value::String(value) => Cel::String(value.clone().into()),
        Value::Bytes(value) => Cel::Bytes(value.clone().into()),
        Value::List(values) => Cel::List(values.iter().map(to_cel).collect::<Vec<_>>().into()),
        Value::Map(entries) | Value::Wrapper(entries) => {
            let entries = entries.iter().map(|(name, value)| (Key::from(name.clone()), to_cel(value)));
            Cel::Map(entries.collect::<std::collections::HashMap<_, _>>().into())
        }
    }
}

fn from_cel(value: &Cel) -> Option<Value> {
    Some(match value {
        Cel::Null => Value::Null,
        Cel::Bool(value) => Value::Bool(*value),
        Cel::Int(value) => Value::Int(*value),
        Cel::UInt(value) => Value::Uint(*value),
        Cel::Float(value) => Value::Double(*value),
        Cel::String(value) => Value::String(value.to_string()),
        Cel::Bytes(value) => Value::Bytes(value.to_vec()),
        Cel::List(values) => Value::List(values.iter().map(from_cel).collect::<Option<_>>()?),
        Cel::Map(map) => {
            let entries = map.map.iter().map(|(key, value)| Some((key.to_string(), from_cel(value)?)));
            Value::Map(entries.collect::<Option<_>>()?)
        }
        _ => return None,
    })
}
