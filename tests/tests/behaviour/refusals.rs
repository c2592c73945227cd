//! A host that refuses: what becomes of a request then is the filter's policy, never a hang, never a panic, and never half an edit that goes on.

use std::collections::BTreeMap;

use filters::{
    errors::{FailAllow, FailDeny},
    headers::EditHeaders,
};
use inproxy::abi::Status;
use inproxy_test::{HostKind, Proxy, Request, json};

/// The statuses of the ABI, and two that it does not have.
fn statuses() -> impl Iterator<Item = Status> {
    (1..=12).chain([13, u32::MAX]).map(Status::from_raw)
}

// ANCHOR: refuse
#[inproxy_test::test(only(native, wasm), because = "the real Envoy does not refuse calls on demand")]
async fn an_edit_that_is_refused_ends_the_request_by_the_policy(proxy: Proxy<EditHeaders>) {
    let (host, name) = proxy.host();
    for call in ["proxy_replace_header_map_value", "proxy_add_header_map_value", "proxy_remove_header_map_value"] {
        for status in statuses() {
            let edits = json!({ "remove": ["x-a"], "insert": [["x-b", b"1"]], "append": [["x-c", b"1"]] });
            let proxy = Proxy::<EditHeaders>::on(host, name).configure(edits).refuse_nth(call, 1, status).start().await;
            assert_eq!(proxy.send(Request::get("/")).await.status(), 500, "{call} answers {status}");
            assert!(proxy.upstream().requests().is_empty(), "{call} answers {status}");
            assert_eq!(proxy.send(Request::get("/")).await.status(), 200, "{call} answers {status} no more");
        }
    }
}
// ANCHOR_END: refuse

#[inproxy_test::test(only(native, wasm), because = "the real Envoy does not refuse calls on demand")]
async fn a_reply_that_is_refused_resets_the_stream(proxy: Proxy<FailDeny>) {
    let (host, name) = proxy.host();
    for status in statuses() {
        let proxy = Proxy::<FailDeny>::on(host, name).configure(json!({ "at": "Request" })).refuse("proxy_send_local_response", status).start().await;
        let response = proxy.send(Request::get("/")).await;
        assert!(!response.is_whole(), "{status}: {response:?}");
        assert!(proxy.upstream().requests().is_empty());
    }
}

#[inproxy_test::test(only(native, wasm), because = "the real Envoy does not refuse calls on demand")]
async fn a_body_that_cannot_be_read_is_an_error(proxy: Proxy<FailAllow>) {
    let (host, name) = proxy.host();
    for status in statuses() {
        let proxy = Proxy::<filters::bodies::Rewrite>::on(host, name).configure(json!({ "prefix": "x" }));
        // The first is the configuration.
        let proxy = proxy.refuse_nth("proxy_get_buffer_bytes", 2, status).start().await;
        assert_eq!(proxy.send(Request::post("/").with_body("body")).await.status(), 500, "{status}");
        assert!(proxy.upstream().requests().is_empty());
    }
}

#[inproxy_test::test(only(native, wasm), because = "the real Envoy does not refuse calls on demand")]
async fn a_configuration_that_cannot_be_read_is_refused(proxy: Proxy<FailAllow>) {
    let (host, name) = proxy.host();
    for status in statuses() {
        let proxy = Proxy::<FailAllow>::on(host, name).configure(json!({ "at": "Request" })).refuse("proxy_get_buffer_bytes", status);
        proxy.refused().await.expect_log("read the configuration: the proxy answered");
    }
}

#[inproxy_test::test(only(native, wasm), because = "the real Envoy does not refuse calls on demand")]
async fn a_header_that_cannot_be_read_is_not_there(proxy: Proxy<api_key::ApiKey>) {
    let (host, name) = proxy.host();
    for status in statuses() {
        let proxy = Proxy::<api_key::ApiKey>::on(host, name).configure(json!({ "consumers": [{ "name": "alice", "key": "k" }] }));
        let proxy = proxy.refuse("proxy_get_header_map_value", status).start().await;
        assert_eq!(proxy.send(Request::get("/").with_header("x-api-key", "k")).await.status(), 401, "{status}");
        assert!(proxy.upstream().requests().is_empty());
    }
}

