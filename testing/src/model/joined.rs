//! Headers of which Envoy keeps one each: a second value is put behind the first, with a comma in between. Envoy calls them inline headers; which these are, its own code and that of all extensions in it say. Here are those that clients, servers and filters write.

use super::state::Headers;

const IN_REQUESTS: [&[u8]; 28] = [
    b"accept",
    b"accept-encoding",
    b"access-control-request-headers",
    b"access-control-request-method",
    b"access-control-request-private-network",
    b"authorization",
    b"expect",
    b"grpc-accept-encoding",
    b"grpc-timeout",
    b"if-match",
    b"if-modified-since",
    b"if-none-match",
    b"if-range",
    b"if-unmodified-since",
    b"origin",
    b"pragma",
    b"referer",
    b"user-agent",
    b"x-client-trace-id",
    b"x-forwarded-for",
    b"x-forwarded-host",
    b"x-forwarded-port",
    b"x-forwarded-proto",
    b"cache-control",
    b"content-encoding",
    b"content-type",
    b"via",
    b"x-request-id",
];

const IN_RESPONSES: [&[u8]; 19] = [
    b"access-control-allow-credentials",
    b"access-control-allow-origin",
    b"access-control-expose-headers",
    b"age",
    b"date",
    b"etag",
    b"expires",
    b"grpc-message",
    b"grpc-status",
    b"last-modified",
    b"location",
    b"proxy-status",
    b"server",
    b"vary",
    b"cache-control",
    b"content-encoding",
    b"content-type",
    b"via",
    b"x-request-id",
];

/// Adds a header to those of requests.
pub(super) fn push_request(headers: &mut Headers, name: Vec<u8>, value: &[u8]) {
    push(&IN_REQUESTS, headers, name, value);
}

/// Adds a header to those of responses.
pub(super) fn push_response(headers: &mut Headers, name: Vec<u8>, value: &[u8]) {
    push(&IN_RESPONSES, headers, name, value);
}

fn push(joined: &[&[u8]], headers: &mut Headers, name: Vec<u8>, value: &[u8]) {
    let same = headers.iter_mut().find(|(other, _)| *other == name && joined.iter().any(|known| known.eq_ignore_ascii_case(&name)));
    match same {
        Some((_, values)) => {
            values.push(b',');
            values.extend(value);
        }
        None => headers.push((name, value.to_vec())),
    }
}
