//! Base64 as tokens and keys have it: for URLs, without padding, each value written in one way only.

use base64ct::{Base64UrlUnpadded, Encoding};

pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    Base64UrlUnpadded::decode_vec(text).ok()
}

pub(crate) fn encode(bytes: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(bytes)
}
