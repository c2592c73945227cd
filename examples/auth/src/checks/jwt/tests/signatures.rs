//! Against tokens that others have signed.

use super::*;
use crate::checks::jwt::{key::Key, object::Object};

/// RFC 7515 A.1 to A.3, RFC 7520 §4, RFC 8037 A.4. Not all of these are JWTs, so this is about signatures only.
#[test]
fn the_signatures_of_the_rfcs_are_those_of_their_keys() {
    let vectors = vectors("signatures");
    assert_eq!(vectors.len(), 7);
    for vector in vectors {
        let key = Key::try_new(&Object::of(&vector["key"]).unwrap()).unwrap();
        let (signed, signature) = vector["token"].as_str().unwrap().rsplit_once('.').unwrap();
        let algorithm: Algorithm = vector["name"].as_str().unwrap().parse().unwrap();
        let mut signature = base64url::decode(signature).unwrap();
        assert!(key.verify(algorithm, signed.as_bytes(), &signature), "{vector}");
        assert!(!key.verify(algorithm, &signed.as_bytes()[1..], &signature), "{vector}");
        for other in Algorithm::all().into_iter().filter(|other| *other != algorithm) {
            assert!(!key.verify(other, signed.as_bytes(), &signature), "{vector} as {other}");
        }
        for bit in 0..signature.len() * 8 {
            signature[bit / 8] ^= 1 << (bit % 8);
            if bit < 16 || bit + 16 > signature.len() * 8 || bit % 61 == 0 {
                assert!(!key.verify(algorithm, signed.as_bytes(), &signature), "{vector}: bit {bit}");
            }
            signature[bit / 8] ^= 1 << (bit % 8);
        }
        for length in 0..signature.len() {
            assert!(!key.verify(algorithm, signed.as_bytes(), &signature[..length]), "{vector}: {length} bytes");
        }
        signature.push(0);
        assert!(!key.verify(algorithm, signed.as_bytes(), &signature), "{vector}: a byte more");
    }
}

#[test]
fn tokens_of_each_algorithm_are_taken_and_only_with_their_key() {
    let vectors = vectors("tokens");
    let names: Vec<_> = vectors.iter().map(|vector| vector["name"].as_str().unwrap()).collect();
    for algorithm in ["HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"] {
        assert!(names.contains(&algorithm), "no token is signed with {algorithm}");
    }
    let all: Vec<Value> = vectors.iter().map(|vector| vector["key"].clone()).collect();
    for vector in &vectors {
        let (name, token) = (&vector["name"], vector["token"].as_str().unwrap().as_bytes());
        assert_eq!(verify(&verifier(), token, &key_set(&[vector["key"].clone()])), Ok(()), "{name}");
        assert_eq!(verify(&verifier(), token, &key_set(&all)), Ok(()), "{name}, among others");
        let others: Vec<Value> = all.iter().filter(|key| **key != vector["key"]).cloned().collect();
        assert_eq!(verify(&verifier(), token, &key_set(&others)), Err(Refusal::UnknownKey), "{name}, without its key");
        let nameless: Vec<Value> = others.into_iter().map(without_id).collect();
        assert!(verify(&verifier(), token, &key_set(&nameless)).is_err(), "{name}, with the keys of others");
        let [nameless, wrong] = [without_id(vector["key"].clone()), json!({ "kid": "wrong" })];
        assert_eq!(verify(&verifier(), token, &key_set(&[nameless])), Ok(()), "{name}, with a key without an id");
        let mut key = vector["key"].clone();
        key["kid"] = wrong["kid"].clone();
        assert_eq!(verify(&verifier(), token, &key_set(&[key])), Err(Refusal::UnknownKey), "{name}, with another id");
    }
}

/// Algorithms that are mixed up, weak keys, signatures in other forms.
#[test]
fn what_only_looks_signed_is_refused() {
    let vectors = vectors("refused");
    assert!(vectors.len() > 12);
    for vector in vectors {
        let (name, token) = (&vector["name"], vector["token"].as_str().unwrap().as_bytes());
        let said = match Key::try_new(&Object::of(&vector["key"]).unwrap()) {
            Err(fault) => format!("key: {fault}"),
            Ok(_) => verify(&verifier(), token, &key_set(&[vector["key"].clone()])).unwrap_err().to_string(),
        };
        assert_eq!(said, vector["refusal"].as_str().unwrap(), "{name}");
    }
}

#[test]
fn several_keys_may_have_one_id() {
    let vectors = vectors("tokens");
    let [one, other] = [&vectors[0], &vectors[1]].map(|vector| {
        let mut key = vector["key"].clone();
        key["kid"] = json!("hs256");
        key
    });
    let token = vectors[0]["token"].as_str().unwrap().as_bytes();
    assert_eq!(verify(&verifier(), token, &key_set(&[other.clone(), one])), Ok(()));
    assert_eq!(verify(&verifier(), token, &key_set(&[other])), Err(Refusal::Signature));
}

#[test]
fn a_token_without_an_id_is_tried_with_all_keys_of_its_kind_and_no_more_than_16() {
    let claims = json!({ "exp": 4_102_444_800_u64 });
    let other = |byte: u8| json!({ "kty": "oct", "kid": byte.to_string(), "k": base64url::encode(&[byte; 32]) });
    let with = |others: u8| key_set(&(100..100 + others).map(other).chain([secret()]).collect::<Vec<_>>());
    let token = with_claims(&claims);
    assert_eq!(verify(&verifier(), token.as_bytes(), &with(15)), Ok(()));
    assert_eq!(verify(&verifier(), token.as_bytes(), &with(16)), Err(Refusal::UnknownKey));
}

fn without_id(mut key: Value) -> Value {
    key.as_object_mut().unwrap().remove("kid");
    key
}
