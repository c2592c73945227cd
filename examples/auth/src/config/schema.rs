//! Schemas of what is read by hand.

use std::borrow::Cow;

use inproxy::config::schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::{basic, hushed::Hushed, secret::Secrets};
use crate::{
    checks::jwt::object::Object,
    policy::{Requirement, Secret},
};

impl<T: JsonSchema> JsonSchema for Hushed<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn schema_id() -> Cow<'static, str> {
        T::schema_id()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

/// A schema that is written here.
macro_rules! written {
    ($($type:ty, $name:literal: |$generator:ident| $schema:expr;)+) => {
        $(impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                $name.into()
            }

            fn json_schema($generator: &mut SchemaGenerator) -> Schema {
                $schema
            }
        })+
    };
}

written! {
    Secret, "Secret": |_generator| json_schema!({ "type": "string", "writeOnly": true });
    Secrets, "Secrets": |generator| {
        let one = generator.subschema_for::<Secret>();
        json_schema!({ "description": "One, or a list of them.", "anyOf": [one, { "type": "array", "items": one }] })
    };
    basic::Credential, "Credential": |generator| json_schema!({
        "description": "A user name and a password: \"user:password\", base64 of it, or the name with the SHA-256 of the password.",
        "anyOf": [generator.subschema_for::<Secret>(), generator.subschema_for::<basic::Hashed>()],
    });
    Object, "JsonWebKeySet": |_generator| json_schema!({ "type": "object" });
    Requirement<String>, "Requirement": |generator| {
        let one = generator.subschema_for::<Self>();
        json_schema!({
            "description": "The name of a check, a list of which all are needed, or one of several.",
            "anyOf": [
                { "type": "string" },
                { "type": "array", "items": one },
                { "type": "object", "properties": { "all": { "type": "array", "items": one } }, "required": ["all"], "additionalProperties": false },
                { "type": "object", "properties": { "any": { "type": "array", "items": one, "minItems": 1 } }, "required": ["any"], "additionalProperties": false },
            ],
        })
    };
}
