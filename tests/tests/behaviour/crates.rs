//! Two filter crates in one binary are two filters.

use api_key::ApiKey;
use hello::Hello;
use inproxy_test::{Proxy, Request, Response, json};

#[inproxy_test::test]
async fn filters_of_two_crates_are_chained(proxy: Proxy<ApiKey>) {
    let consumers = json!({ "consumers": [{ "name": "alice", "key": "k" }] });
    let proxy = proxy.configure(consumers).then::<Hello>(json!({ "name": "x-hello", "value": "hi" })).start().await;
    let response = proxy.send(Request::get("/").with_header("x-api-key", "k")).await;
    response.expect_header("x-hello", "hi");
    proxy.upstream().request().expect_header("x-consumer", "alice");
    let refused = proxy.send(Request::get("/")).await;
    assert_eq!((refused.status(), refused.header("x-hello")), (401, None));
}

#[inproxy_test::test]
async fn an_answer_that_comes_after_the_stream_does_nothing(proxy: Proxy<ApiKey>) {
    let slow = |_: &Request| Response::new(200).with_header("x-consumer", "bob").after(std::time::Duration::from_millis(100));
    let proxy = proxy.configure(json!({ "authority": { "cluster": "authority", "timeout_ms": 1000 } })).cluster("authority", slow).start().await;
    let exchange = proxy.open(&Request::get("/").with_header("x-api-key", "unknown")).await;
    exchange.leave().await;
    proxy.advance(std::time::Duration::from_millis(200)).await;
    assert!(proxy.upstream().requests().is_empty());
    assert_eq!(proxy.counter("api_key.allowed").await, 0);
}
