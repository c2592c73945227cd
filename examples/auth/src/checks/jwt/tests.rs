#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "test code")]

mod claims;
mod exports;
mod freshness;
mod keys;
mod requests;
mod signatures;
mod tokens;

use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use super::{algorithm::Algorithm, base64url, claims::Expected, key_set::KeySet, refusal::Refusal, token::Token, verifier::Verifier};

/// 14 November 2023.
const NOW: Duration = Duration::from_secs(1_700_000_000);

const SECRET: [u8; 32] = [7; 32];

/// `jwt-vectors.json`: tokens that others have signed.
fn vectors(part: &str) -> Vec<Value> {
    let all: Value = serde_json::from_str(include_str!("../../../tests/jwt-vectors.json")).unwrap();
    all[part].as_array().unwrap().clone()
}

fn key_set(keys: &[Value]) -> KeySet {
    KeySet::parse(json!({ "keys": keys }).to_string().as_bytes()).unwrap()
}

fn secret() -> Value {
    json!({ "kty": "oct", "k": base64url::encode(&SECRET) })
}

/// A token of these very bytes, signed with `SECRET`.
fn signed(header: &[u8], claims: &[u8]) -> String {
    let signed = format!("{}.{}", base64url::encode(header), base64url::encode(claims));
    let signature = Hmac::<Sha256>::new_from_slice(&SECRET).unwrap().chain_update(&signed).finalize().into_bytes();
    format!("{signed}.{}", base64url::encode(&signature))
}

fn with_claims(claims: &Value) -> String {
    signed(br#"{"alg":"HS256"}"#, claims.to_string().as_bytes())
}

fn verifier() -> Verifier {
    let expected = Expected {
        issuer: None,
        audiences: Vec::new(),
        subjects: Vec::new(),
        require_expiration: true,
        max_lifetime: None,
        clock_skew: Duration::from_secs(60),
    };
    Verifier { algorithms: Algorithm::all(), types: Vec::new(), expected, max_token_bytes: 8192 }
}

fn verify(verifier: &Verifier, token: &[u8], keys: &KeySet) -> Result<(), Refusal> {
    verifier.read(token, NOW)?.verify(keys).map(drop)
}

fn refusal(verifier: &Verifier, token: &[u8]) -> Option<Refusal> {
    verify(verifier, token, &key_set(&[secret()])).err()
}

fn parsed(token: &str) -> Token<'_> {
    Token::parse(token.as_bytes(), 8192).unwrap_or_else(|refusal| panic!("{refusal}: {token}"))
}