// ANCHOR: cost
#[inproxy_test::test(only(native, wasm), because = "the real Envoy does not count calls")]
async fn what_a_request_costs_in_calls_is_known(proxy: Proxy<EditHeaders>) {
    let proxy_is_native = proxy.host().0 == HostKind::Native;
    let proxy = proxy.configure(json!({ "insert": [["x-a", b"1"]] })).start().await;
    proxy.send(Request::get("/")).await;
    let before = proxy.costs().unwrap();
    proxy.send(Request::get("/")).await;
    let cost = proxy.costs().unwrap().since(&before);
    // Created, request headers, response headers, log, done, delete. A built module does not have what it does not need: it has no `done`.
    assert_eq!(cost.vm_entries, if proxy_is_native { 6 } else { 5 });
    // One edit and the count of the request's headers; one edit of the response.
    assert_eq!(cost.host_calls, BTreeMap::from([("proxy_get_header_map_pairs", 1), ("proxy_replace_header_map_value", 2)]));
}
// ANCHOR_END: cost

#[inproxy_test::test(only(wasm), because = "only the engine counts instructions")]
async fn what_a_request_costs_in_instructions_is_the_same_every_time(proxy: Proxy<EditHeaders>) {
    let proxy = proxy.configure(json!({ "insert": [["x-a", b"1"]] })).start().await;
    let mut costs = Vec::new();
    for _ in 0..6 {
        let before = proxy.costs().unwrap();
        proxy.send(Request::get("/")).await;
        costs.push(proxy.costs().unwrap().since(&before).fuel);
    }
    // The first requests fill tables that the later ones find.
    assert!(costs[3] > 0 && costs[3] == costs[4] && costs[4] == costs[5], "{costs:?}");
}

#[inproxy_test::test(only(wasm), because = "only a module has memory of its own")]
async fn memory_does_not_grow_with_the_number_of_requests(proxy: Proxy<EditHeaders>) {
    let proxy = proxy.configure(json!({ "insert": [["x-a", b"1"]] })).start().await;
    for _ in 0..50 {
        proxy.send(Request::get("/")).await;
    }
    let before = proxy.costs().unwrap();
    for _ in 0..500 {
        proxy.send(Request::get("/")).await;
    }
    let after = proxy.costs().unwrap();
    assert!(before.memory > 0);
    assert_eq!(after.since(&before).memory, 0);
}

#[inproxy_test::test(only(native), because = "allocations are counted natively")]
async fn what_a_request_costs_in_allocations_is_the_same_every_time(proxy: Proxy<EditHeaders>) {
    let proxy = proxy.configure(json!({ "insert": [["x-a", b"1"]] })).start().await;
    let mut costs = Vec::new();
    for _ in 0..6 {
        let before = proxy.costs().unwrap();
        proxy.send(Request::get("/")).await;
        costs.push(proxy.costs().unwrap().since(&before).allocations);
    }
    assert!(costs[3] > 0 && costs[3] == costs[4] && costs[4] == costs[5], "{costs:?}");
}

// ANCHOR: random
#[inproxy_test::test(only(native, wasm), because = "the real Envoy does not refuse calls on demand")]
async fn whatever_is_refused_a_request_is_answered_and_no_filter_dies(proxy: Proxy<EditHeaders>) {
    let (host, name) = proxy.host();
    for seed in 0..50 {
        let proxy = Proxy::<EditHeaders>::on(host, name).configure(json!({ "insert": [["x-a", b"1"]] })).refuse_at_random(seed, 5);
        // The configuration is read by host calls too.
        let Ok(proxy) = proxy.try_start().await else { continue };
        for _ in 0..20 {
            let response = proxy.send(Request::get("/")).await;
            // Where neither an answer nor a reset was taken, Envoy's own timeout ends the request.
            assert!(matches!(response.status(), 200 | 408 | 500 | 504) || !response.is_whole(), "seed {seed}: {response:?}");
        }
        assert!(!proxy.log().iter().any(|line| line.text.contains("panicked")), "seed {seed}");
    }
}
// ANCHOR_END: random
