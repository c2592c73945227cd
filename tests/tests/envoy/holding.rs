//! Nothing of a request reaches the upstream while its headers are held, whatever the proxy delivers of it meanwhile.

use std::time::Duration;

use inproxy_tests::{Connection, Proxy, Server};
use serde_json::json;

use crate::{get, post, post_chunked};

/// How long the authority takes. It must outlast what would slip past.
const THINKING: Duration = Duration::from_millis(400);

async fn slow_authority(status: u16) -> Server {
    Server::answering_after(THINKING, move |_| Some(format!("HTTP/1.1 {status} X\r\ncontent-length: 2\r\n\r\nno").into_bytes())).await
}

/// Requests of every kind that a direction can have.
fn requests() -> [(&'static str, Vec<u8>); 5] {
    [
        ("no body", get("/", "")),
        ("a body", post("/", "smuggled")),
        ("chunks", post_chunked("/", &["smug", "gled"], "")),
        ("chunks and trailers", post_chunked("/", &["smuggled"], "x-trailer: smuggled\r\n")),
        ("a large body", post("/", &"smuggled".repeat(20_000))),
    ]
}

/// Asserts that a refused request leaves no trace at the upstream, and an admitted one arrives whole.
async fn nothing_slips_past(root_id: &str, hold_headers: bool) {
    tokio::join!(nothing_slips_past_when(200, root_id, hold_headers), nothing_slips_past_when(403, root_id, hold_headers));
}

async fn nothing_slips_past_when(verdict: u16, root_id: &str, hold_headers: bool) {
    let upstream = Server::saying("hello").await;
    let authority = slow_authority(verdict).await;
    let address = Proxy::before(&upstream)
        .cluster("authority", &[authority.address()])
        .filter(root_id, json!({ "authority": "$authority" }))
        .hold_headers(hold_headers)
        .open()
        .await;
    for (asked, (what, request)) in (1..).zip(requests()) {
        let before = upstream.seen().bytes().len();
        let mut connection = Connection::open(address).await;
        connection.send(&request).await;
        authority.seen().until("the authority is asked", |seen| seen.requests().len() == asked).await;
        assert!(connection.silent_for(THINKING / 8).await, "{what}: an answer before the verdict");
        assert_eq!(upstream.seen().bytes().len(), before, "{what}: bytes before the verdict");
        let response = connection.response().await;
        assert_eq!(response.status(), verdict, "{what}");
        if verdict == 403 {
            tokio::time::sleep(Duration::from_millis(10)).await;
            assert_eq!(upstream.seen().bytes(), b"", "{what}: bytes of a refused request");
            continue;
        }
        let seen = upstream.seen().requests().pop().unwrap();
        assert!(seen.whole, "{what}: {seen:?}");
        let (body, trailers) = arriving(what);
        assert!(seen.text() == body && seen.trailers.len() == trailers, "{what}: {seen:?}");
    }
}

/// The body and the number of trailers with which a request must arrive.
fn arriving(what: &str) -> (String, usize) {
    let body = match what {
        "no body" => String::new(),
        "a large body" => "smuggled".repeat(20_000),
        _ => "smuggled".to_owned(),
    };
    (body, usize::from(what == "chunks and trailers"))
}

#[tokio::test]
async fn while_a_call_is_out() {
    nothing_slips_past("ask_first", false).await;
}

#[tokio::test]
async fn while_a_call_is_out_and_bodies_are_delivered() {
    nothing_slips_past("ask_first", true).await;
}

#[tokio::test]
async fn while_callbacks_with_default_body_hooks_wait() {
    nothing_slips_past("hook_ask", false).await;
}

#[tokio::test]
async fn while_callbacks_with_default_body_hooks_wait_and_bodies_are_delivered() {
    nothing_slips_past("hook_ask", true).await;
}

/// A body that is read after the verdict is not let go by the headers that go first, though the proxy had delivered it before.
#[tokio::test]
async fn a_body_read_after_the_verdict_is_the_one_that_arrives() {
    tokio::join!(body_after_the_verdict("Portable", false), body_after_the_verdict("Portable", true), body_after_the_verdict("Held", true));
}

async fn body_after_the_verdict(then: &str, hold_headers: bool) {
    let upstream = Server::saying("hello").await;
    let authority = slow_authority(200).await;
    let address = Proxy::before(&upstream)
        .cluster("authority", &[authority.address()])
        .filter("ask_first", json!({ "authority": "$authority", "then": then }))
        .hold_headers(hold_headers)
        .open()
        .await;
    for (what, request) in requests() {
        let response = Connection::exchange(address, request).await;
        assert_eq!(response.status(), 200, "{then} {hold_headers} {what}");
        let seen = upstream.seen().requests().pop().unwrap();
        let (body, trailers) = arriving(what);
        assert!(seen.text() == body.to_uppercase() && seen.whole, "{then} {hold_headers} {what}: {seen:?}");
        assert_eq!(seen.trailers.len(), trailers, "{then} {hold_headers} {what}");
    }
}

/// The first half of a body has arrived when the verdict comes, the second has not.
#[tokio::test]
async fn the_first_half_of_a_body_waits_for_the_second_though_the_headers_went_on() {
    for (then, hold_headers) in [("Portable", false), ("Portable", true), ("Held", true)] {
        let upstream = Server::saying("hello").await;
        let authority = slow_authority(200).await;
        let address = Proxy::before(&upstream)
            .cluster("authority", &[authority.address()])
            .filter("ask_first", json!({ "authority": "$authority", "then": then }))
            .hold_headers(hold_headers)
            .open()
            .await;
        let mut connection = Connection::open(address).await;
        connection.send("POST / HTTP/1.1\r\nhost: test\r\ncontent-length: 16\r\n\r\nsmuggled").await;
        authority.seen().until("the authority is asked", |seen| seen.requests().len() == 1).await;
        assert!(connection.silent_for(THINKING * 3 / 2).await);
        let early = String::from_utf8_lossy(&upstream.seen().bytes()).to_lowercase();
        assert!(!early.contains("smuggled"), "{then} {hold_headers}: {early}");
        connection.send("-smuggle").await;
        assert_eq!(connection.response().await.status(), 200);
        assert_eq!(upstream.seen().request().text(), "SMUGGLED-SMUGGLE", "{then} {hold_headers}");
    }
}
