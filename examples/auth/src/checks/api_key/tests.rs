use super::*;
use crate::policy::Secret;

/// Of `carol-key`.
const CAROL: &str = "368c3387fc9b5ce6ab156ad952031f52bc9154e89a727020cd314f8910a21823";

fn consumer(name: &str, keys: &[&str], hashes: &[&str], groups: &[&str]) -> Consumer {
    let secrets = |all: &[&str]| all.iter().map(|one| Secret::new(*one)).collect();
    Consumer { name: name.to_owned(), keys: secrets(keys), hashes: secrets(hashes), groups: groups.iter().map(|&group| group.to_owned()).collect() }
}

fn three() -> Vec<Consumer> {
    vec![
        consumer("alice", &["alice-key", "alice-old"], &[], &["staff"]),
        consumer("bob", &["bob-key"], &[], &[]),
        consumer("carol", &[], &[CAROL], &["staff", "guests"]),
    ]
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

fn check(consumers: Consumers) -> ApiKey {
    let sources = vec![
        Source::Header { name: "x-api-key".to_owned(), prefix: String::new() },
        Source::Query("key".to_owned()),
        Source::Cookie("key".to_owned()),
    ];
    ApiKey::try_new(sources, consumers, "x-consumer", Some("test")).unwrap()
}

#[test]
fn a_key_belongs_to_its_consumer_only() {
    let consumers = Consumers::try_new(three(), None, None).unwrap();
    for (key, expected) in [
        ("alice-key", Identified::Allowed("alice")),
        ("alice-old", Identified::Allowed("alice")),
        ("bob-key", Identified::Allowed("bob")),
        ("carol-key", Identified::Allowed("carol")),
        (CAROL, Identified::Unknown),
        ("", Identified::Unknown),
        ("alice-ke", Identified::Unknown),
        ("alice-key ", Identified::Unknown),
        ("Alice-key", Identified::Unknown),
    ] {
        assert_eq!(consumers.identify(key.as_bytes()), expected, "{key}");
    }
    assert_eq!(consumers.identify(b"\xff"), Identified::Unknown);
    assert_eq!(Consumers::try_new([], None, None).unwrap().identify(b"k"), Identified::Unknown);
}

#[test]
fn only_consumers_that_are_allowed_pass() {
    for (allowed, groups, expected) in [
        (None, None, [true, true, true]),
        (Some(names(&["bob"])), None, [false, true, false]),
        (None, Some(names(&["staff"])), [true, false, true]),
        (Some(names(&["bob"])), Some(names(&["guests"])), [false, true, true]),
        (Some(names(&[])), None, [false, false, false]),
    ] {
        let consumers = Consumers::try_new(three(), allowed.as_deref(), groups.as_deref()).unwrap();
        let passes = ["alice-key", "bob-key", "carol-key"].map(|key| consumers.identify(key.as_bytes()) != Identified::NotAllowed);
        assert_eq!(passes, expected, "{allowed:?} {groups:?}");
        assert_eq!(consumers.identify(b"other"), Identified::Unknown);
    }
}

#[test]
fn consumers_that_cannot_be_meant_are_refused() {
    let alice = || consumer("alice", &["k"], &[], &[]);
    // Of "k", and of nothing.
    let k = "8254c329a92850f6d539dd376f4816ee2764517da5e0235514af433164480d7a";
    let nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    for (consumers, expected) in [
        (vec![consumer("", &["k"], &[], &[])], ConsumersError::Name(0)),
        (vec![alice(), consumer("b\r\nx-admin: 1", &["l"], &[], &[])], ConsumersError::Name(1)),
        (vec![alice(), consumer("alice", &["l"], &[], &[])], ConsumersError::Twice(1, 0)),
        (vec![consumer("bob", &[], &[], &[])], ConsumersError::NoKey(0)),
        (vec![consumer("bob", &["k", ""], &[], &[])], ConsumersError::Empty(0)),
        (vec![consumer("bob", &[], &[nothing], &[])], ConsumersError::Empty(0)),
        (vec![consumer("bob", &[], &["k"], &[])], ConsumersError::Hash(0)),
        (vec![consumer("bob", &[], &[&k.replace('c', "x")], &[])], ConsumersError::Hash(0)),
        (vec![alice(), consumer("bob", &["l", "k"], &[], &[])], ConsumersError::Shared(1, 0)),
        (vec![alice(), consumer("bob", &[], &[k], &[])], ConsumersError::Shared(1, 0)),
        (vec![consumer("bob", &["k", "k"], &[], &[])], ConsumersError::Shared(0, 0)),
    ] {
        assert_eq!(Consumers::try_new(consumers, None, None).unwrap_err(), expected);
    }
    let allowed = Consumers::try_new([alice()], Some(&names(&["bob"])), None).unwrap_err();
    assert_eq!(allowed.to_string(), "allow_consumers: no consumer is called \"bob\"");
    let grouped = Consumers::try_new([alice()], None, Some(&names(&["staff"]))).unwrap_err();
    assert_eq!(grouped.to_string(), "allow_groups: no consumer is in the group \"staff\"");
}

#[test]
fn who_has_no_key_that_is_known_is_challenged() {
    let check = check(Consumers::try_new(three(), Some(&names(&["bob"])), None).unwrap());
    for (facts, code, message) in [
        ([(":path", "/"), ("x-other", "bob-key")], Code::UNAUTHENTICATED, "a key is missing"),
        ([(":path", "/"), ("x-api-key", "")], Code::UNAUTHENTICATED, "a key is missing"),
        ([(":path", "/"), ("x-api-key", "stolen")], Code::UNAUTHENTICATED, "this key is not known"),
        ([(":path", "/?key=bob-key"), ("x-api-key", "alice-key")], Code::UNAUTHENTICATED, "there is more than one key"),
        ([("x-api-key", "bob-key"), ("x-api-key", "bob-key")], Code::UNAUTHENTICATED, "there is more than one key"),
        ([(":path", "/"), ("x-api-key", "alice-key")], Code::PERMISSION_DENIED, "the consumer of this key is not allowed"),
    ] {
        let Verdict::Deny(denial) = check.check(&facts) else { panic!("{facts:?} passed") };
        assert_eq!((denial.code, denial.message.as_str()), (code, message), "{facts:?}");
        let challenge = [("www-authenticate".to_owned(), b"ApiKey realm=\"test\"".to_vec())];
        assert_eq!(denial.direct.headers, if code == Code::UNAUTHENTICATED { &challenge[..] } else { &[] });
    }
}

#[test]
fn the_upstream_gets_the_name_in_place_of_the_key() {
    let check = check(Consumers::try_new(three(), None, None).unwrap());
    let facts = [(":path", "/?key=bob-key"), ("cookie", "key=bob-key"), ("x-consumer", "root")];
    let named = Edit::Set("x-consumer".to_owned(), b"bob".to_vec());
    let expected = vec![Edit::RemoveParameter("key".to_owned()), Edit::RemoveCookie("key".to_owned()), named.clone()];
    assert_eq!(check.check(&facts), Verdict::Allow(Edits { request: expected, ..Edits::default() }));
    assert_eq!(check.forwarding(true).check(&facts), Verdict::Allow(Edits { request: vec![named], ..Edits::default() }));
}

#[test]
fn a_check_that_cannot_be_meant_is_refused() {
    let consumers = || Consumers::try_new(three(), None, None).unwrap();
    let error = |header, realm| ApiKey::try_new(Vec::new(), consumers(), header, realm).unwrap_err();
    assert_eq!(error(":path", None), ApiKeyError::Header(":path".to_owned()));
    assert_eq!(error("x-consumer", Some("a\nb")), ApiKeyError::Realm(RealmError));
}

#[test]
fn keys_are_not_shown() {
    let consumers = format!("{:?}", three());
    assert!(!consumers.contains("bob-key") && !consumers.contains(CAROL), "{consumers}");
    let check = format!("{:?}", check(Consumers::try_new(three(), None, None).unwrap()));
    assert!(check.contains("bob") && !check.contains("bob-key") && !check.contains(&CAROL[..8]), "{check}");
}
