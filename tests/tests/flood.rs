//! Whether memory stays flat: many streams with call-outs, bodies, timers and resets, in the wasm engine.
//!
//! `STREAMS` says how many, each test runs a third of them; 20 000 unless set. `STREAMS=1000000 cargo test --release -p inproxy-tests --test flood` takes a few minutes.

#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "test code"
)]
#![allow(missing_docs, reason = "test code")]

use std::time::Duration;

use filters::{calls::AskFirst, cancelling::Cancelling, streaming::Mapping};
use inproxy::__private::Registered;
use inproxy_test::{GrpcReply, HostKind, Proxy, Request, Response, Running, Value, json};

fn streams() -> usize {
    std::env::var("STREAMS").ok().and_then(|streams| streams.parse().ok()).unwrap_or(20_000)
}

async fn proxy<F: Registered>(configuration: Value) -> Running {
    let proxy = Proxy::<F>::on(HostKind::Wasm, "flood").configure(configuration).upstream(|request| Response::new(200).with_body(request.bytes()));
    let proxy = proxy.cluster("service", |_| Response::new(200).with_body("fine").after(Duration::from_millis(5)));
    proxy.grpc("grpc", |_| GrpcReply::message("fine").after(Duration::from_millis(5))).start().await
}

/// One stream more, of a kind that depends on its number.
async fn one(proxy: &Running, at: usize, paths: &[&str]) {
    let path = paths[at % paths.len()];
    let request = Request::post(path).with_body(vec![b'x'; 100 + at % 3 * 1000]);
    match at % 7 {
        // A client that leaves in the middle.
        3 => {
            let mut exchange = proxy.open(&request).await;
            exchange.body(&[b'x'; 50]).await;
            exchange.leave().await;
        }
        // A body in parts.
        5 => {
            let mut exchange = proxy.open(&request).await;
            for part in request.bytes().chunks(64) {
                exchange.body(part).await;
            }
            exchange.end().await;
            exchange.response().await;
        }
        _ => drop(proxy.send(request).await),
    }
    proxy.forget();
}

/// Runs a third of the streams, and has the memory of the filter's module after all of them be what it was after a tenth, up to so many bytes for each stream.
async fn flood<F: Registered>(configuration: Value, paths: &[&str], leaks: u64) {
    let proxy = proxy::<F>(configuration).await;
    let streams = streams() / 3;
    let mut after_a_tenth = 0;
    for at in 0..streams {
        one(&proxy, at, paths).await;
        if at == streams / 10 {
            after_a_tenth = proxy.costs().expect("the wasm host counts").memory;
        }
    }
    let after_all = proxy.costs().expect("the wasm host counts").memory;
    let grown = after_all - after_a_tenth;
    println!("{} {}: {after_all} bytes after {streams} streams, {grown} of them since {}", F::ROOT_ID, paths.join(" "), streams / 10);
    assert!(grown <= streams as u64 * leaks, "{}: the memory has grown by {grown} bytes", F::ROOT_ID);
}

#[tokio::test]
async fn memory_is_flat_when_a_service_is_asked() {
    flood::<AskFirst>(json!({ "authority": "service", "then": "Portable" }), &["/"], 0).await;
}

#[tokio::test]
async fn memory_is_flat_when_bodies_are_changed() {
    flood::<Mapping>(json!({ "request": true, "response": true, "ask": "service" }), &["/"], 0).await;
}

#[tokio::test]
async fn memory_is_flat_when_what_a_stream_waits_for_is_dropped() {
    dropped(&["call", "sleep", "flight", "collect", "chunk", "response"], 0).await;
}

/// The table of `proxy-wasm` keeps the token of a gRPC call that was cancelled: 9 bytes an entry, in a table that doubles.
#[tokio::test]
async fn a_grpc_call_that_is_dropped_leaves_no_more_than_its_token() {
    dropped(&["grpc", "stream"], 40).await;
}

async fn dropped(kinds: &[&str], leaks: u64) {
    let paths: Vec<_> = kinds.iter().flat_map(|kind| [format!("/before/{kind}"), format!("/timeout/{kind}")]).collect();
    let paths: Vec<_> = paths.iter().map(String::as_str).collect();
    let configuration = json!({ "service": "service", "grpc": "grpc", "queue": "flood", "version": "1", "sleep_ms": 5 });
    flood::<Cancelling>(configuration, &paths, leaks).await;
}
