//! `verify_signature` and `sign`: which keys, hash functions and signatures there are. The keys are in `tests/keys`, and say nothing to anybody else.

use std::fmt::Write;

use inproxy_test::{Proxy, Request};
use inproxy_tests::{Conversation, Probe};

macro_rules! key {
    ($name:literal) => {
        include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/keys/", $name))
    };
}

const MISMATCH: &str = r#"0 "\x12&Failed to verify digest. Error code: 0""#;
const NO_KEY: &str = r#"0 "\x12#Failed to initialize digest verify.""#;
const NO_PRIVATE_KEY: &str = r#"0 "\x1a=Invalid key type: private key required for signing operation.""#;
const TRUE: &str = r#"0 "\x08\x01""#;

/// A field of a protobuf message.
fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    let mut field = vec![number << 3 | 2];
    let mut length = bytes.len();
    while length >= 128 {
        field.push(length as u8 | 128);
        length >>= 7;
    }
    field.push(length as u8);
    field.extend_from_slice(bytes);
    field
}

/// What PEM has between its lines.
fn der(pem: &[u8]) -> Vec<u8> {
    let mut bits = 0_u32;
    let (mut held, mut der) = (0, Vec::new());
    for byte in String::from_utf8_lossy(pem).lines().filter(|line| !line.starts_with('-')).flat_map(str::bytes) {
        let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let Some(digit) = alphabet.iter().position(|letter| *letter == byte) else { continue };
        (bits, held) = (bits << 6 | digit as u32, held + 6);
        if held >= 8 {
            held -= 8;
            der.push((bits >> held) as u8);
        }
    }
    der
}

/// A line of the conversation.
fn line(function: &str, fields: &[Vec<u8>], answer: &str) -> String {
    let mut argument = String::new();
    for byte in fields.concat() {
        let _ = write!(argument, "\\x{byte:02x}");
    }
    format!("request_headers: foreign {function} {} -> {answer}\n", if argument.is_empty() { "-" } else { &argument })
}

fn verify(hash: &str, key: &[u8], signature: &[u8], answer: &str) -> String {
    let key = if key.starts_with(b"-----") { field(5, key) } else { field(2, key) };
    line("verify_signature", &[field(1, hash.as_bytes()), field(3, signature), field(4, b"hello"), key], answer)
}

fn sign(hash: &str, key: &[u8], answer: &str) -> String {
    let key = if key.starts_with(b"-----") { field(4, key) } else { field(2, key) };
    line("sign", &[field(1, hash.as_bytes()), field(3, b"hello"), key], answer)
}

fn conversation() -> String {
    let (rsa, ec, ed) = (key!("rsa.pub.pem"), key!("ec.pub.pem"), key!("ed25519.pub.pem"));
    let (rsa_sha256, rsa_sha512, ec_sha256) = (key!("hello.rsa.sha256"), key!("hello.rsa.sha512"), key!("hello.ec.sha256"));
    let signed = |signature: &[u8]| format!(r#"0 "\x08\x01\x12\x80\x02{}""#, signature.escape_ascii());
    [
        verify("sha256", rsa, rsa_sha256, TRUE),
        verify("SHA256", &der(rsa), rsa_sha256, TRUE),
        verify("sha256", &[&der(rsa)[..], b"more"].concat(), rsa_sha256, TRUE),
        verify("sha512", rsa, rsa_sha512, TRUE),
        verify("sha256", ec, ec_sha256, TRUE),
        verify("sha256", &der(ec), ec_sha256, TRUE),
        verify("sha512", rsa, rsa_sha256, MISMATCH),
        verify("sha256", rsa, key!("hello.rsa-pss.sha256"), MISMATCH),
        verify("sha256", rsa, ec_sha256, MISMATCH),
        verify("sha256", ec, rsa_sha256, MISMATCH),
        verify("sha256", rsa, b"", MISMATCH),
        verify("md5", rsa, rsa_sha256, r#"0 "\x12\x15md5 is not supported.""#),
        verify("sha256", ed, rsa_sha256, NO_KEY),
        verify("sha256", b"junk", rsa_sha256, NO_KEY),
        verify("sha256", b"-----BEGIN PUBLIC KEY-----\njunk\n", rsa_sha256, NO_KEY),
        verify("sha256", key!("rsa.pem"), rsa_sha256, NO_KEY),
        line("verify_signature", &[field(1, b"sha256"), field(3, rsa_sha256), field(4, b"hello")], "2"),
        line("verify_signature", &[field(1, b"sha256"), field(2, &der(rsa)), field(5, rsa)], "2"),
        line("verify_signature", &[vec![0xff]], "2"),
        sign("sha256", key!("rsa.pem"), &signed(rsa_sha256)),
        sign("sha512", &der(key!("rsa.pem")), &signed(rsa_sha512)),
        sign("md5", key!("rsa.pem"), r#"0 "\x1a\x15md5 is not supported.""#),
        sign("sha256", rsa, NO_PRIVATE_KEY),
        sign("sha256", b"junk", NO_PRIVATE_KEY),
        line("sign", &[field(1, b"sha256"), field(3, b"hello")], "2"),
    ]
    .concat()
}

#[inproxy_test::test(only(wasm, envoy), because = "the probe has no SDK, which the native host needs")]
async fn signatures_are_those_of_envoy(proxy: Proxy<Probe>) {
    let signatures = Conversation::new(conversation().leak());
    let proxy = proxy.configure_text(&signatures.script()).start().await;
    proxy.send(Request::get("/")).await;
    signatures.expect(&proxy).await;
}
