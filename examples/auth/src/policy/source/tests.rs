use super::*;

fn header(name: &str, prefix: &str) -> Source {
    Source::Header { name: name.to_owned(), prefix: prefix.to_owned() }
}

fn query(name: &str) -> Source {
    Source::Query(name.to_owned())
}

fn cookie(name: &str) -> Source {
    Source::Cookie(name.to_owned())
}

/// What was found, shown: a value, `-` for nothing, `?` for too much.
fn found(sources: &[Source], facts: &impl Facts) -> String {
    match Source::find(sources, facts) {
        Found::Missing => "-".to_owned(),
        Found::Ambiguous => "?".to_owned(),
        Found::One(credential) => String::from_utf8(credential.value.as_bytes().to_vec()).unwrap(),
    }
}

#[test]
fn a_header_has_one_value_behind_its_prefix() {
    for (prefix, value, expected) in [
        ("", "k", "k"),
        ("", "k ", "k "),
        ("", "", "-"),
        ("Bearer ", "Bearer t", "t"),
        ("Bearer ", "bEARER t", "t"),
        ("Bearer ", "Bearer   t", "t"),
        ("Bearer ", "Bearer t ", "t"),
        ("Bearer ", "Bearer t u", "t u"),
        ("Bearer ", "Bearer ", "-"),
        ("Bearer ", "Bearer", "-"),
        ("Bearer ", "Bearert", "-"),
        ("Bearer ", "Basic t", "-"),
        ("Bearer ", "t", "-"),
        ("Bearer ", "", "-"),
    ] {
        assert_eq!(found(&[header("authorization", prefix)], &[("authorization", value)]), expected, "{prefix:?} {value:?}");
    }
    assert_eq!(found(&[header("x-api-key", "")], &[("x-other", "k")]), "-");
}

#[test]
fn a_header_that_comes_twice_is_ambiguous() {
    for (one, other, expected) in [
        ("Bearer t", "Bearer t", "?"),
        ("Bearer t", "Bearer u", "?"),
        ("Basic b", "Bearer t", "?"),
        ("Bearer t", "", "?"),
        ("Bearer ", "Basic b", "?"),
        ("Basic b", "Basic c", "-"),
    ] {
        let facts = [("authorization", one), ("authorization", other)];
        assert_eq!(found(&[header("authorization", "Bearer ")], &facts), expected, "{one:?} {other:?}");
    }
}

#[test]
fn a_parameter_is_percent_decoded() {
    for (path, expected) in [
        ("/", "-"),
        ("/?", "-"),
        ("/?key", "-"),
        ("/?key=", "-"),
        ("/?key=k", "k"),
        ("/?key=k&", "k"),
        ("/?a=1&key=k&b=2", "k"),
        ("/?a=1&&key=k", "k"),
        ("/?key=k+1%2B%26%3d%C3%A9", "k 1+&=é"),
        ("/?k%65y=k", "k"),
        ("/?key=k=l", "k=l"),
        ("/?key=%zz%", "%zz%"),
        ("/?key=a?b", "a?b"),
        ("/a?b?key=k", "-"),
        ("/key=k", "-"),
        ("/?Key=k", "-"),
        ("/?keys=k", "-"),
        ("/?a=1;key=k", "-"),
        ("/?key=k&key=k", "?"),
        ("/?key=k&key=l", "?"),
        ("/?key=k&key", "?"),
        ("/?key&key=k", "?"),
        ("/?key=k&%6bey=l", "?"),
    ] {
        assert_eq!(found(&[query("key")], &[(":path", path)]), expected, "{path}");
    }
}

#[test]
fn a_cookie_may_be_quoted() {
    for (cookies, expected) in [
        ("key=k", "k"),
        ("a=1; key=k; b=2", "k"),
        ("a=1;key=k;b=2", "k"),
        (" key = k ", "k"),
        ("key=\"k\"", "k"),
        ("key=\"k", "\"k"),
        ("key=\"", "\""),
        ("key=\"\"", "-"),
        ("key=", "-"),
        ("key", "-"),
        ("", "-"),
        ("KEY=k", "-"),
        ("a=key=k", "-"),
        ("key=a=b==", "a=b=="),
        ("key=%41", "%41"),
        ("key=k; key=k", "?"),
        ("key=k; key=l", "?"),
        ("key=k; key=", "?"),
    ] {
        assert_eq!(found(&[cookie("key")], &[("cookie", cookies)]), expected, "{cookies}");
    }
    assert_eq!(found(&[cookie("key")], &[("cookie", "a=1"), ("cookie", "key=k")]), "k");
    assert_eq!(found(&[cookie("key")], &[("cookie", "key=k"), ("cookie", "key=k")]), "?");
}

