//! Parts of a configuration for some requests.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use crate::config::{Match, PerRoute, Rules};

// Of printable ASCII all that a host or a path here can have.
const HOST: &str = r#"^(\*\.)?[!"$-)+\-0->A-~][!"$-)+\-.0->A-~]*$"#;
const PATH: &str = r#"^=?/[!"$-)+->@-~]*$"#;
// A token of HTTP.
const METHOD: &str = r"^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$";

impl<T: JsonSchema> JsonSchema for PerRoute<T> {
    fn schema_name() -> Cow<'static, str> {
        format!("PerRoute_for_{}", T::schema_name()).into()
    }

    fn schema_id() -> Cow<'static, str> {
        format!("inproxy::PerRoute<{}>", T::schema_id()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A configuration for each route, by the route's name, and one for the others.",
            "type": "object",
            "properties": {
                "default": described("What the routes have that are not named here.", generator.subschema_for::<Option<T>>()),
                "routes": {
                    "description": "By the route's name. It takes the place of the default as a whole.",
                    "type": "object",
                    "additionalProperties": generator.subschema_for::<T>(),
                },
            },
            "additionalProperties": false,
        })
    }
}

impl<T: JsonSchema> JsonSchema for Rules<T> {
    fn schema_name() -> Cow<'static, str> {
        format!("Rules_for_{}", T::schema_name()).into()
    }

    fn schema_id() -> Cow<'static, str> {
        format!("inproxy::Rules<{}>", T::schema_id()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A configuration for some requests, by host, route and path, and one for the others. The first rule that matches is taken.",
            "type": "object",
            "properties": {
                "default": described("What requests have that no rule matches.", generator.subschema_for::<Option<T>>()),
                "rules": {
                    "description": "Of these the first that matches.",
                    "type": "array",
                    "items": {
                        "type": "object",
                        "properties": {
                            "match": generator.subschema_for::<Match>(),
                            "config": described("It takes the place of the default as a whole.", generator.subschema_for::<T>()),
                        },
                        "required": ["match", "config"],
                        "additionalProperties": false,
                    },
                },
            },
            "additionalProperties": false,
        })
    }
}

impl JsonSchema for Match {
    fn schema_name() -> Cow<'static, str> {
        "Match".into()
    }

    fn schema_id() -> Cow<'static, str> {
        "inproxy::Match".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let list =
            |description: &str, items: Schema| json_schema!({ "description": description, "type": ["array", "null"], "items": items, "minItems": 1 });
        let given = |name: &str| json_schema!({ "properties": { name: { "type": "array" } }, "required": [name] });
        json_schema!({
            "description": "For which requests: each list that is there must have one that matches.",
            "type": "object",
            "properties": {
                "hosts": list("example.com, example.com:8443, or *.example.com for all below it.", json_schema!({ "type": "string", "pattern": HOST })),
                "routes": list("Names of routes.", json_schema!({ "type": "string" })),
                "methods": list("GET, or another, with its case.", json_schema!({ "type": "string", "pattern": METHOD })),
                "paths": list("/path for it and all below it, or =/path for it alone.", json_schema!({ "type": "string", "pattern": PATH })),
            },
            "anyOf": [given("hosts"), given("routes"), given("methods"), given("paths")],
            "additionalProperties": false,
        })
    }
}

fn described(description: &str, mut schema: Schema) -> Schema {
    schema.insert("description".to_owned(), description.into());
    schema
}
