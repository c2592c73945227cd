//! What only the real Envoy can show: bytes on the wire, connections, updates, traps and its own crashes. What a filter does otherwise is tested in `behaviour`, on three hosts.

#![allow(clippy::disallowed_methods, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "test code")]
#![allow(missing_docs, reason = "test code")]

mod adversarial;
mod bodies;
mod calls;
mod configuration;
mod foreign;
mod holding;
mod leaving;
mod loggers;
mod metrics;
mod raw;
mod replies;
mod safety;
mod shared;
mod streaming;
mod tcp;
mod tls;
mod traps;

/// A `GET` of this path, with further header lines.
fn get(path: &str, headers: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: test\r\n{headers}\r\n").into_bytes()
}

/// A `POST` with this body.
fn post(path: &str, body: &str) -> Vec<u8> {
    format!("POST {path} HTTP/1.1\r\nhost: test\r\ncontent-length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

/// A chunked `POST`, with or without trailers.
fn post_chunked(path: &str, chunks: &[&str], trailers: &str) -> Vec<u8> {
    let mut request = format!("POST {path} HTTP/1.1\r\nhost: test\r\ntransfer-encoding: chunked\r\n\r\n");
    for chunk in chunks {
        request.push_str(&format!("{:x}\r\n{chunk}\r\n", chunk.len()));
    }
    request.push_str(&format!("0\r\n{trailers}\r\n"));
    request.into_bytes()
}
