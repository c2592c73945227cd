use super::*;
use crate::checks::jwt::{
    key::{Key, KeyFault},
    key_set::KeySetError,
    object::Object,
};

fn fault(key: &Value) -> Option<String> {
    Key::try_new(&Object::of(key).unwrap()).err().map(|fault| fault.to_string())
}

/// A key of the vectors, with some members changed; `null` takes one away.
fn changed(name: &str, changes: Value) -> Value {
    let vectors = vectors("tokens");
    let mut key = vectors.iter().find(|vector| vector["name"] == name).unwrap()["key"].clone();
    for (member, value) in changes.as_object().unwrap() {
        if value.is_null() {
            key.as_object_mut().unwrap().remove(member)
        } else {
            key.as_object_mut().unwrap().insert(member.clone(), value.clone())
        };
    }
    key
}

#[test]
fn keys_say_what_is_wrong_with_them() {
    let modulus = changed("RS256", json!({}))["n"].as_str().unwrap().to_owned();
    let mut even = base64url::decode(&modulus).unwrap();
    *even.last_mut().unwrap() &= 0xfe;
    let point = changed("ES256", json!({}))["x"].as_str().unwrap().to_owned();
    let purpose = "use, key_ops: it is not for checking signatures";
    let kind = "kty, crv: keys of this kind are not supported: there are oct, RSA, EC with P-256 or P-384, and OKP with Ed25519";
    let on_curve = "this is no point of the curve, or one that makes no safe key";
    let exponent = "e: an exponent of RSA is odd, and from 3 to 2^33 - 1";
    let bits = "n: keys of RSA have 2048 to 4096 bits";
    let text = |name: &str| format!("{name}: this member must be a text, in base64url without padding where it is a number");
    for (key, says) in [
        (json!({}), "a key is an object with \"kty\"".to_owned()),
        (json!({ "kty": 7 }), text("kty")),
        (json!({ "kty": "EC" }), kind.to_owned()),
        (json!({ "kty": "EC", "crv": "P-521" }), kind.to_owned()),
        (json!({ "kty": "EC", "crv": "secp256k1" }), kind.to_owned()),
        (json!({ "kty": "OKP", "crv": "X25519" }), kind.to_owned()),
        (json!({ "kty": "AKP" }), kind.to_owned()),
        (changed("RS256", json!({ "use": "enc" })), purpose.to_owned()),
        (changed("RS256", json!({ "key_ops": ["sign"] })), purpose.to_owned()),
        (changed("RS256", json!({ "key_ops": "verify" })), purpose.to_owned()),
        (
            changed("RS256", json!({ "alg": "RSA-OAEP" })),
            "alg: there is no such algorithm: there are HS256, HS384, HS512, RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, EdDSA, Ed25519"
                .to_owned(),
        ),
        (changed("RS256", json!({ "alg": "HS256" })), "alg: HS256 is not for keys of this kind".to_owned()),
        (changed("ES256", json!({ "alg": "ES384" })), "alg: ES384 is not for keys of this kind".to_owned()),
        (changed("RS256", json!({ "kid": 7 })), text("kid")),
        (changed("RS256", json!({ "n": null })), text("n")),
        (changed("RS256", json!({ "n": format!("{modulus}=") })), text("n")),
        (changed("RS256", json!({ "n": "" })), bits.to_owned()),
        (changed("RS256", json!({ "n": "AQAB" })), bits.to_owned()),
        (changed("RS256", json!({ "n": "A".repeat(10_000) })), bits.to_owned()),
        (changed("RS256", json!({ "n": "_".repeat(10_000) })), bits.to_owned()),
        (changed("RS256", json!({ "n": base64url::encode(&even) })), text("n")),
        (changed("RS256", json!({ "e": "" })), exponent.to_owned()),
        (changed("RS256", json!({ "e": "AA" })), exponent.to_owned()),
        (changed("RS256", json!({ "e": "AQ" })), exponent.to_owned()),
        (changed("RS256", json!({ "e": "Ag" })), exponent.to_owned()),
        (changed("RS256", json!({ "e": "AgAAAAE" })), exponent.to_owned()),
        (changed("RS256", json!({ "e": modulus })), exponent.to_owned()),
        (changed("HS256", json!({ "k": "c2hvcnQ" })), "k: the secret is shorter than 256 bits".to_owned()),
        (changed("HS256", json!({ "alg": "HS384" })), "k: the secret is shorter than 384 bits".to_owned()),
        (changed("ES256", json!({ "y": point })), on_curve.to_owned()),
        (changed("ES256", json!({ "x": "AA" })), on_curve.to_owned()),
        (changed("ES256", json!({ "x": base64url::encode(&[0; 32]), "y": base64url::encode(&[0; 32]) })), on_curve.to_owned()),
        (changed("ES256", json!({ "crv": "P-384" })), on_curve.to_owned()),
        (changed("ES384", json!({ "crv": "P-256" })), on_curve.to_owned()),
        (changed("EdDSA", json!({ "x": "AA" })), on_curve.to_owned()),
        // The neutral element: any message would be signed.
        (changed("EdDSA", json!({ "x": base64url::encode(&[&[1][..], &[0; 31]].concat()) })), on_curve.to_owned()),
    ] {
        assert_eq!(fault(&key), Some(says), "{key}");
    }
    for key in [
        changed("RS256", json!({ "use": "sig", "key_ops": ["sign", "verify"], "alg": "PS512", "x5t": 7 })),
        changed("RS256", json!({ "n": base64url::encode(&[&[0][..], &base64url::decode(&modulus).unwrap()].concat()) })),
        changed("RS256", json!({ "e": "AAAAAAEAAQ" })),
        changed("EdDSA", json!({ "alg": "Ed25519" })),
        changed("HS512", json!({ "alg": "HS256" })),
    ] {
        assert_eq!(fault(&key), None, "{key}");
    }
}

