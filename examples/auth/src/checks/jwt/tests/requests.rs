use super::*;
use crate::{
    checks::jwt::{Jwt, Lenience, export::Export},
    policy::{Challenge, Code, Edit, Facts, Source, Undecided, Verdict},
};

fn jwt() -> Jwt {
    Jwt {
        sources: vec![
            Source::Header { name: "authorization".to_owned(), prefix: "Bearer ".to_owned() },
            Source::Query("access_token".to_owned()),
            Source::Cookie("session".to_owned()),
        ],
        verifier: verifier(),
        export: Export { headers: vec![("sub".to_owned(), "x-user".to_owned())], ..Export::default() },
        forward: false,
        challenge: challenge(),
        lenience: Lenience::Nothing,
        bypass_cors_preflight: false,
    }
}

fn challenge() -> Challenge {
    Challenge::try_new("Bearer", Some("shop")).unwrap()
}

fn ask(jwt: &Jwt, facts: &impl Facts) -> Verdict {
    let presented = match jwt.find(facts) {
        Ok(presented) => presented,
        Err(verdict) => return verdict,
    };
    match jwt.read(&presented, NOW) {
        Ok(token) => jwt.verdict(&presented, token.verify(&key_set(&[secret()]))),
        Err(verdict) => verdict,
    }
}

fn leak(text: String) -> &'static str {
    text.leak()
}

fn good() -> String {
    with_claims(&json!({ "sub": "alice", "exp": 4_102_444_800_u64 }))
}

#[test]
fn a_token_is_found_where_it_may_be() {
    let good = good();
    let bearer = |prefix: &str| leak(format!("{prefix}{good}"));
    let told = [Edit::Append("x-user".to_owned(), b"alice".to_vec())];
    let allowed = |removal: Edit| Some([&[removal][..], &told].concat());
    for (header, value, edits) in [
        ("authorization", bearer("Bearer "), allowed(Edit::Remove("authorization".to_owned()))),
        ("authorization", bearer("bearer "), allowed(Edit::Remove("authorization".to_owned()))),
        ("authorization", bearer("BEARER   "), allowed(Edit::Remove("authorization".to_owned()))),
        (":path", leak(format!("/x?a=b&access_token={good}&c")), allowed(Edit::RemoveParameter("access_token".to_owned()))),
        ("cookie", leak(format!("a=b; session={good}")), allowed(Edit::RemoveCookie("session".to_owned()))),
        ("authorization", bearer(""), None),
        ("authorization", bearer("Bearer"), None),
        ("authorization", bearer("Basic "), None),
        ("x-authorization", bearer("Bearer "), None),
        (":path", leak(format!("/access_token={good}")), None),
        (":path", leak(format!("/?Access_token={good}")), None),
        (":path", leak(format!("/?x#access_token={good}")), None),
        ("cookie", leak(format!("xsession={good}")), None),
    ] {
        let verdict = ask(&jwt(), &[(header, value)]);
        match (edits, verdict) {
            (Some(edits), Verdict::Allow(said)) => assert_eq!(said.request, edits, "{header}: {value}"),
            (None, Verdict::Deny(denial)) => {
                assert_eq!(denial.message, "Jwt is missing", "{header}: {value}");
                assert_eq!(denial.direct.headers, [("www-authenticate".to_owned(), b"Bearer realm=\"shop\"".to_vec())]);
            }
            (_, verdict) => panic!("{header}: {value}: {verdict:?}"),
        }
    }
}

#[test]
fn more_than_one_token_is_refused() {
    let bearer = leak(format!("Bearer {}", good()));
    let twice = leak(format!("/?access_token={0}&access_token={0}", good()));
    for facts in [
        [("authorization", bearer), ("authorization", bearer)],
        [("authorization", bearer), ("authorization", "Basic eA==")],
        [("authorization", bearer), (":path", "/?access_token=x")],
        [(":path", twice), ("x", "y")],
    ] {
        let Verdict::Deny(denial) = ask(&jwt(), &facts) else { panic!("{facts:?}") };
        assert_eq!((denial.code, denial.message.as_str()), (Code::UNAUTHENTICATED, "There is more than one Jwt"));
        assert_eq!(denial.direct.headers[0].1, b"Bearer realm=\"shop\", error=\"invalid_request\"");
        assert!(matches!(ask(&Jwt { lenience: Lenience::Missing, ..jwt() }, &facts), Verdict::Deny(_)));
    }
}

#[test]
fn a_token_is_passed_on_if_the_operator_wants() {
    let Verdict::Allow(edits) = ask(&Jwt { forward: true, ..jwt() }, &[("authorization", leak(format!("Bearer {}", good())))]) else { panic!() };
    assert!(!edits.request.contains(&Edit::Remove("authorization".to_owned())));
}

#[test]
fn what_passes_without_a_token_is_nobody() {
    let expired = leak(format!("Bearer {}", with_claims(&json!({ "sub": "alice", "exp": 1 }))));
    let nobody = Verdict::allow();
    for (lenience, missing, failed) in [(Lenience::Nothing, false, false), (Lenience::Missing, true, false), (Lenience::MissingOrFailed, true, true)]
    {
        let jwt = Jwt { lenience, ..jwt() };
        assert_eq!(ask(&jwt, &[("x-user", "root")]) == nobody, missing, "{lenience:?}");
        assert_eq!(ask(&jwt, &[("authorization", expired)]) == nobody, failed, "{lenience:?}");
        assert_eq!(jwt.undecided("down").is_ok_and(|verdict| verdict == nobody), failed, "{lenience:?}");
    }
    let Err(Undecided { reason, denial, .. }) = jwt().undecided("down") else { panic!() };
    assert_eq!((reason.as_str(), denial.http()), ("down", 503));
}

#[test]
fn a_browser_may_ask_first_if_the_operator_wants() {
    let preflight = [(":method", "OPTIONS"), ("origin", "https://a.example"), ("access-control-request-method", "PUT")];
    let lenient = Jwt { bypass_cors_preflight: true, ..jwt() };
    assert!(matches!(ask(&lenient, &preflight), Verdict::Allow(_)));
    assert!(matches!(ask(&jwt(), &preflight), Verdict::Deny(_)));
    for place in 0..3 {
        let mut other = preflight;
        other[place].1 = "";
        assert!(matches!(ask(&lenient, &other), Verdict::Deny(_)), "{other:?}");
    }
}

#[test]
fn the_client_is_told_what_rfc_6750_says() {
    let secret = leak(format!("Bearer {}", with_claims(&json!({ "sub": "top-secret", "exp": 1 }))));
    let Verdict::Deny(denial) = ask(&jwt(), &[("authorization", secret)]) else { panic!() };
    assert_eq!((denial.code, denial.http(), denial.text().as_str()), (Code::UNAUTHENTICATED, 401, "UNAUTHENTICATED:Jwt is expired"));
    assert_eq!(denial.direct.headers, [("www-authenticate".to_owned(), b"Bearer realm=\"shop\", error=\"invalid_token\"".to_vec())]);
    assert_eq!(denial.details.as_deref(), Some("jwt_authn_access_denied{Jwt_is_expired}"));
    let wrong = Refusal::Audience.denial(&challenge());
    assert_eq!((wrong.code, wrong.http(), wrong.message.as_str()), (Code::PERMISSION_DENIED, 403, "Audiences in Jwt are not allowed"));
}
