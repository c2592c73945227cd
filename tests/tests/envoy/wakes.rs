use std::time::Duration;

use inproxy_tests::{Connection, Proxy, Server};
use serde_json::json;

use crate::get;

#[tokio::test]
async fn a_stream_that_another_one_wakes_runs_and_its_calls_are_answered() {
    let (upstream, authority) = (Server::saying("hello").await, Server::saying("fine").await);
    let address =
        Proxy::before(&upstream).cluster("authority", &[authority.address()]).filter("gate", json!({ "authority": "$authority" })).open().await;
    for _ in 0..3 {
        let mut waiting = Vec::new();
        for _ in 0..5 {
            let mut connection = Connection::open(address).await;
            connection.send(get("/wait", "")).await;
            waiting.push(connection);
        }
        for connection in &mut waiting {
            assert!(connection.silent_for(Duration::from_millis(10)).await);
        }
        assert_eq!(Connection::exchange(address, get("/open", "")).await.status(), 200);
        for mut connection in waiting {
            assert_eq!(connection.response().await.status(), 200);
        }
    }
    let answered = upstream.seen().requests().into_iter().filter(|request| request.header("x-answer").as_deref() == Some("fine"));
    assert_eq!(answered.count(), 15);
}

#[tokio::test]
async fn a_stream_that_is_gone_when_it_is_woken_is_left_alone() {
    let (upstream, authority) = (Server::saying("hello").await, Server::saying("fine").await);
    let address =
        Proxy::before(&upstream).cluster("authority", &[authority.address()]).filter("gate", json!({ "authority": "$authority" })).open().await;
    let mut left = Connection::open(address).await;
    left.send(get("/wait", "")).await;
    assert!(left.silent_for(Duration::from_millis(20)).await);
    drop(left);
    tokio::time::sleep(Duration::from_millis(20)).await;
    for _ in 0..2 {
        assert_eq!(Connection::exchange(address, get("/open", "")).await.status(), 200);
    }
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert!(authority.seen().bytes().is_empty());
}
