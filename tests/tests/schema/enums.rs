//! Enums, in each of serde's forms.

use inproxy::prelude::*;
use inproxy_test::json;

/// What to do.
#[config(schema)]
#[serde(rename_all = "snake_case")]
enum Outside {
    /// Nothing.
    LetPass,
    Limit(u32),
    Ask {
        cluster: Cluster,
    },
}

#[test]
fn an_enum_is_the_name_of_its_variant_or_an_object_with_it() {
    inproxy_test::schema::<Outside>()
        .accepts(json!("let_pass"))
        .accepts(json!({ "limit": 1 }))
        .accepts(json!({ "ask": { "cluster": "a" } }))
        .refuses(json!("LetPass"))
        .refuses(json!("limit"))
        .refuses(json!({ "ask": { "cluster": "a", "path": "/" } }))
        .refuses(json!({ "ask": { "cluster": "" } }))
        .refuses(json!({ "limit": 1, "ask": { "cluster": "a" } }))
        .refuses(json!({}));
}

#[config(schema)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Inside {
    Nothing,
    Ask { cluster: Cluster },
    Limit(Limit),
}

#[config(schema)]
struct Limit {
    limit: u8,
}

#[test]
fn an_enum_whose_tag_is_inside() {
    inproxy_test::schema::<Inside>()
        .accepts(json!({ "type": "nothing" }))
        .accepts(json!({ "type": "ask", "cluster": "a" }))
        .accepts(json!({ "type": "limit", "limit": 1 }))
        .refuses(json!({ "type": "ask" }))
        .refuses(json!({ "type": "ask", "cluster": "a", "path": "/" }))
        .refuses(json!({ "type": "ask", "limit": 1 }))
        .refuses(json!({ "type": "limit", "limit": 1, "max": 1 }))
        .refuses(json!({ "type": "other" }))
        .refuses(json!({ "cluster": "a" }))
        .refuses(json!("nothing"));
}

#[config(schema)]
#[serde(tag = "type", content = "of")]
enum Beside {
    Nothing,
    Ask { cluster: Cluster },
    Limit(Limit),
}

#[test]
fn an_enum_whose_tag_is_beside_its_content() {
    inproxy_test::schema::<Beside>()
        .accepts(json!({ "type": "Nothing" }))
        .accepts(json!({ "type": "Ask", "of": { "cluster": "a" } }))
        .accepts(json!({ "type": "Limit", "of": { "limit": 1 } }))
        .refuses(json!({ "type": "Ask" }))
        .refuses(json!({ "type": "Ask", "of": { "limit": 1 } }))
        .refuses(json!({ "type": "Limit", "of": { "limit": 1, "max": 1 } }))
        .refuses(json!({ "type": "Limit", "of": { "limit": 1 }, "and": 1 }));
}

#[config(schema)]
#[serde(untagged)]
enum Untagged {
    Short(String),
    Limit(Limit),
    Ask { cluster: Cluster, path: Option<String> },
}

#[test]
fn an_enum_without_a_tag_is_what_one_of_its_variants_is() {
    inproxy_test::schema::<Untagged>()
        .accepts(json!("a"))
        .accepts(json!({ "limit": 1 }))
        .accepts(json!({ "cluster": "a" }))
        .accepts(json!({ "cluster": "a", "path": "/" }))
        .refuses(json!(1))
        .refuses(json!({}))
        .refuses(json!({ "limit": 256 }))
        .refuses(json!({ "limit": 1, "cluster": "a" }))
        .refuses(json!({ "cluster": "a", "method": "GET" }));
}
