//! Envoy's foreign functions.

mod cel;
mod signature;

use std::{
    io::{Read, Write},
    net::IpAddr,
};

use flate2::{Compression, read::ZlibDecoder, write::ZlibEncoder};
use inproxy::abi::Status;
use prost::Message;

use super::{
    state::{Declared, State},
    value::Value,
};

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

/// What Envoy makes of a value, for the keys that it has a factory for; those among them that an HTTP filter may want.
fn object(key: &str, value: &str) -> Result<Value, Status> {
    let text = || Ok(Value::text(value));
    match key {
        "envoy.tcp_proxy.cluster"
        | "envoy.network.upstream_server_name"
        | "envoy.network.upstream_subject_alt_names"
        | "envoy.upstream.dynamic_host"
        | "envoy.string" => text(),
        "envoy.upstream.dynamic_port" | "envoy.ratelimit.hits_addend" => value.parse::<u32>().map_err(|_| Status::BAD_ARGUMENT).and_then(|_| text()),
        "envoy.network.ip" => value.parse::<IpAddr>().map(|ip| Value::text(format!("{ip}:0"))).map_err(|_| Status::BAD_ARGUMENT),
        _ => Err(Status::NOT_FOUND),
    }
}

/// The stream that calls act on.
fn stream(state: &State, vm: usize) -> Option<usize> {
    let one = &state.vms[vm];
    one.contexts.get(&one.effective).map(|context| context.stream)
}

/// Calls one of those that a configuration needs while it is read, of a proxy that has no VM.
#[cfg(feature = "schema")]
pub(crate) fn call_without_vm(name: &[u8], argument: &[u8]) -> Result<Vec<u8>, Status> {
    match name {
        b"expr_create" if cel::compiles(argument) => Ok(0_u32.to_le_bytes().to_vec()),
        b"expr_create" => Err(Status::BAD_ARGUMENT),
        b"expr_delete" => Ok(Vec::new()),
        b"verify_signature" => signature::verify(argument),
        b"sign" => signature::sign(argument),
        _ => Err(Status::NOT_FOUND),
    }
}

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
        b"clear_route_cache" => {
            if let Some(stream) = stream(state, vm) {
                state.streams[stream].route_cleared = true;
            }
            Ok(Vec::new())
        }
        b"set_envoy_filter_state" => {
            let SetFilterState { path, value, span } = Message::decode(argument).map_err(|_| Status::BAD_ARGUMENT)?;
            let object = object(&path, &value)?;
            let stream = stream(state, vm).ok_or(Status::NOT_FOUND)?;
            let there = state.streams[stream].envoy_state.entry(path).or_insert((Value::Null, span));
            // One that lives longer or shorter is kept, and nobody is told.
            if there.1 == span {
                there.0 = object;
            }
            Ok(Vec::new())
        }
        b"declare_property" => {
            let DeclareProperty { name, readonly, kind, schema, .. } = Message::decode(argument).map_err(|_| Status::BAD_ARGUMENT)?;
            let key = (state.vms[vm].current, name.into_bytes());
            if state.vms[vm].declared.contains_key(&key) {
                return Err(Status::BAD_ARGUMENT);
            }
            let has_fields = kind == PROTOBUF && schema == STRUCT;
            state.vms[vm].declared.insert(key, Declared { readonly, has_fields });
            Ok(Vec::new())
        }
        b"expr_create" => cel::create(state, vm, argument),
        b"expr_evaluate" => cel::evaluate(state, vm, argument),
        b"expr_delete" => cel::delete(state, vm, argument),
        b"verify_signature" => signature::verify(argument),
        b"sign" => signature::sign(argument),
        _ => Err(Status::NOT_FOUND),
    }
}