#[test]
fn two_places_must_agree() {
    let sources = [header("x-api-key", ""), query("key"), cookie("key")];
    for (facts, expected) in [
        ([("x-api-key", "k"), (":path", "/"), ("cookie", "a=1")], "k"),
        ([("x-api-key", "k"), (":path", "/?key=k"), ("cookie", "key=k")], "k"),
        ([("x-api-key", "k"), (":path", "/?key="), ("cookie", "key=k")], "k"),
        ([("x-api-key", ""), (":path", "/?key=k"), ("cookie", "a=1")], "k"),
        ([("x-api-key", "k"), (":path", "/?key=l"), ("cookie", "a=1")], "?"),
        ([("x-api-key", "k"), (":path", "/"), ("cookie", "key=l")], "?"),
        ([("x-api-key", "k"), (":path", "/?key=k&key=k"), ("cookie", "a=1")], "?"),
        ([("x-other", "k"), (":path", "/"), ("cookie", "a=1")], "-"),
    ] {
        assert_eq!(found(&sources, &facts), expected, "{facts:?}");
    }
}

#[test]
fn what_is_found_is_removed_where_it_was() {
    let sources = [header("x-api-key", ""), query("key"), cookie("sid")];
    let removed = |facts: [(&'static str, &'static str); 3]| match Source::find(&sources, &facts) {
        Found::One(credential) => credential.removal,
        other => panic!("{other:?}"),
    };
    assert_eq!(removed([("x-api-key", "k"), (":path", "/?a=k"), ("cookie", "a=k")]), [Edit::Remove("x-api-key".to_owned())]);
    assert_eq!(
        removed([("x-api-key", "k"), (":path", "/?key=k"), ("cookie", "sid=k")]),
        [Edit::Remove("x-api-key".to_owned()), Edit::RemoveParameter("key".to_owned()), Edit::RemoveCookie("sid".to_owned())]
    );
}

#[test]
fn the_rest_of_a_query_keeps_its_bytes() {
    for (path, expected) in [
        ("/", None),
        ("/?", None),
        ("/?a=1", None),
        ("/?keys=1&a=key", None),
        ("/?key=k", Some("/")),
        ("/?key", Some("/")),
        ("/?key=k&", Some("/")),
        ("/?key=k&key=l", Some("/")),
        ("/?k%65y=k&a=%41+b", Some("/?a=%41+b")),
        ("/p?a=1&key=k&b=2", Some("/p?a=1&b=2")),
        ("/p?a=1&&key=k&b", Some("/p?a=1&&b")),
        ("/p?%zz&key=k&a=?", Some("/p?%zz&a=?")),
    ] {
        let rest = without_parameter(path.as_bytes(), "key").map(|path| String::from_utf8(path).unwrap());
        assert_eq!(rest.as_deref(), expected, "{path}");
    }
    assert_eq!(without_parameter(b"/?a=\xff&key=\xfe", "key").unwrap(), b"/?a=\xff");
}

#[test]
fn the_other_cookies_keep_their_bytes() {
    for (cookies, expected) in [
        ("", None),
        ("a=1; KEY=k; b=key", None),
        ("key", None),
        ("key=k", Some("")),
        (" key=k; ", Some("")),
        ("key=k; key=l", Some("")),
        ("key=\"k\"; a=1", Some("a=1")),
        ("a=\"1\";  key=k;b", Some("a=\"1\";b")),
        ("a=1; key=k", Some("a=1")),
        ("a=1; key=k;", Some("a=1;")),
    ] {
        let rest = without_cookie(cookies.as_bytes(), "key").map(|rest| String::from_utf8(rest).unwrap());
        assert_eq!(rest.as_deref(), expected, "{cookies}");
    }
    assert_eq!(without_cookie(b"a=\xff; key=\xfe", "key").unwrap(), b"a=\xff");
}

/// What is removed is found no more, whatever the bytes.
#[test]
fn what_was_removed_is_not_found_again() {
    let pieces = ["key=k", "k%65y=l", "a=1", "key", "=", "", " key = x", "\"", "key=\"q\"", "%", "+", "?", ";", "&"];
    for one in pieces {
        for other in pieces {
            for third in pieces {
                let path = format!("/p?{one}&{other}&{third}");
                let rest = without_parameter(path.as_bytes(), "key").unwrap_or(path.clone().into_bytes());
                assert_eq!(query::values(&rest, "key"), Vec::<Vec<u8>>::new(), "{path}");
                let cookies = format!("{one};{other}; {third}");
                let rest = without_cookie(cookies.as_bytes(), "key").unwrap_or(cookies.clone().into_bytes());
                assert_eq!(cookie::values(&rest, "key"), Vec::<Vec<u8>>::new(), "{cookies}");
            }
        }
    }
}

#[test]
fn a_credential_is_not_shown() {
    let found = Source::find(&[header("x-api-key", "")], &[("x-api-key", "hidden")]);
    assert!(!format!("{found:?}").contains("hidden"), "{found:?}");
}
