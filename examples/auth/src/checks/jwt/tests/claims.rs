use super::*;

fn said(expected: Expected, claims: &Value) -> Option<Refusal> {
    refusal(&Verifier { expected, ..verifier() }, with_claims(claims).as_bytes())
}

/// The skew is a minute.
#[test]
fn times_are_what_they_say_within_the_skew() {
    let now = NOW.as_secs();
    for (claims, refused) in [
        (json!({ "exp": now + 1 }), None),
        (json!({ "exp": now - 59 }), None),
        (json!({ "exp": now - 60 }), Some(Refusal::Expired)),
        (json!({ "exp": now as f64 - 59.5 }), None),
        (json!({ "exp": now as f64 - 60.5 }), Some(Refusal::Expired)),
        (json!({ "exp": 0 }), Some(Refusal::Expired)),
        (json!({}), Some(Refusal::NoExpiration)),
        (json!({ "exp": null }), Some(Refusal::Time("exp"))),
        (json!({ "exp": "4102444800" }), Some(Refusal::Time("exp"))),
        (json!({ "exp": -1 }), Some(Refusal::Time("exp"))),
        (json!({ "exp": 1e300 }), Some(Refusal::Time("exp"))),
        (json!({ "exp": u64::MAX }), Some(Refusal::Time("exp"))),
        (json!({ "exp": i64::MIN }), Some(Refusal::Time("exp"))),
        (json!({ "exp": [now + 1] }), Some(Refusal::Time("exp"))),
        (json!({ "exp": true }), Some(Refusal::Time("exp"))),
        (json!({ "exp": now + 1, "nbf": now + 60 }), None),
        (json!({ "exp": now + 1, "nbf": now + 61 }), Some(Refusal::NotYet)),
        (json!({ "exp": now + 1, "nbf": "0" }), Some(Refusal::Time("nbf"))),
        (json!({ "exp": now + 1, "nbf": -1 }), Some(Refusal::Time("nbf"))),
        (json!({ "exp": now + 1, "iat": now + 60 }), None),
        (json!({ "exp": now + 1, "iat": now as f64 + 60.5 }), Some(Refusal::NotYet)),
        (json!({ "exp": now + 1, "iat": {} }), Some(Refusal::Time("iat"))),
    ] {
        assert_eq!(said(verifier().expected, &claims), refused, "{claims}");
    }
}

#[test]
fn no_time_and_no_skew_overflows() {
    let now = NOW.as_secs();
    let expected = Expected { clock_skew: Duration::MAX, max_lifetime: Some(Duration::MAX), ..verifier().expected };
    assert_eq!(said(expected, &json!({ "exp": 0, "nbf": 9_007_199_254_740_992_u64 })), None);
    let token = with_claims(&json!({ "exp": now }));
    assert!(verifier().read(token.as_bytes(), Duration::MAX).is_err_and(|refusal| refusal == Refusal::Expired));
    assert!(verifier().read(token.as_bytes(), Duration::ZERO).is_ok());
}

#[test]
fn a_token_without_an_end_is_taken_if_the_operator_wants() {
    let now = NOW.as_secs();
    let lenient = Expected { require_expiration: false, ..verifier().expected };
    assert_eq!(said(lenient.clone(), &json!({})), None);
    assert_eq!(said(lenient.clone(), &json!({ "exp": now - 60 })), Some(Refusal::Expired));
    let short = Expected { max_lifetime: Some(Duration::from_secs(3600)), ..lenient };
    assert_eq!(said(short.clone(), &json!({})), Some(Refusal::NoExpiration));
    assert_eq!(said(short.clone(), &json!({ "exp": now + 3660 })), None);
    assert_eq!(said(short, &json!({ "exp": now + 3661 })), Some(Refusal::Lifetime));
}

#[test]
fn issuer_subject_and_audience_are_exact() {
    let expected = Expected {
        issuer: Some("https://a.example".to_owned()),
        subjects: vec!["alice".to_owned(), "bob".to_owned()],
        audiences: vec!["shop".to_owned(), "bank".to_owned()],
        ..verifier().expected
    };
    for (name, value, refused) in [
        ("sub", json!("bob"), None),
        ("iss", json!("https://a.example/"), Some(Refusal::Issuer)),
        ("iss", json!("https://A.example"), Some(Refusal::Issuer)),
        ("iss", json!(""), Some(Refusal::Issuer)),
        ("iss", json!(["https://a.example"]), Some(Refusal::Text("iss"))),
        ("iss", json!(null), Some(Refusal::Text("iss"))),
        ("sub", json!("Alice"), Some(Refusal::Subject)),
        ("sub", json!(1), Some(Refusal::Text("sub"))),
        ("aud", json!("bank"), None),
        ("aud", json!(["other", "shop"]), None),
        ("aud", json!(["other"]), Some(Refusal::Audience)),
        ("aud", json!([]), Some(Refusal::Audience)),
        ("aud", json!("sho"), Some(Refusal::Audience)),
        ("aud", json!("shop bank"), Some(Refusal::Audience)),
        ("aud", json!(["shop", 1]), Some(Refusal::AudienceForm)),
        ("aud", json!({ "shop": 1 }), Some(Refusal::AudienceForm)),
    ] {
        let mut claims = json!({ "iss": "https://a.example", "sub": "alice", "aud": "shop", "exp": 4_102_444_800_u64 });
        claims[name] = value;
        assert_eq!(said(expected.clone(), &claims), refused, "{claims}");
    }
    for (missing, refused) in [("iss", Refusal::Issuer), ("sub", Refusal::Subject), ("aud", Refusal::Audience)] {
        let mut claims = json!({ "iss": "https://a.example", "sub": "alice", "aud": "shop", "exp": 4_102_444_800_u64 });
        claims.as_object_mut().unwrap().remove(missing);
        assert_eq!(said(expected.clone(), &claims), Some(refused), "{claims}");
    }
    // The form is wrong, whether it counts or not.
    assert_eq!(said(verifier().expected, &json!({ "exp": 4_102_444_800_u64, "aud": 1 })), Some(Refusal::AudienceForm));
}
