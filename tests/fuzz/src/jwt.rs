//! The JWT check of `examples/auth`: nothing is taken that was not signed.

use std::time::Duration;

use arbitrary::Unstructured;
use auth::fuzz::Jwt;
use base64ct::{Base64UrlUnpadded, Encoding};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

/// Keys of all kinds, and tokens that they have signed.
struct Known {
    jwt: Jwt,
    keys: String,
    tokens: Vec<String>,
}

thread_local! {
    static KNOWN: Known = known();
}

const SECRET: [u8; 32] = [7; 32];

/// In seconds: between the first day of the tokens and their last.
const NOW: u64 = 1_800_000_000;

/// What is done to a text of the operator's or the issuer's.
const EDITS: usize = 6;

/// First which of three it is, then what is done.
pub(crate) fn fuzz(data: &[u8]) {
    let mut input = Unstructured::new(data);
    KNOWN.with(|known| match input.arbitrary::<u8>().unwrap_or_default() % 16 {
        0..=8 => changed_token(known, &mut input),
        9..=14 => signed_token(known, input.take_rest()),
        _ => changed_keys(known, &mut input),
    });
}

/// A token with some bytes changed, or with parts of others, is taken only if nothing was changed.
fn changed_token(known: &Known, input: &mut Unstructured<'_>) {
    let pick = |input: &mut Unstructured<'_>| &known.tokens[usize::from(input.arbitrary::<u8>().unwrap_or_default()) % known.tokens.len()];
    let mut token = pick(input).clone().into_bytes();
    let parts = input.arbitrary::<u8>().unwrap_or_default();
    if parts >= 0xc0 {
        let (one, other) = (String::from_utf8_lossy(&token).into_owned(), pick(input));
        let both = one.split('.').zip(other.split('.')).enumerate();
        token = both.map(|(part, (one, other))| if parts & (1 << part) == 0 { one } else { other }).collect::<Vec<_>>().join(".").into_bytes();
    }
    edit(&mut token, input);
    if known.jwt.verify(&token, Duration::from_secs(NOW)).is_ok() {
        let is_theirs = known.tokens.iter().any(|signed| signed.as_bytes() == token || is_twin(signed, &token));
        assert!(is_theirs, "a token was taken that nobody has signed: {}", token.escape_ascii());
    }
}

/// Of a signature of ECDSA there are two, which fit the same bytes.
fn is_twin(signed: &str, token: &[u8]) -> bool {
    let Some((before, _)) = signed.rsplit_once('.') else { return false };
    let is_ecdsa = before
        .split('.')
        .next()
        .and_then(|header| Base64UrlUnpadded::decode_vec(header).ok())
        .is_some_and(|header| header.starts_with(b"{\"alg\":\"ES"));
    is_ecdsa && token.strip_prefix(before.as_bytes()).is_some_and(|rest| rest.starts_with(b".") && rest.len() + before.len() == signed.len())
}

/// A header and claims of any bytes, signed: whatever is taken says in plain JSON what it must.
fn signed_token(known: &Known, bytes: &[u8]) {
    let at = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
    let (header, claims) = (&bytes[..at], bytes.get(at + 1..).unwrap_or_default());
    let signed = format!("{}.{}", Base64UrlUnpadded::encode_string(header), Base64UrlUnpadded::encode_string(claims));
    let signature = Hmac::<Sha256>::new_from_slice(&SECRET).unwrap().chain_update(&signed).finalize().into_bytes();
    let token = format!("{signed}.{}", Base64UrlUnpadded::encode_string(&signature));
    let Ok(payload) = known.jwt.verify(token.as_bytes(), Duration::from_secs(NOW)) else { return };
    assert_eq!(payload, Base64UrlUnpadded::encode_string(claims));
    let header: Value = serde_json::from_slice(header).unwrap();
    assert_eq!(header["alg"], "HS256");
    assert!(header.get("crit").is_none() && header.get("kid").is_none_or(|id| id == "hs"));
    let claims: Value = serde_json::from_slice(claims).unwrap();
    assert_eq!((&claims["iss"], &claims["sub"]), (&json!("https://issuer.example"), &json!("alice")));
    assert!(claims["aud"] == "shop" || claims["aud"].as_array().unwrap().contains(&json!("shop")));
    let latest = (NOW + 60) as f64;
    assert!(claims["exp"].as_f64().unwrap() > (NOW - 60) as f64);
    assert!(["nbf", "iat"].iter().all(|name| claims.get(*name).is_none_or(|time| time.as_f64().unwrap() <= latest)));
}

/// A set of keys with some bytes changed; a token that it takes is one whose key is still there.
fn changed_keys(known: &Known, input: &mut Unstructured<'_>) {
    let token = &known.tokens[usize::from(input.arbitrary::<u8>().unwrap_or_default()) % known.tokens.len()];
    let mut keys = known.keys.clone().into_bytes();
    edit(&mut keys, input);
    if let Some(jwt) = Jwt::try_new(&keys) {
        let _ = jwt.verify(token.as_bytes(), Duration::from_secs(NOW));
    }
}

fn edit(text: &mut Vec<u8>, input: &mut Unstructured<'_>) {
    for _ in 0..EDITS {
        let Ok((what, at, byte)) = input.arbitrary::<(u8, u16, u8)>() else { return };
        let at = usize::from(at) % (text.len() + 1);
        let to = (at + usize::from(byte)).min(text.len());
        match what % 6 {
            0 if at < text.len() => text[at] = byte,
            1 if at < text.len() => text[at] ^= 1 << (byte % 8),
            2 => text.insert(at, byte),
            3 => drop(text.drain(at..to)),
            4 => {
                let again = text[at..to].to_vec();
                text.splice(to..to, again);
            }
            _ => text.truncate(at),
        }
    }
}

fn known() -> Known {
    let vectors: Value = serde_json::from_str(include_str!("../../../examples/auth/tests/jwt-vectors.json")).unwrap();
    // Longer keys cost more, and go the same way.
    let usual = vectors["tokens"].as_array().unwrap().iter().filter(|vector| !vector["name"].as_str().unwrap().contains(" bits"));
    let (mut keys, tokens): (Vec<_>, Vec<_>) = usual.map(|vector| (vector["key"].clone(), vector["token"].as_str().unwrap().to_owned())).unzip();
    keys.push(json!({ "kty": "oct", "kid": "hs", "k": Base64UrlUnpadded::encode_string(&SECRET) }));
    keys.dedup();
    let keys = json!({ "keys": keys }).to_string();
    let jwt = Jwt::try_new(keys.as_bytes()).unwrap();
    for token in &tokens {
        jwt.verify(token.as_bytes(), Duration::from_secs(NOW)).unwrap();
    }
    Known { jwt, keys, tokens }
}
