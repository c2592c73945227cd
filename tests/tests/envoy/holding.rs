//! Nothing of a request reaches the upstream while its headers are held, whatever the proxy delivers of it meanwhile.

use std::time::Duration;

use inproxy_tests::{Connection, Proxy, Server};
use serde_json::json;

use crate::{get, post, post_chunked};

/// How long the authority takes. It must outlast what would slip past.
const THINKING: Duration = Duration::from_millis(150);

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
async fn nothing_slips_past(root_id: &str, configuration: serde_json::Value, hold_headers: bool) {
    for (what, request) in requests() {
        for (verdict, status) in [(200, 200), (403, 403)] {
            let upstream = Server::saying("hello").await;
            let authority = slow_authority(verdict).await;
            let address = Proxy::before(&upstream)
                .cluster("authority", &[authority.address()])
                .filter(root_id, configuration.clone())
                .hold_headers(hold_headers)
                .open()
                .await;
            let mut connection = Connection::open(address).await;
            connection.send(&request).await;
            authority.seen().until("the authority is asked", |seen| seen.requests().len() == 1).await;
            assert!(connection.silent_for(THINKING / 3).await, "{what}: an answer before the verdict");
            assert_eq!(upstream.seen().bytes(), b"", "{what}: bytes before the verdict");
            let response = connection.response().await;
            assert_eq!(response.status(), status, "{what}");
            if status == 403 {
                tokio::time::sleep(Duration::from_millis(20)).await;
                assert_eq!(upstream.seen().bytes(), b"", "{what}: bytes of a refused request");
                continue;
            }
            let seen = upstream.seen().request();
            assert!(seen.whole, "{what}: {seen:?}");
            let sent = String::from_utf8_lossy(&request).matches("smuggled").count();
            let body = seen.text().matches("smuggled").count() + seen.trailers.len();
            match what {
                "chunks" => assert_eq!(seen.text(), "smuggled"),
                _ => assert_eq!(body, sent, "{what}"),
            }
        }
    }
}

#[tokio::test]
async fn while_a_call_is_out() {
    nothing_slips_past("ask_first", json!({ "authority": "$authority" }), false).await;
}

#[tokio::test]
async fn while_a_call_is_out_and_bodies_are_delivered() {
    nothing_slips_past("ask_first", json!({ "authority": "$authority" }), true).await;
}

#[tokio::test]
async fn while_callbacks_with_default_body_hooks_wait() {
    nothing_slips_past("hook_ask", json!({ "authority": "$authority" }), false).await;
}

#[tokio::test]
async fn while_callbacks_with_default_body_hooks_wait_and_bodies_are_delivered() {
    nothing_slips_past("hook_ask", json!({ "authority": "$authority" }), true).await;
}

/// A body that is read after the verdict is not let go by the headers that go first, though the proxy had delivered it before.
#[tokio::test]
async fn a_body_read_after_the_verdict_is_the_one_that_arrives() {
    for (then, hold_headers) in [("Portable", false), ("Portable", true), ("Held", true)] {
        for (what, request) in requests() {
            let upstream = Server::saying("hello").await;
            let authority = slow_authority(200).await;
            let address = Proxy::before(&upstream)
                .cluster("authority", &[authority.address()])
                .filter("ask_first", json!({ "authority": "$authority", "then": then }))
                .hold_headers(hold_headers)
                .open()
                .await;
            let response = Connection::exchange(address, request).await;
            assert_eq!(response.status(), 200, "{then} {hold_headers} {what}");
            let seen = upstream.seen().request();
            let expected = match what {
                "no body" => String::new(),
                "a large body" => "SMUGGLED".repeat(20_000),
                _ => "SMUGGLED".to_owned(),
            };
            assert!(seen.text() == expected && seen.whole, "{then} {hold_headers} {what}: {seen:?}");
            assert_eq!(seen.trailers.len(), usize::from(what == "chunks and trailers"), "{then} {hold_headers} {what}");
        }
    }
}
