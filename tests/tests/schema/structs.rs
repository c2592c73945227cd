//! Structs: what they leave out, refuse, nest, flatten, and are made from.

use std::collections::BTreeMap;

use inproxy::{config::schema, prelude::*};
use inproxy_test::json;

/// Whom to ask.
///
/// And whom not.
#[config(schema)]
struct Outer {
    inner: Inner,
    #[serde(default)]
    many: Vec<Inner>,
    by_name: Option<BTreeMap<String, Inner>>,
    #[serde(default = "three")]
    tries: u8,
    #[serde(rename = "type", alias = "kind")]
    named: Option<String>,
}

/// A part.
#[config(schema)]
struct Inner {
    limit: u32,
}

const fn three() -> u8 {
    3
}

#[test]
fn what_is_unknown_or_missing_is_refused_however_deep_it_is() {
    inproxy_test::schema::<Outer>()
        .accepts(json!({ "inner": { "limit": 1 } }))
        .accepts(json!({ "inner": { "limit": 1 }, "many": [{ "limit": 2 }], "by_name": { "a": { "limit": 3 } }, "tries": 255, "type": "x" }))
        .accepts(json!({ "inner": { "limit": 1 }, "by_name": null }))
        .refuses(json!({}))
        .refuses(json!([]))
        .refuses(json!({ "inner": {} }))
        .refuses(json!({ "inner": { "limit": 1, "max": 1 } }))
        .refuses(json!({ "inner": { "limit": 1 }, "many": [{ "limit": 2 }, { "max": 2 }] }))
        .refuses(json!({ "inner": { "limit": 1 }, "many": null }))
        .refuses(json!({ "inner": { "limit": 1 }, "by_name": { "a": { "max": 3 } } }))
        .refuses(json!({ "inner": { "limit": 1 }, "outer": 1 }))
        .refuses(json!({ "inner": { "limit": 1 }, "tries": 256 }));
}

#[test]
fn a_schema_says_what_the_doc_comments_and_defaults_say() {
    let schema = schema::<Outer>();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    assert_eq!(schema["title"], "Outer");
    assert_eq!(schema["description"], "Whom to ask.\n\nAnd whom not.");
    assert_eq!(schema["required"], json!(["inner"]));
    assert_eq!(schema["properties"]["tries"]["default"], 3);
    assert_eq!(schema["$defs"]["Inner"]["description"], "A part.");
    // It is read, and is not what is to be written.
    assert!(schema["properties"].get("kind").is_none());
}

#[config(schema, allow_unknown_fields)]
struct Open {
    limit: Option<i32>,
}

#[test]
fn unknown_fields_that_are_allowed_are_allowed() {
    inproxy_test::schema::<Open>().accepts(json!({})).accepts(json!({ "limit": -1, "more": [1] })).refuses(json!({ "limit": "1" }));
}

#[config(schema)]
struct Numbers {
    a: Option<u32>,
    b: Option<i32>,
    c: Option<u64>,
    d: Option<i64>,
    e: Option<usize>,
    f: Option<f64>,
    g: Option<std::num::NonZeroU16>,
}

#[test]
fn integers_have_their_bounds() {
    inproxy_test::schema::<Numbers>()
        .accepts(json!({ "a": u32::MAX, "b": i32::MIN, "c": u64::MAX, "d": i64::MIN, "e": u32::MAX, "f": 0.5, "g": 1 }))
        .refuses(json!({ "a": 4_294_967_296_u64 }))
        .refuses(json!({ "a": -1 }))
        .refuses(json!({ "a": 0.5 }))
        .refuses(json!({ "b": 2_147_483_648_u32 }))
        .refuses(json!({ "c": -1 }))
        .refuses(json!({ "d": u64::MAX }))
        .refuses(json!({ "e": -1 }))
        .refuses(json!({ "g": 0 }));
    // A module has 32 bits, where the filter refuses it too.
    assert_eq!(schema::<Numbers>()["properties"]["e"]["maximum"], u32::MAX);
}

/// Takes nothing.
#[config(schema)]
struct Nothing;

#[test]
fn a_struct_without_fields_takes_an_empty_object() {
    inproxy_test::schema::<Nothing>().accepts(json!({})).refuses(json!({ "a": 1 })).refuses(json!([1]));
    assert_eq!((&schema::<Nothing>()["title"], &schema::<Nothing>()["description"]), (&json!("Nothing"), &json!("Takes nothing.")));
}

#[config(schema)]
struct Generic<T> {
    of: T,
}

#[test]
fn a_generic_struct_has_the_schema_of_what_it_is_of() {
    inproxy_test::schema::<Generic<Inner>>().accepts(json!({ "of": { "limit": 1 } })).refuses(json!({ "of": 1 }));
    inproxy_test::schema::<Generic<u8>>().accepts(json!({ "of": 1 })).refuses(json!({ "of": { "limit": 1 } }));
}

/// From the least to the most.
#[config(schema)]
#[serde(try_from = "Ends")]
struct Range {
    ends: Ends,
}

#[config(schema)]
struct Ends {
    least: u8,
    most: u8,
}

impl TryFrom<Ends> for Range {
    type Error = &'static str;

    fn try_from(ends: Ends) -> Result<Self, &'static str> {
        if ends.least <= ends.most { Ok(Self { ends }) } else { Err("the least is more than the most") }
    }
}

#[test]
fn what_is_made_of_another_type_has_the_schema_of_that() {
    inproxy_test::schema::<Generic<Range>>()
        .accepts(json!({ "of": { "least": 1, "most": 2 } }))
        .refuses(json!({ "of": { "least": 1 } }))
        .refuses(json!({ "of": { "ends": { "least": 1, "most": 2 } } }))
        .leaves_to_the_filter(json!({ "of": { "least": 2, "most": 1 } }));
}

#[config(schema)]
struct Flat {
    name: String,
    #[serde(flatten)]
    inner: Shared,
}

#[config(schema, allow_unknown_fields)]
struct Shared {
    limit: u32,
    #[serde(default)]
    burst: u32,
}

#[test]
fn flattened_fields_are_fields_and_others_are_refused() {
    inproxy_test::schema::<Flat>()
        .accepts(json!({ "name": "a", "limit": 1 }))
        .accepts(json!({ "name": "a", "limit": 1, "burst": 2 }))
        .refuses(json!({ "name": "a" }))
        .refuses(json!({ "name": "a", "limit": 1, "max": 2 }))
        .refuses(json!({ "name": "a", "inner": { "limit": 1 } }));
}

#[config(schema, allow_unknown_fields)]
struct Others {
    name: String,
    #[serde(flatten)]
    others: BTreeMap<String, u8>,
}

#[test]
fn a_flattened_map_takes_all_others() {
    inproxy_test::schema::<Others>().accepts(json!({ "name": "a", "b": 1 })).refuses(json!({ "b": 1 })).refuses(json!({ "name": "a", "b": "c" }));
}

#[config(schema)]
struct Sampled {
    #[serde(deserialize_with = "percent")]
    #[schemars(with = "u8", range(max = 100))]
    share: f64,
}

fn percent<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    let percent: u8 = serde::Deserialize::deserialize(deserializer)?;
    if percent <= 100 { Ok(f64::from(percent) / 100.0) } else { Err(serde::de::Error::custom("more than 100 percent")) }
}

#[test]
fn a_field_that_is_read_by_a_function_says_what_from() {
    inproxy_test::schema::<Sampled>().accepts(json!({ "share": 100 })).refuses(json!({ "share": 101 })).refuses(json!({ "share": 0.5 }));
}
