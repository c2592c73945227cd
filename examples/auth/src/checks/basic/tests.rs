use base64ct::{Base64, Encoding};

use super::*;
use crate::policy::{Digest, Secret};

/// Base64 of `admin3:admin3`.
const ADMIN3: &str = "YWRtaW4zOmFkbWluMw==";

/// SHA-256 of `test`.
const TEST: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

fn text(text: &str) -> Result<Credential, CredentialError> {
    Credential::try_from_text(&Secret::new(text))
}

fn credentials() -> Credentials {
    Credentials::new(["ok:test", "admin2:admin2", ADMIN3].map(|known| text(known).unwrap()).into())
}

fn rule(hosts: &[&str], path: Path, methods: &[&str]) -> Result<Rule, RuleError> {
    let owned = |all: &[&str]| all.iter().map(|&one| one.to_owned()).collect::<Vec<_>>();
    Rule::try_new(&owned(hosts), path, owned(methods), credentials())
}

fn prefix(prefix: &str) -> Path {
    Path::Prefix(prefix.to_owned())
}

fn basic(rules: Vec<Rule>) -> Basic {
    Basic::try_new(rules, "istio", Some("x-user")).unwrap()
}

/// What comes of a request: the user (none for one that no rule covers), or the reason why not.
fn outcome(basic: &Basic, method: &'static str, host: &'static str, path: &'static str, authorization: &str) -> Result<String, String> {
    let authorization = String::leak(authorization.to_owned());
    match basic.check(&[(":method", method), (":authority", host), (":path", path), ("authorization", authorization)]) {
        Verdict::Allow(edits) => Ok(match edits.request.as_slice() {
            [] => String::new(),
            [Edit::Remove(credential), Edit::Set(header, user)] if credential == "authorization" && header == "x-user" => {
                String::from_utf8(user.clone()).unwrap()
            }
            other => panic!("{other:?}"),
        }),
        Verdict::Deny(denial) => {
            assert_eq!((denial.http(), denial.direct.body.as_deref()), (401, Some(&b""[..])));
            assert_eq!(denial.direct.headers, [("www-authenticate".to_owned(), b"Basic realm=\"istio\"".to_vec())]);
            assert_eq!(denial.details, Some(format!("Request denied by Basic Auth check. {}", denial.message)));
            Err(denial.message)
        }
    }
}

fn encoded(credential: &str) -> String {
    format!("Basic {}", Base64::encode_string(credential.as_bytes()))
}

const MISSING: &str = "No Basic Authentication information found.";
const INVALID: &str = "Invalid username and/or password";

fn passes(user: &str) -> Result<String, String> {
    Ok(user.to_owned())
}

fn fails(reason: &str) -> Result<String, String> {
    Err(reason.to_owned())
}

/// §4.30, prefix.
#[test]
fn a_prefix_covers_what_begins_with_it() {
    let basic = basic(vec![rule(&[], prefix("/api"), &["GET", "POST"]).unwrap()]);
    for (method, path, authorization, expected) in [
        ("GET", "/api/test", encoded("ok:test"), passes("ok")),
        ("POST", "/api/config", encoded("admin3:admin3"), passes("admin3")),
        ("POST", "/api/config", encoded("admin2:admin2"), passes("admin2")),
        ("PUT", "/api/config", encoded("admin2:admin2"), passes("")),
        ("PUT", "/api/config", String::new(), passes("")),
        ("PUT", "/config", String::new(), passes("")),
        ("GET", "/", String::new(), passes("")),
        ("GET", "/api/test", encoded("wrong-cred"), fails(INVALID)),
        ("GET", "/api/test", encoded("ok:tes"), fails(INVALID)),
        ("GET", "/api/test", encoded("ok:test").replace("Basic ", ""), fails(MISSING)),
        ("GET", "/api/test", String::new(), fails(MISSING)),
        // Text against text, as in the extension.
        ("GET", "/apis", String::new(), fails(MISSING)),
        ("GET", "/api?a=b", String::new(), fails(MISSING)),
        ("GET", "/other?a=/api", String::new(), passes("")),
    ] {
        assert_eq!(outcome(&basic, method, "a", path, &authorization), expected, "{method} {path} {authorization}");
    }
}

