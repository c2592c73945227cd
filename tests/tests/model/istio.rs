//! Filter state of the type in which Istio's proxies keep their peers: [`CelState` with a `Struct`](https://github.com/istio/proxy/blob/master/source/extensions/filters/http/peer_metadata/filter.h). Istio's key is
//! `downstream_peer`; what a module declares has `wasm.` before it.

use filters::attributes::Peers;
use inproxy_test::{Proxy, Request, json};
use inproxy_tests::{Conversation, Probe};

const PEER: Conversation = Conversation::new(
    r#"
    configure: foreign declare_property \x0a\x0fdownstream_peer\x18\x03\x22\x2atype.googleapis.com/google.protobuf.Struct -> 0 ""
    request_headers: set_property downstream_peer \x0a\x12\x0a\x08workload\x12\x06\x1a\x04cart\x0a\x19\x0a\x06labels\x12\x0f\x2a\x0d\x0a\x0b\x0a\x04role\x12\x03\x1a\x01x -> 0
    request_headers: get_property downstream_peer -> 0 "\n\x12\n\x08workload\x12\x06\x1a\x04cart\n\x19\n\x06labels\x12\x0f*\r\n\x0b\n\x04role\x12\x03\x1a\x01x"
    request_headers: get_property filter_state\0wasm.downstream_peer\0workload -> 0 "cart"
    request_headers: get_property filter_state\0wasm.downstream_peer\0labels\0role -> 0 "x"
    request_headers: get_property filter_state\0wasm.downstream_peer\0namespace -> 1
    request_headers: get_property filter_state\0wasm.downstream_peer\0labels\0nothing -> 1
    request_headers: get_property_map filter_state\0wasm.downstream_peer\0labels -> 0 role=x
    request_headers: get_property filter_state\0downstream_peer\0workload -> 1
    response_headers: get_property filter_state\0wasm.downstream_peer\0workload -> 0 "cart"
    log: get_property filter_state\0wasm.downstream_peer\0workload -> 0 "cart"
"#,
);

#[inproxy_test::test(only(wasm, envoy), because = "the probe has no SDK, which the native host needs")]
async fn the_fields_of_a_peer_are_read_by_name(proxy: Proxy<Probe>) {
    let proxy = proxy.configure_text(&PEER.script()).then::<Peers>(json!({})).start().await;
    let response = proxy.send(Request::get("/")).await;
    PEER.expect(&proxy).await;
    response.expect_header("x-peer", "cart x missing");
    response.expect_header("x-istio", "missing missing");
}
