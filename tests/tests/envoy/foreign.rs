use filters::foreign::{Objects, Properties};
use inproxy::__private::Registered;
use inproxy_tests::{Connection, Proxy, Server};
use serde_json::json;

use crate::get;

#[tokio::test]
async fn a_property_that_lives_as_long_as_the_connection_is_there_in_its_next_request() {
    let upstream = Server::saying("hello").await;
    let address = Proxy::before(&upstream).filter(Properties::ROOT_ID, json!({})).open().await;
    let mut connection = Connection::open(address).await;
    let mut told = Vec::new();
    for _ in 0..3 {
        connection.send(get("/", "")).await;
        let response = connection.response().await;
        told.push((response.header("x-session").unwrap(), response.header("x-once").unwrap()));
    }
    let one = |session: &str| (session.to_owned(), "1".to_owned());
    assert_eq!(told, [one("none"), one("1"), one("1")]);
    let other = Connection::exchange(address, get("/", "")).await;
    assert_eq!(other.header("x-session").as_deref(), Some("none"), "another connection");
}

#[tokio::test]
async fn an_object_lives_as_long_as_was_said_and_is_kept_by_one_that_lives_longer() {
    let upstream = Server::saying("hello").await;
    let address = Proxy::before(&upstream).filter(Objects::ROOT_ID, json!({})).open().await;
    let mut connection = Connection::open(address).await;
    for (value, span, there) in
        [("one", "filter_chain", "one"), ("two", "connection", "two"), ("three", "connection", "three"), ("four", "filter_chain", "three")]
    {
        connection.send(get("/", &format!("x-key: envoy.string\r\nx-value: {value}\r\nx-span: {span}\r\n"))).await;
        let response = connection.response().await;
        assert_eq!((response.header("x-outcome").as_deref(), response.header("x-there").as_deref()), (Some("set"), Some(there)), "{value} {span}");
    }
}
