//! Workers of the real Envoy are threads, which change what they share at the same time.

use std::net::SocketAddr;

use inproxy_tests::{Connection, Message, Proxy, Server, throw_away_with};
use serde_json::json;

use crate::get;

const CONNECTIONS: usize = 64;

/// Sends a request on each of 64 connections as fast as they can be written; all responses.
async fn at_once(address: SocketAddr, request: &[u8]) -> Vec<Message> {
    let mut connections = Vec::new();
    for _ in 0..CONNECTIONS {
        connections.push(Connection::open(address).await);
    }
    for connection in &mut connections {
        connection.send(request).await;
    }
    let mut responses = Vec::new();
    for mut connection in connections {
        responses.push(connection.response().await);
    }
    responses
}

#[tokio::test]
async fn of_what_two_threads_change_at_the_same_time_nothing_is_lost_and_nothing_is_granted_twice() {
    let envoy = throw_away_with(2).await;
    let upstream = Server::saying("hello").await;
    let proxy = Proxy::before(&upstream).filter("add_many", json!({})).with(|listener| listener.balanced = true);
    let address = proxy.open_in(&envoy).await.unwrap();
    let times = 200;
    let quarter = CONNECTIONS * times / 4;
    // On a machine with one core to spare the threads take turns, and seldom meet.
    for round in 1..=100 {
        let limit = round * quarter;
        let responses = at_once(address, &get("/", &format!("x-times: {times}\r\nx-limit: {limit}\r\n"))).await;
        assert!(responses.iter().all(|response| response.status() == 200), "{responses:?}");
        let got = responses.iter().map(|response| response.header("x-got").unwrap().parse::<usize>().unwrap());
        assert_eq!(got.sum::<usize>(), quarter, "in round {round}");
        let now = Connection::exchange(address, get("/", "")).await;
        let all = (round * CONNECTIONS * times).to_string();
        assert_eq!((now.header("x-one"), now.header("x-of-table")), (Some(all.clone()), Some(all)), "in round {round}");
        let again = envoy.admin().stats("wasmcustom.add_many.again").await.unwrap();
        if again.values().any(|again| *again > 0) {
            return;
        }
    }
    panic!("no thread ever met another: this test has shown nothing");
}

#[tokio::test]
async fn a_budget_grants_what_it_has_and_no_more() {
    for limit in [1, CONNECTIONS / 4, CONNECTIONS] {
        let envoy = throw_away_with(2).await;
        let upstream = Server::saying("hello").await;
        let proxy = Proxy::before(&upstream).filter("budget", json!({ "limit": limit, "seconds": 60 })).with(|listener| listener.balanced = true);
        let address = proxy.open_in(&envoy).await.unwrap();
        for round in 1..=4 {
            let request = get("/", &format!("x-client: client-{round}\r\n"));
            let responses = at_once(address, &request).await;
            let count = |status| responses.iter().filter(|response| response.status() == status).count();
            assert_eq!((count(200), count(429)), (limit, CONNECTIONS - limit), "in round {round}");
            assert_eq!(upstream.seen().requests().len(), round * limit);
        }
    }
}
