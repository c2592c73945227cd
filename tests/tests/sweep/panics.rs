//! What `docs/panics.md` lists: each ends the VM, and a new one serves the next request.

use std::time::Duration;

use filters::{
    calls::AskFirst,
    grpcs::{Talk, Unary},
};
use inproxy::{__private::Registered, abi::Status};
use inproxy_test::{__private::Broken, GrpcCall, GrpcReply, Proxy, Request, Response, Value, json};

/// After so long a VM that died has a successor.
const BACKOFF: Duration = Duration::from_millis(2500);

fn around<F: Registered>(proxy: Proxy<F>) -> Proxy<F> {
    let service = |_: &GrpcCall| GrpcReply::message("hello").and_status(0, "");
    proxy.cluster("authority", |_| Response::new(200)).grpc("service", service)
}

/// Has the first call of a function answered with each of the statuses.
async fn expect_recovery<F: Registered>(proxy: &Proxy<F>, configuration: Value, call: &str, statuses: impl Iterator<Item = u32>) {
    let (host, name) = proxy.host();
    for status in statuses {
        let proxy = around(Proxy::<F>::on(host, name)).configure(configuration.clone()).refuse_nth(call, 1, Status::from_raw(status)).start().await;
        let response = proxy.open(&Request::get("/")).await.response_or_end().await;
        assert!(response.is_none_or(|response| matches!(response.status(), 503 | 504)), "{call} answers {status}");
        assert!(proxy.upstream().requests().is_empty(), "{call} answers {status}");
        proxy.expect_log("the filter panicked in ").await;
        proxy.advance(BACKOFF).await;
        assert_eq!(proxy.send(Request::get("/")).await.status(), 200, "{call} answers {status} no more");
    }
}

#[inproxy_test::test(only(wasm), because = "natively a panic ends the process, and the real Envoy answers with none of these")]
async fn a_call_out_that_is_answered_as_envoy_does_not_costs_one_vm(proxy: Proxy<AskFirst>) {
    let statuses = (1..=12).filter(|status| ![2, 10].contains(status));
    expect_recovery(&proxy, json!({ "authority": "authority" }), "proxy_http_call", statuses).await;
}

#[inproxy_test::test(only(wasm), because = "natively a panic ends the process, and the real Envoy answers with none of these")]
async fn a_grpc_call_that_is_answered_as_envoy_does_not_costs_one_vm(proxy: Proxy<Unary>) {
    let statuses = (1..=12).filter(|status| ![4, 10].contains(status));
    expect_recovery(&proxy, json!({ "service": "service" }), "proxy_grpc_call", statuses).await;
}

#[inproxy_test::test(only(wasm), because = "natively a panic ends the process, and the real Envoy answers with none of these")]
async fn a_grpc_stream_that_is_answered_as_envoy_does_not_costs_one_vm(proxy: Proxy<Talk>) {
    let statuses = (1..=12).filter(|status| ![4, 10].contains(status));
    expect_recovery(&proxy, json!({ "service": "service", "at_once": true }), "proxy_grpc_stream", statuses).await;
}

#[inproxy_test::test(only(wasm), because = "natively a panic ends the process, and the real Envoy refuses no context that there is")]
async fn an_answer_whose_context_is_refused_costs_one_vm(proxy: Proxy<AskFirst>) {
    expect_recovery(&proxy, json!({ "authority": "authority" }), "proxy_set_effective_context", 1..=12).await;
}

inproxy_tests::module_type!(
    /// An HTTP filter, as a network filter.
    HttpAsNetwork, "edit_headers", concat!(env!("CARGO_MANIFEST_DIR"), "/filters"), Network
);

#[inproxy_test::test(only(wasm), because = "natively a panic ends the process, and the real Envoy says it in another way")]
async fn an_http_filter_that_is_configured_as_a_network_filter_costs_one_vm_for_each_connection(proxy: Proxy<HttpAsNetwork>) {
    let proxy = proxy.configure(json!({})).start().await;
    for _ in 0..2 {
        let mut client = proxy.connect().await;
        client.send("hello").await;
        assert_eq!(client.read_to_end().await, b"");
        proxy.expect_log("the filter panicked in proxy_on_new_connection").await;
        proxy.advance(BACKOFF).await;
    }
    assert!(proxy.tcp_seen().iter().all(|seen| seen.bytes.is_empty()));
}

#[inproxy_test::test(only(wasm), because = "natively a panic ends the process, and the real Envoy makes each context before it calls it")]
async fn a_callback_of_an_unknown_context_costs_one_vm(proxy: Proxy<AskFirst>) {
    let configuration = json!({ "authority": "authority" });
    let proxy = around(proxy).configure(configuration).broken(Some(Broken::UnknownContexts)).start().await;
    assert_eq!(proxy.send(Request::get("/")).await.status(), 503);
    assert!(proxy.upstream().requests().is_empty());
    proxy.expect_log("the filter panicked in proxy_on_request_headers").await;
    proxy.advance(BACKOFF).await;
    assert_eq!(proxy.send(Request::get("/")).await.status(), 200);
}
