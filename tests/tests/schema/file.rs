//! The file of a schema, and what a test says when something is not as it should be.

use std::{fs, panic::catch_unwind};

use inproxy::prelude::*;
use inproxy_test::json;

/// A limit.
#[config(schema)]
struct Limit {
    limit: u8,
}

fn message(test: impl FnOnce() + std::panic::UnwindSafe) -> String {
    let panic = catch_unwind(test).expect_err("it passed");
    panic.downcast_ref::<String>().expect("a message").clone()
}

#[test]
fn a_file_that_is_not_the_schema_is_told_with_the_difference() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("schema.json");
    let name = file.to_str().unwrap().to_owned();
    let is = |name: &str| _ = inproxy_test::schema::<Limit>().is(name);
    let missing = message({
        let name = name.clone();
        move || is(&name)
    });
    assert!(missing.contains("SCHEMA=overwrite"), "{missing}");
    let schema = format!("{:#}\n", inproxy::config::schema::<Limit>());
    fs::write(&file, &schema).unwrap();
    is(&name);
    fs::write(&file, schema.replace("A limit.", "No limit.")).unwrap();
    let changed = message(move || is(&name));
    assert!(changed.contains("-   \"description\": \"No limit.\",\n+   \"description\": \"A limit.\",\n"), "{changed}");
}

/// Whose schema is not what is read.
#[config(schema)]
struct Wrong {
    #[schemars(with = "String")]
    limit: Option<u8>,
}

#[test]
fn a_schema_and_a_filter_that_do_not_agree_are_told() {
    for (test, expected) in [
        (
            (|| _ = inproxy_test::schema::<Limit>().accepts(json!({ "limit": 256 }))) as fn(),
            "should accept it, but the schema refuses it: \"/limit\": 256",
        ),
        (|| _ = inproxy_test::schema::<Wrong>().accepts(json!({ "limit": "1" })), "but the filter refuses it: limit: invalid type"),
        (|| _ = inproxy_test::schema::<Limit>().refuses(json!({ "limit": 1 })), "both schema and filter accept it"),
        (|| _ = inproxy_test::schema::<Wrong>().refuses(json!({ "limit": "1" })), "the schema accepts what the filter refuses (limit: "),
        (|| _ = inproxy_test::schema::<Wrong>().refuses(json!({ "limit": 1 })), "the schema refuses what the filter accepts: \"/limit\""),
        (|| _ = inproxy_test::schema::<Limit>().leaves_to_the_filter(json!({ "limit": 1 })), "the filter accepts it"),
        (|| _ = inproxy_test::schema::<Limit>().leaves_to_the_filter(json!({ "limit": 256 })), "the schema can tell"),
    ] {
        let message = message(test);
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn a_module_has_nothing_of_its_schema() {
    let module = fs::read(inproxy_test::built_module(<api_key::ApiKey as inproxy::__private::Registered>::MANIFEST_DIR)).unwrap();
    for text in ["json-schema.org", "additionalProperties", "A service that knows keys"] {
        assert!(!module.windows(text.len()).any(|window| window == text.as_bytes()), "{text}");
    }
}
