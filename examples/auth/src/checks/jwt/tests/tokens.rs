//! Whatever is not a token in the one form that there is, is refused.

use super::*;

const CLAIMS: &[u8] = br#"{"exp":4102444800}"#;

#[test]
fn what_is_not_a_token_is_refused() {
    let good = signed(br#"{"alg":"HS256"}"#, CLAIMS);
    assert_eq!(refusal(&verifier(), good.as_bytes()), None);
    let (signed_part, signature) = good.rsplit_once('.').unwrap();
    let (header, payload) = signed_part.split_once('.').unwrap();
    let deep = |depth| format!("{{\"alg\":\"HS256\",\"x\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
    #[rustfmt::skip]
    let cases = [
        (String::new(), Refusal::Form),
        (".".to_owned(), Refusal::Form),
        ("..".to_owned(), Refusal::Form),
        ("a.b".to_owned(), Refusal::Form),
        (signed_part.to_owned(), Refusal::Form),
        (format!("{good}."), Refusal::Form),
        (format!(".{good}"), Refusal::Form),
        (format!("{good}.{signature}"), Refusal::Form),
        (format!("{header}..{signature}"), Refusal::PayloadJson),
        // As in JWE: five parts.
        (format!("{good}.a.b"), Refusal::Form),
        (format!("{signed_part}."), Refusal::UnknownKey),
        (format!("{good}="), Refusal::SignatureEncoding),
        (format!("{good} "), Refusal::SignatureEncoding),
        (format!("{good}\n"), Refusal::SignatureEncoding),
        (format!(" {good}"), Refusal::HeaderEncoding),
        (format!("{header}=.{payload}.{signature}"), Refusal::HeaderEncoding),
        (format!("{header}.{payload}=.{signature}"), Refusal::PayloadEncoding),
        (format!("{header}.{payload}%.{signature}"), Refusal::PayloadEncoding),
        (format!("{header}+.{payload}.{signature}"), Refusal::HeaderEncoding),
        (format!("{header}/.{payload}.{signature}"), Refusal::HeaderEncoding),
        // The same bytes, written in another way.
        (good[..good.len() - 1].to_owned() + &twin(&good), Refusal::SignatureEncoding),
        (signed(b"", CLAIMS), Refusal::Form),
        (signed(b"null", CLAIMS), Refusal::HeaderJson),
        (signed(b"[]", CLAIMS), Refusal::HeaderJson),
        (signed(br#"{"alg":"HS256"} x"#, CLAIMS), Refusal::HeaderJson),
        (signed(br#"{"alg":"HS256"}{}"#, CLAIMS), Refusal::HeaderJson),
        (signed(b"\xef\xbb\xbf{\"alg\":\"HS256\"}", CLAIMS), Refusal::HeaderJson),
        (signed(b"{\"alg\":\"HS256\",\"x\":\"\xff\"}", CLAIMS), Refusal::HeaderJson),
        (signed(deep(200).as_bytes(), CLAIMS), Refusal::HeaderJson),
        (signed(br#"{"alg":"HS256","alg":"HS256"}"#, CLAIMS), Refusal::HeaderJson),
        (signed(br#"{"alg":"HS256","\u0061lg":"HS256"}"#, CLAIMS), Refusal::HeaderJson),
        (signed(br#"{"alg":"HS256","x":{"a":1,"a":1}}"#, CLAIMS), Refusal::HeaderJson),
        (signed(b"{}", CLAIMS), Refusal::Header("alg")),
        (signed(br#"{"alg":null}"#, CLAIMS), Refusal::Header("alg")),
        (signed(br#"{"alg":["HS256"]}"#, CLAIMS), Refusal::Header("alg")),
        (signed(br#"{"alg":"HS256","kid":7}"#, CLAIMS), Refusal::Header("kid")),
        (signed(br#"{"alg":"HS256","typ":7}"#, CLAIMS), Refusal::Header("typ")),
        (signed(br#"{"alg":"none"}"#, CLAIMS), Refusal::Algorithm),
        (signed(br#"{"alg":"None"}"#, CLAIMS), Refusal::Algorithm),
        (signed(br#"{"alg":""}"#, CLAIMS), Refusal::Algorithm),
        (signed(br#"{"alg":"hs256"}"#, CLAIMS), Refusal::Algorithm),
        (signed(br#"{"alg":"HS1"}"#, CLAIMS), Refusal::Algorithm),
        (signed(br#"{"alg":"ES512"}"#, CLAIMS), Refusal::Algorithm),
        (signed(br#"{"alg":"A128KW"}"#, CLAIMS), Refusal::Algorithm),
        (signed(br#"{"alg":"HS256","crit":["exp"],"exp":1}"#, CLAIMS), Refusal::Critical),
        (signed(br#"{"alg":"HS256","crit":[]}"#, CLAIMS), Refusal::Critical),
        (signed(br#"{"alg":"HS256","crit":["b64"],"b64":false}"#, CLAIMS), Refusal::Critical),
        (signed(br#"{"alg":"RS256"}"#, CLAIMS), Refusal::UnknownKey),
        (signed(br#"{"alg":"HS384"}"#, CLAIMS), Refusal::UnknownKey),
        (signed(br#"{"alg":"HS256"}"#, b""), Refusal::PayloadJson),
        (signed(br#"{"alg":"HS256"}"#, b"\"text\""), Refusal::PayloadJson),
        (signed(br#"{"alg":"HS256"}"#, br#"{"exp":4102444800,"exp":4102444800}"#), Refusal::PayloadJson),
        (signed(br#"{"alg":"HS256"}"#, br#"{"exp":4102444800,"a":[{"b":1,"b":2}]}"#), Refusal::PayloadJson),
        (signed(br#"{"alg":"HS256"}"#, b"{\"exp\":4102444800,\"sub\":\"\xc3\x28\"}"), Refusal::PayloadJson),
        (signed(br#"{"alg":"HS256"}"#, br#"{"exp":4102444800,"sub":"\ud800"}"#), Refusal::PayloadJson),
        (signed(br#"{"alg":"HS256"}"#, br#"{"exp":1e999}"#), Refusal::PayloadJson),
        (signed(br#"{"alg":"HS256"}"#, format!("{{\"exp\":4102444800,\"a\":{}{}}}", "[".repeat(127), "]".repeat(127)).as_bytes()), Refusal::PayloadJson),
        (format!("{good}{}", "A".repeat(8192)), Refusal::TooLong),
    ];
    for (token, expected) in cases {
        assert_eq!(refusal(&verifier(), token.as_bytes()), Some(expected), "{token}");
    }
    assert_eq!(refusal(&verifier(), b"\xff.\xff.\xff"), Some(Refusal::Form));
}

/// A last character that stands for the same bytes, with other bits behind them.
fn twin(token: &str) -> String {
    const DIGITS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let last = DIGITS.find(token.chars().last().unwrap()).unwrap();
    DIGITS[last + 1..=last + 1].to_owned()
}

#[test]
fn a_token_that_is_cut_off_anywhere_is_refused() {
    for vector in vectors("tokens") {
        let (name, token) = (&vector["name"], vector["token"].as_str().unwrap());
        let keys = key_set(&[vector["key"].clone()]);
        for length in 0..token.len() {
            assert!(verify(&verifier(), &token.as_bytes()[..length], &keys).is_err(), "{name}, {length} bytes");
        }
        let (_, behind_a_dot) = token.split_once('.').unwrap();
        assert!(verify(&verifier(), behind_a_dot.as_bytes(), &keys).is_err(), "{name}");
    }
}

/// A reader must not be told where keys are, or given one, by whom it is to judge.
#[test]
fn keys_in_the_header_count_for_nothing() {
    let key = json!({ "kty": "oct", "k": base64url::encode(&SECRET) });
    let header = json!({ "alg": "HS256", "jwk": key, "jku": "https://evil.example/jwks", "x5u": "https://evil.example", "x5c": ["AA"] });
    let token = signed(header.to_string().as_bytes(), CLAIMS);
    let others = key_set(&[json!({ "kty": "oct", "k": base64url::encode(&[8; 32]) })]);
    assert_eq!(verify(&verifier(), token.as_bytes(), &others), Err(Refusal::UnknownKey));
}

#[test]
fn only_algorithms_and_types_that_the_operator_takes_are_taken() {
    let token = |header: &str| signed(header.as_bytes(), CLAIMS);
    let mut taken = verifier();
    taken.algorithms = vec!["RS256".parse().unwrap(), "HS384".parse().unwrap()];
    assert_eq!(refusal(&taken, token(r#"{"alg":"HS256"}"#).as_bytes()), Some(Refusal::AlgorithmNotAllowed));
    let mut taken = verifier();
    taken.types = vec!["at+jwt".to_owned()];
    for (header, expected) in [
        (r#"{"alg":"HS256","typ":"at+jwt"}"#, None),
        (r#"{"alg":"HS256","typ":"AT+JWT"}"#, None),
        (r#"{"alg":"HS256","typ":"application/at+jwt"}"#, None),
        (r#"{"alg":"HS256","typ":"application/application/at+jwt"}"#, Some(Refusal::Type)),
        (r#"{"alg":"HS256","typ":"JWT"}"#, Some(Refusal::Type)),
        (r#"{"alg":"HS256"}"#, Some(Refusal::Type)),
    ] {
        assert_eq!(refusal(&taken, token(header).as_bytes()), expected, "{header}");
    }
}

#[test]
fn names_of_algorithms_say_what_is_wrong_with_them() {
    assert_eq!(
        "ES512".parse::<Algorithm>().unwrap_err().to_string(),
        "ES512 is not supported: there are HS256, HS384, HS512, RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, EdDSA, Ed25519"
    );
    assert!("none".parse::<Algorithm>().unwrap_err().to_string().starts_with("none is not supported: there are HS256"));
    assert!("RSA".parse::<Algorithm>().unwrap_err().to_string().starts_with("there is no such algorithm: there are HS256"));
    assert_eq!("Ed25519".parse::<Algorithm>(), "EdDSA".parse());
    assert_eq!(parsed(&signed(br#"{"alg":"HS256"}"#, CLAIMS)).algorithm.to_string(), "HS256");
}