#[test]
fn keys_of_no_use_are_left_out_of_a_set() {
    let good = changed("ES256", json!({}));
    let set = json!({ "keys": [{ "kty": "AKP", "alg": "ML-DSA-44" }, good, 7, changed("RS256", json!({ "use": "enc" }))], "more": true });
    let set = KeySet::parse(set.to_string().as_bytes()).unwrap();
    assert_eq!(set.left_out.iter().map(|(place, _)| *place).collect::<Vec<_>>(), [0, 2, 3]);
    assert!(matches!(set.left_out[1].1, KeyFault::NotAKey));
    assert_eq!(set.fitting("ES256".parse().unwrap(), None).count(), 1);
    assert_eq!(set.fitting("RS256".parse().unwrap(), None).count(), 0);
}

#[test]
fn a_set_without_a_key_of_use_is_an_error() {
    for (set, says) in [
        (r"", "a set of keys is a JSON object with a list"),
        (r"[]", "a set of keys is a JSON object with a list"),
        (r#"{"keys":{}}"#, "a set of keys is a JSON object with a list"),
        (r#"{"keys":[],"keys":[]}"#, "a set of keys is a JSON object with a list"),
        (r#"{"keys":[{"kty":"oct","kty":"oct"}]}"#, "a set of keys is a JSON object with a list"),
        (r#"{"keys":[]}"#, "there is no key in it"),
        (r#"{"keys":[{"kty":"EC","crv":"P-521"}]}"#, "there is no key in it that can be used; the first, keys[0]: kty, crv: keys of this kind"),
    ] {
        let error = KeySet::parse(set.as_bytes()).unwrap_err().to_string();
        assert!(error.starts_with(says), "{set}: {error}");
    }
    let many = vec![secret(); 101];
    assert_eq!(KeySet::parse(json!({ "keys": many }).to_string().as_bytes()).unwrap_err(), KeySetError::TooMany(101));
}

#[test]
fn nothing_secret_is_shown() {
    let shown = format!("{:?} {:?}", key_set(&[secret()]), Object::of(&secret()));
    assert!(!shown.contains(&base64url::encode(&SECRET)) && !shown.contains("7, 7"), "{shown}");
}
