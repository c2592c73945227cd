//! Types that are read from a text.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use crate::{
    call::Cluster,
    config::Duration,
    envoy::{PrivateKey, PublicKey, cel::Expression},
    headers::{HeaderName, HeaderValue},
};

/// A text with what else its schema has.
macro_rules! text {
    ($($type:ident: $description:literal { $($more:tt)+ })+) => {
        $(impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                stringify!($type).into()
            }

            fn schema_id() -> Cow<'static, str> {
                concat!("inproxy::", stringify!($type)).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "description": $description, "type": "string", $($more)+ })
            }
        })+
    };
}

text! {
    HeaderName: "The name of a header, in any case, or of a pseudo header such as :path." { "pattern": r"^:?[!#$%&'*+\-.^_`|~0-9A-Za-z]+$" }
    HeaderValue: "The value of a header: no line breaks, and no NUL." { "pattern": r"^[^\r\n\x00]*$" }
    Cluster: "The name of a cluster of the proxy." { "minLength": 1 }
    Duration: "A time span with its unit, such as 5s, 200ms, 1m30s or 0.2s; the units are h, m, s, ms, us and ns." {
        "pattern": "^([0-9]+(\\.[0-9]+)?(h|m|s|ms|us|\u{b5}s|\u{3bc}s|ns))+$",
        "examples": ["5s", "200ms", "1m30s"],
    }
    Expression: "A CEL expression over the proxy's attributes, such as request.method == 'GET'." { "minLength": 1 }
    PublicKey: "A public key in PEM." { "minLength": 1 }
    PrivateKey: "A private key in PEM." { "minLength": 1 }
}
