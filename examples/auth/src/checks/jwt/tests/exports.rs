use super::*;
use crate::{checks::jwt::export::Export, policy::Edit};

fn exported(export: &Export, claims: &Value) -> crate::policy::Edits {
    let token = with_claims(claims);
    export.of(parsed(&token).verify(&key_set(&[secret()])).unwrap())
}

#[test]
fn claims_become_headers() {
    let claims = json!({
        "sub": "alice", "level": 3, "big": 1.5, "ok": true, "none": null, "empty": "",
        "roles": ["user", "admin", 7], "realm": { "roles": ["a"], "deep": { "er": "x" } }, "no_roles": [],
        "tricky": ["user,admin"], "nested": [["a"]], "lines": "a\r\nx-evil: 1", "zero": "a\u{0}", "unicode": "Zoë",
        "https://example.com/groups": ["g"], "a.b": "dotted", "a": { "b": "nested" },
    });
    for (path, value) in [
        ("sub", Some("alice")),
        ("level", Some("3")),
        ("big", Some("1.5")),
        ("ok", Some("true")),
        ("empty", Some("")),
        ("roles", Some("user,admin,7")),
        ("no_roles", Some("")),
        ("realm.roles", Some("a")),
        ("realm.deep.er", Some("x")),
        ("https://example.com/groups", Some("g")),
        ("a.b", Some("dotted")),
        ("unicode", Some("Zoë")),
        ("realm.deep", Some("eyJlciI6IngifQ")),
        ("nested", Some("W1siYSJdXQ")),
        ("none", None),
        ("missing", None),
        ("sub.x", None),
        ("realm.", None),
        ("", None),
        // These would be read as something else.
        ("tricky", None),
        ("lines", None),
        ("zero", None),
    ] {
        let export = Export { headers: vec![(path.to_owned(), "x-claim".to_owned())], ..Export::default() };
        let expected = value.map(|value| Edit::Append("x-claim".to_owned(), value.as_bytes().to_vec()));
        assert_eq!(exported(&export, &claims).request, expected.as_slice(), "{path}");
    }
}

#[test]
fn the_payload_is_passed_on_as_it_came() {
    let export = Export { payload_header: Some("x-payload".to_owned()), ..Export::default() };
    let edits = exported(&export, &json!({ "a": 1 }));
    assert_eq!(edits.request, [Edit::Set("x-payload".to_owned(), b"eyJhIjoxfQ".to_vec())]);
}

#[test]
fn claims_become_filter_state() {
    let export =
        Export { filter_state: vec![("realm.roles".to_owned(), "roles".to_owned()), ("none".to_owned(), "none".to_owned())], ..Export::default() };
    let edits = exported(&export, &json!({ "realm": { "roles": ["a", "b"] } }));
    assert_eq!(edits.filter_state, [("roles".to_owned(), b"a,b".to_vec())]);
    assert!(edits.request.is_empty());
}