/// §4.30, exact and suffix.
#[test]
fn an_exact_path_is_one_path_and_a_suffix_the_end_of_many() {
    let exact = basic(vec![rule(&[], Path::Exact("/api".to_owned()), &["GET"]).unwrap()]);
    let suffix = basic(vec![rule(&[], Path::Suffix("/api".to_owned()), &["GET"]).unwrap()]);
    for (path, by_exact, by_suffix) in [
        ("/api", true, true),
        ("/api?a=b", true, true),
        ("/api#a", true, true),
        ("/api/", false, false),
        ("/api/test", false, false),
        ("/v1/api", false, true),
        ("/v1/api?a=b", false, true),
        ("/other", false, false),
        ("/other?/api", false, false),
    ] {
        for (basic, covered) in [(&exact, by_exact), (&suffix, by_suffix)] {
            let (right, wrong) = if covered { (passes("ok"), fails(INVALID)) } else { (passes(""), passes("")) };
            assert_eq!(outcome(basic, "GET", "a", path, &encoded("ok:test")), right, "{path}");
            assert_eq!(outcome(basic, "GET", "a", path, &encoded("ok:wrong")), wrong, "{path}");
        }
    }
}

/// §4.30, hosts.
#[test]
fn hosts_are_compared_without_ports() {
    for (pattern, host, covered) in [
        ("example.com", "example.com", true),
        ("example.com", "example.com:8080", true),
        ("example.com", "EXAMPLE.com", true),
        ("Example.com", "example.com.", true),
        ("example.com", "example.com.:80", true),
        ("example.com", "a.example.com", false),
        ("example.com", "example.com.evil", false),
        ("*.example.com", "a.example.com:80", true),
        ("*.example.com", "example.com", false),
        ("example.*", "example.org:80", true),
        ("example.*", "an.example.org", false),
        ("*", "anything", true),
        ("[::1]", "[::1]:80", true),
        ("[::1]", "[::1]", true),
        ("[::1]", "[::2]", false),
    ] {
        let basic = basic(vec![rule(&["other", pattern], prefix("/"), &["GET"]).unwrap()]);
        assert_eq!(outcome(&basic, "GET", host, "/", "").is_err(), covered, "{pattern} {host}");
    }
}

#[test]
fn the_first_rule_that_covers_a_request_counts() {
    let strict = Rule::try_new(&[], prefix("/api/admin"), vec!["*".to_owned()], Credentials::new(vec![text("root:toor").unwrap()])).unwrap();
    let basic = basic(vec![strict, rule(&[], prefix("/api"), &["GET"]).unwrap()]);
    assert_eq!(outcome(&basic, "GET", "a", "/api/admin", &encoded("ok:test")), fails(INVALID));
    assert_eq!(outcome(&basic, "PATCH", "a", "/api/admin", &encoded("root:toor")), passes("root"));
    assert_eq!(outcome(&basic, "GET", "a", "/api", &encoded("ok:test")), passes("ok"));
}

/// RFC 7617.
#[test]
fn what_a_client_may_write() {
    let known = ["ok:test", "a:b:c", "jürgen:пароль"].map(|known| text(known).unwrap());
    let hashed = Credential::try_from_hash("hashed", &Secret::new(TEST)).unwrap();
    let all = Credentials::new(known.into_iter().chain([hashed]).collect());
    let basic = basic(vec![Rule::try_new(&[], prefix("/"), vec!["*".to_owned()], all).unwrap()]);
    let ok = encoded("ok:test");
    for (authorization, expected) in [
        (ok.clone(), passes("ok")),
        (ok.replace("Basic", "bAsIc"), passes("ok")),
        (ok.replace("Basic ", "Basic   "), passes("ok")),
        (encoded("a:b:c"), passes("a")),
        (encoded("jürgen:пароль"), passes("jürgen")),
        (encoded("hashed:test"), passes("hashed")),
        (encoded(&format!("hashed:{TEST}")), fails(INVALID)),
        (encoded("a:b"), fails(INVALID)),
        (encoded("a"), fails(INVALID)),
        (encoded(":"), fails(INVALID)),
        (encoded("ok:"), fails(INVALID)),
        (encoded("ok:test "), fails(INVALID)),
        (encoded("OK:test"), fails(INVALID)),
        ("Basic ok:test".to_owned(), fails(INVALID)),
        (ok.trim_end_matches('=').to_owned(), if ok.ends_with('=') { fails(INVALID) } else { passes("ok") }),
        (format!("{ok}!"), fails(INVALID)),
        (format!("{ok},{ok}"), fails(INVALID)),
        ("Basic =".to_owned(), fails(INVALID)),
        ("Basic é".to_owned(), fails(INVALID)),
        ("Basic".to_owned(), fails(MISSING)),
        ("Bearer t".to_owned(), fails(MISSING)),
    ] {
        assert_eq!(outcome(&basic, "GET", "a", "/", &authorization), expected, "{authorization}");
    }
    let twice = basic.check(&[(":path", "/"), ("authorization", "Basic b2s6dGVzdA=="), ("authorization", "Basic b2s6dGVzdA==")]);
    assert!(matches!(twice, Verdict::Deny(denial) if denial.message == "There is more than one authorization."));
}

