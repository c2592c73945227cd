use std::time::Duration;

use inproxy_envoy::Listener;
use inproxy_tests::{Connection, Proxy, Server, throw_away};
use serde_json::json;

use crate::get;

/// Envoy does not answer a request whose filter trapped while it waited for a call-out: only the listener's timeouts end it.
async fn is_ended_by(timeout: impl FnOnce(&mut Listener)) {
    let envoy = throw_away().await;
    let (upstream, authority) = (Server::saying("hello").await, Server::saying("fine").await);
    let address = Proxy::before(&upstream)
        .cluster("authority", &[authority.address()])
        .filter("trap_after_call", json!({ "authority": "$authority" }))
        .with(timeout)
        .open_in(&envoy)
        .await
        .unwrap();
    let mut connection = Connection::open(address).await;
    connection.send(get("/", "")).await;
    assert!(connection.silent_for(Duration::from_millis(250)).await, "the trap itself answers nothing");
    assert_eq!(connection.response().await.status(), 503, "the reply of the timeout passes a filter whose VM is dead");
    assert!(envoy.log().contains("panicked"), "{}", envoy.log());
    assert!(upstream.seen().bytes().is_empty());
    recovers(address).await;
}

#[tokio::test]
async fn a_request_whose_filter_traps_after_a_call_is_ended_by_request_timeout() {
    is_ended_by(|listener| listener.request_timeout = Duration::from_millis(1200)).await;
}

#[tokio::test]
async fn a_request_whose_filter_traps_after_a_call_is_ended_by_stream_idle_timeout() {
    is_ended_by(|listener| listener.stream_idle_timeout = Duration::from_millis(1200)).await;
}

#[tokio::test]
async fn a_filter_that_traps_answers_503_and_envoy_goes_on() {
    let envoy = throw_away().await;
    let upstream = Server::saying("hello").await;
    let address = Proxy::before(&upstream).filter("trap_in_hook", json!({})).open_in(&envoy).await.unwrap();
    for _ in 0..3 {
        assert_eq!(Connection::exchange(address, get("/", "")).await.status(), 503);
    }
    envoy.still_running().unwrap();
    assert!(upstream.seen().bytes().is_empty());
}

/// `FAIL_RELOAD` makes a new VM after its backoff of about a second.
async fn recovers(address: std::net::SocketAddr) {
    for _ in 0..100 {
        if Connection::exchange(address, get("/safe", "")).await.status() == 200 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("no new VM");
}
