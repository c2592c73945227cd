//! Expressions: a root context has them, and they are evaluated for the context whose callback runs.

use cel::{Context, Program, Value as Cel, objects::Key};
use inproxy::abi::Status;

use crate::{
    model::{properties, state::State, value::Value},
    running::LogLevel,
};

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

/// The functions that Envoy has, beside operators and macros.
const FUNCTIONS: [&str; 26] = [
    "size",
    "matches",
    "contains",
    "startsWith",
    "endsWith",
    "int",
    "uint",
    "double",
    "string",
    "bytes",
    "dyn",
    "type",
    "timestamp",
    "duration",
    "getDate",
    "getDayOfMonth",
    "getDayOfWeek",
    "getDayOfYear",
    "getFullYear",
    "getHours",
    "getMilliseconds",
    "getMinutes",
    "getMonth",
    "getSeconds",
    "bool",
    "in",
];

/// Whether Envoy has all functions that an expression names; an error if it is none.
fn functions_are_known(text: &str) -> Result<bool, String> {
    let program = Program::compile(text).map_err(|error| error.to_string())?;
    let references = program.references();
    Ok(!references.functions().into_iter().any(|name| name.starts_with(char::is_alphabetic) && !FUNCTIONS.contains(&name)))
}

/// Whether Envoy would compile an expression.
#[cfg(feature = "schema")]
pub(super) fn compiles(text: &[u8]) -> bool {
    functions_are_known(&String::from_utf8_lossy(text)).is_ok_and(|known| known)
}

pub(super) fn create(state: &mut State, vm: usize, argument: &[u8]) -> Result<Vec<u8>, Status> {
    let text = String::from_utf8_lossy(argument).into_owned();
    let unknown = match functions_are_known(&text) {
        Ok(known) => !known,
        Err(error) => {
            state.log(LogLevel::Info, format!("expr_create parse error: {error}"));
            return Err(Status::BAD_ARGUMENT);
        }
    };
    let expressions = expressions(state, vm);
    // What cannot be compiled has used up a number all the same.
    expressions.push((!unknown).then_some(text));
    let token = expressions.len() as u32 - 1;
    if unknown {
        state.log(LogLevel::Info, "expr_create compile error: No overloads provided for FunctionStep creation");
        return Err(Status::BAD_ARGUMENT);
    }
    Ok(token.to_le_bytes().to_vec())
}

pub(super) fn delete(state: &mut State, vm: usize, argument: &[u8]) -> Result<Vec<u8>, Status> {
    let token = token(argument)?;
    if let Some(expression) = expressions(state, vm).get_mut(token) {
        *expression = None;
    }
    Ok(Vec::new())
}

pub(super) fn evaluate(state: &mut State, vm: usize, argument: &[u8]) -> Result<Vec<u8>, Status> {
    let token = token(argument)?;
    let text = expressions(state, vm).get(token).cloned().flatten().ok_or(Status::NOT_FOUND)?;
    run(state, vm, &text)
}

/// Those of the root context of the callback that runs.
fn expressions(state: &mut State, vm: usize) -> &mut Vec<Option<String>> {
    let one = &mut state.vms[vm];
    let root = one.root_of(one.current);
    one.expressions.entry(root).or_default()
}

fn token(argument: &[u8]) -> Result<usize, Status> {
    argument.try_into().map(|bytes| u32::from_le_bytes(bytes) as usize).map_err(|_| Status::BAD_ARGUMENT)
}

/// Evaluates an expression in the context whose callback runs, whatever context calls act on.
fn run(state: &mut State, vm: usize, text: &str) -> Result<Vec<u8>, Status> {
    let program = Program::compile(text).map_err(|_| Status::INTERNAL_FAILURE)?;
    let one = &mut state.vms[vm];
    let effective = std::mem::replace(&mut one.effective, one.current);
    let mut context = Context::default();
    let mut group = false;
    for name in ATTRIBUTES {
        if let Some(value) = properties::attribute(state, vm, name) {
            // A group as a whole is no value.
            group |= name == text.trim() && matches!(value, Value::Wrapper(_));
            context.add_variable_from_value(name, to_cel(&value));
        }
    }
    state.vms[vm].effective = effective;
    if group {
        return Err(Status::SERIALIZATION_FAILURE);
    }
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