#[test]
fn user_and_password_are_forwarded_if_they_should_be() {
    let all = || vec![rule(&[], prefix("/"), &["*"]).unwrap()];
    let facts = [(":path", "/"), ("authorization", "Basic YWRtaW4zOmFkbWluMw==")];
    let nameless = Basic::try_new(all(), "istio", None).unwrap().forwarding(true);
    assert_eq!(nameless.check(&facts), Verdict::allow());
    let set = Edit::Set("x-user".to_owned(), b"admin3".to_vec());
    assert_eq!(basic(all()).forwarding(true).check(&facts), Verdict::Allow(Edits { request: vec![set], ..Edits::default() }));
}

/// §4.30, configurations; the types of the fields are tested with the filter.
#[test]
fn what_cannot_be_meant_is_refused() {
    let path = |one: Option<&str>, two: Option<&str>, three: Option<&str>| {
        Path::try_new(one.map(str::to_owned), two.map(str::to_owned), three.map(str::to_owned)).map(|_| ())
    };
    assert_eq!(path(Some("/"), None, None), Ok(()));
    assert_eq!(path(None, None, None), Err(RuleError::Path));
    assert_eq!(path(Some("/"), Some("/"), None), Err(RuleError::Path));
    assert_eq!(path(None, Some("/"), Some("/")), Err(RuleError::Path));
    assert_eq!(rule(&[], prefix("/"), &[]).unwrap_err(), RuleError::Methods);
    assert_eq!(rule(&[], prefix("/"), &[""]).unwrap_err(), RuleError::Methods);
    for host in ["", "a:80", "a*b", "*a*", "**", "example.com."] {
        assert_eq!(rule(&["ok", host], prefix("/"), &["GET"]).unwrap_err(), RuleError::Host(1), "{host}");
    }
    let nobody = Rule::try_new(&[], prefix("/"), vec!["GET".to_owned()], Credentials::new(Vec::new()));
    assert_eq!(nobody.unwrap_err(), RuleError::Credentials);
    for (credential, expected) in [
        ("", CredentialError::Form),
        ("ok", CredentialError::Form),
        ("ok test", CredentialError::Form),
        ("b2s=", CredentialError::Form),
        ("b2s6dGVzdA", CredentialError::Form),
        (":test", CredentialError::User),
        ("o\nk:test", CredentialError::User),
        ("/zp0ZXN0", CredentialError::User),
        ("ok:", CredentialError::NoPassword),
        ("b2s6", CredentialError::NoPassword),
    ] {
        assert_eq!(text(credential).unwrap_err(), expected, "{credential:?}");
    }
    let hashed = |user: &str, hash: &str| Credential::try_from_hash(user, &Secret::new(hash)).map(|_| ());
    assert_eq!(hashed("ok", TEST), Ok(()));
    assert_eq!(hashed("ok", "test"), Err(CredentialError::Hash));
    assert_eq!(hashed("o:k", TEST), Err(CredentialError::User));
    assert_eq!(Basic::try_new(Vec::new(), "a\nb", None).unwrap_err(), BasicError::Realm(RealmError));
    assert_eq!(Basic::try_new(Vec::new(), "", Some(":path")).unwrap_err(), BasicError::Header(":path".to_owned()));
}

#[test]
fn passwords_are_not_shown() {
    let shown = format!("{:?} {:?}", basic(vec![rule(&[], prefix("/"), &["*"]).unwrap()]), Digest::of(b"test"));
    assert!(shown.contains("\"ok\"") && !shown.contains("test") && !shown.contains("YWRt") && !shown.contains("9f86"), "{shown}");
}
