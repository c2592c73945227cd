use inproxy_envoy::{Delivery, Module, StartError};
use inproxy_tests::{Connection, Proxy, Server, module, throw_away};
use serde_json::json;

use crate::get;

async fn refused(root_id: &str, configuration: &str, hold_headers: bool) -> String {
    let envoy = throw_away().await;
    let upstream = Server::saying("hello").await;
    let proxy = Proxy::before(&upstream).filter_of(module("tests/filters"), root_id, configuration).hold_headers(hold_headers);
    let opened = proxy.open_in(&envoy).await;
    assert!(matches!(opened, Err(StartError::Refused { .. })), "{opened:?}");
    envoy.log()
}

#[tokio::test]
async fn a_fault_is_named_by_its_path() {
    let log = refused("edit_headers", r#"{"read":["x-a","x b"]}"#, false).await;
    assert!(
        log.contains(r#"the configuration of the filter filters::headers::EditHeaders was refused: read[1]: "x b" is not a header name"#),
        "{log}"
    );
    let log = refused("ask_first", r#"{"authority":""}"#, false).await;
    assert!(log.contains("authority: the name of a cluster must not be empty"), "{log}");
    let log = refused("ask_first", r#"{"authority":"a","timeout":1}"#, false).await;
    assert!(log.contains("timeout: unknown field `timeout`, expected one of `authority`, `timeout_ms`, `max_body`, `then`"), "{log}");
    let log = refused("ask_first", "{nonsense", false).await;
    assert!(log.contains("key must be a string at line 1 column 2"), "{log}");
}

#[tokio::test]
async fn an_unknown_root_id_is_told_with_those_that_there_are() {
    let log = refused("nobody", "{}", false).await;
    assert!(log.contains(r#"no filter of this module has the root id "nobody"; there is "#), "{log}");
    assert!(log.contains(r#""edit_headers" (filters::headers::EditHeaders)"#), "{log}");
}

#[tokio::test]
async fn an_update_that_is_refused_leaves_the_old_configuration_at_work() {
    let envoy = throw_away().await;
    let upstream = Server::saying("hello").await;
    let mut delivery = Delivery::new("delivered", envoy.dir());
    let hello = |configuration: serde_json::Value| Module { configuration: Some(configuration.to_string()), ..Module::new(module("examples/hello")) };
    delivery.deliver(&hello(json!({ "name": "x-hello", "value": "one" }))).unwrap();
    let address = Proxy::before(&upstream).with(|listener| listener.filters.push(delivery.source())).open_in(&envoy).await.unwrap();
    let said = async || Connection::exchange(address, get("/", "")).await.header("x-hello");
    assert_eq!(said().await.as_deref(), Some("one"));

    delivery.deliver(&hello(json!({ "name": "x-hello", "value": "two\n" }))).unwrap();
    assert!(envoy.logs("value: a header value must not contain a line feed (at byte 3)").await, "{}", envoy.log());
    assert_eq!(said().await.as_deref(), Some("one"));

    delivery.deliver(&hello(json!({ "name": "x-hello", "value": "three" }))).unwrap();
    for _ in 0..500 {
        if said().await.as_deref() == Some("three") {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("a good update after a refused one is not taken:\n{}", envoy.log());
}

#[tokio::test]
async fn a_doubled_root_id_is_refused_by_the_build_and_by_the_proxy_with_both_names() {
    let Err(cargo_inproxy::Error::Module { path, reason }) = cargo_inproxy::build("../tests/doubled".as_ref()) else { panic!("it was built") };
    assert!(reason.contains(r#"two filters have the root id "auth": doubled::Auth and doubled::Authentication"#), "{reason}");

    let envoy = throw_away().await;
    let upstream = Server::saying("hello").await;
    let opened = Proxy::before(&upstream).filter_of(path, "auth", "{}").open_in(&envoy).await;
    assert!(matches!(opened, Err(StartError::Refused { .. })), "{opened:?}");
    let log = envoy.log();
    assert!(log.contains(r#"have the root id "auth": doubled::Auth"#), "{log}");
    assert!(log.contains("doubled::Authentication;") || log.contains("doubled::Authentication and"), "{log}");
}

#[tokio::test]
async fn a_filter_of_a_crate_that_renamed_the_sdk_is_chosen_among_two() {
    let upstream = Server::saying("hello").await;
    let renamed = cargo_inproxy::build("../tests/renamed".as_ref()).unwrap();
    let root_ids: Vec<_> = renamed.inspected.filters.iter().map(|filter| &*filter.root_id).collect();
    assert_eq!(root_ids, ["plain", "tagged"]);
    for (root_id, configuration, name, values) in
        [("plain", "", "x-plain", &[&b"1"[..]][..]), ("tagged", r#"{"kind":{"Long":{"times":2}}}"#, "x-tag", &[b"tag", b"tag"])]
    {
        let address = Proxy::before(&upstream).filter_of(renamed.path.clone(), root_id, configuration).open().await;
        assert_eq!(Connection::exchange(address, get("/", "")).await.all(name), values);
    }
}
