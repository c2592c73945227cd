//! The JSON Schema of a configuration.

mod routes;
mod texts;

pub use schemars;

use schemars::{JsonSchema, Schema, generate::SchemaSettings, transform};
use serde_json::{Value, json};

/// The [JSON Schema](https://json-schema.org/draft/2020-12) of a type marked with `#[config(schema)]`: what editors and continuous integration check a configuration against before the proxy has it.
///
/// Its title is the type's name, its descriptions are the doc comments. It follows serde's attributes: what is refused as unknown, what may be left out, what is taken then (if that can be serialized). A name that is only an `alias` is not in it. With the feature `schema`, in native builds only.
/// `inproxy_test::schema` puts it into a file, and holds it against what [`parse`](super::parse) takes.
///
/// # Examples
///
/// ```
/// use inproxy::{config::Duration, prelude::*};
///
/// /// Who is asked about keys.
/// #[config(schema)]
/// struct Authority {
///     cluster: Cluster,
///     /// How long.
///     timeout: Option<Duration>,
/// }
///
/// let schema = inproxy::config::schema::<Authority>();
/// assert_eq!(schema["title"], "Authority");
/// assert_eq!(schema["description"], "Who is asked about keys.");
/// assert_eq!(schema["required"], serde_json::json!(["cluster"]));
/// assert_eq!(schema["additionalProperties"], false);
/// ```
///
/// A field whose type is read by other means than serde's derive says what it is read from, or implements [`schemars::JsonSchema`]; the attribute is not there in a module:
///
/// ```
/// # use inproxy::prelude::*;
/// #[config(schema)]
/// struct Sampled {
///     #[serde(deserialize_with = "percent")]
///     #[schemars(with = "u8", range(max = 100))]
///     share: f64,
/// }
/// # fn percent<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> { serde::Deserialize::deserialize(deserializer).map(|percent: u8| f64::from(percent) / 100.0) }
/// ```
pub fn schema<C: JsonSchema>() -> Value {
    SchemaSettings::draft2020_12().with_transform(bounds).into_generator().into_root_schema_for::<C>().to_value()
}

/// Writes in numbers what a `format` says of an integer, since validators do not know these formats. A module has 32 bits.
fn bounds(schema: &mut Schema) {
    let (minimum, maximum) = match schema.get("format").and_then(Value::as_str) {
        Some("uint32" | "uint") => (json!(0), json!(u32::MAX)),
        Some("int32" | "int") => (json!(i32::MIN), json!(i32::MAX)),
        Some("uint64") => (json!(0), json!(u64::MAX)),
        Some("int64") => (json!(i64::MIN), json!(i64::MAX)),
        _ => (Value::Null, Value::Null),
    };
    for (name, bound) in [("minimum", minimum), ("maximum", maximum)] {
        if !bound.is_null() && schema.get(name).is_none() {
            schema.insert(name.to_owned(), bound);
        }
    }
    transform::transform_subschemas(&mut bounds, schema);
}
