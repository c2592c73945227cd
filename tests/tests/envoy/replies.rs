use inproxy_tests::{Connection, Proxy, Server};
use serde_json::json;

use crate::get;

#[tokio::test]
async fn a_connection_goes_on_after_a_reply() {
    let upstream = Server::saying("hello").await;
    let address = Proxy::before(&upstream).filter("reply", json!({ "status": 403, "body": "no" })).open().await;
    let mut connection = Connection::open(address).await;
    for _ in 0..3 {
        connection.send(get("/", "")).await;
        assert_eq!(connection.response().await.status(), 403);
    }
}
