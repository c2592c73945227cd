//! Attributes: which there are in which phase, and their bytes.

use inproxy_test::{Proxy, Request, Response, json};
use inproxy_tests::{Conversation, Probe};

const ATTRIBUTES: Conversation = Conversation::new(
    r#"
    configure: get_property plugin_name -> 0 "probe"
    configure: get_property request\0path -> 1
    configure: get_property xds\0node\0id -> 0 "inproxy"
    configure: get_property xds\0route_name -> 1
    configure: set_property own x -> 1
    request_headers: get_property request\0path -> 0 "/a/b?c=d"
    request_headers: get_property request\0url_path -> 0 "/a/b"
    request_headers: get_property request\0query -> 0 "c=d"
    request_headers: get_property request\0headers\0x-a -> 0 "1,2"
    request_headers: get_property request\0protocol -> 0 "HTTP/1.1"
    request_headers: get_property request\0size -> 0 "\x05\x00\x00\x00\x00\x00\x00\x00"
    request_headers: get_property request\0total_size -> 0 "\x8d\x00\x00\x00\x00\x00\x00\x00"
    request_headers: get_property request\0duration -> 1
    request_headers: get_property request -> 3
    request_headers: get_property response\0code -> 1
    request_headers: get_property_map response\0headers -> 0
    request_headers: get_property nothing -> 1
    request_headers: get_property - -> 3
    request_headers: get_property upstream\0address -> 1
    request_headers: get_property xds\0node\0metadata\0name -> 0 "n"
    request_headers: get_property xds\0node\0metadata\0number -> 0 "\x00\x00\x00\x00\x00\x00\x08@"
    request_headers: get_property_map xds\0node\0metadata\0list -> 0 a= \x00\x00\x00\x00\x00\x00\xf0?=
    request_headers: get_property_map xds\0node\0metadata\0map -> 0 k=v
    request_headers: get_property xds\0node\0metadata\0truth -> 0 "\x01"
    request_headers: get_property xds\0node\0metadata\0null -> 3
    request_headers: get_property xds\0node\0id -> 0 "inproxy"
    request_headers: get_property xds\0route_name -> 0 "the-route"
    request_headers: get_property xds\0route_metadata\0filter_metadata\0ns\0k -> 0 "v"
    request_headers: get_property xds\0cluster_name -> 0 "upstream"
    request_headers: get_property xds\0cluster_metadata\0filter_metadata\0ns\0k -> 0 "c"
    request_headers: get_property xds\0listener_direction -> 0 "\x00\x00\x00\x00\x00\x00\x00\x00"
    request_headers: get_property xds\0virtual_host_name -> 0 "all"
    request_headers: get_property plugin_name -> 0 "probe"
    request_headers: get_property plugin_root_id -> 0 "probe"
    request_headers: get_property plugin_vm_id -> 0 ""
    request_headers: get_property route_name -> 1
    request_headers: get_property connection\0mtls -> 0 "\x00"
    request_headers: get_property metadata\0filter_metadata\0x -> 1
    request_headers: set_property own value -> 0
    request_headers: get_property own -> 0 "value"
    request_headers: get_property filter_state\0wasm.own -> 0 "value"
    request_headers: set_property a\0b value -> 0
    request_headers: get_property a\0b -> 1
    request_headers: set_property request x -> 0
    request_headers: get_property request\0method -> 0 "POST"
    request_body: get_property request\0path -> 1
    request_body: get_property request\0size -> 0 "\x05\x00\x00\x00\x00\x00\x00\x00"
    request_body: get_property_map request\0headers -> 0
    request_body: get_property request\0path -> 1
    request_body: get_property request\0size -> 0 "\x05\x00\x00\x00\x00\x00\x00\x00"
    request_body: get_property_map request\0headers -> 0
    response_headers: get_property request\0path -> 1
    response_headers: get_property request\0protocol -> 0 "HTTP/1.1"
    response_headers: get_property_map request\0headers -> 0
    response_headers: get_property response\0code -> 0 "\xc9\x00\x00\x00\x00\x00\x00\x00"
    response_headers: get_property response\0code_details -> 0 "via_upstream"
    response_headers: get_property response\0headers\0x-r -> 0 "1"
    response_headers: get_property response\0flags -> 0 "\x00\x00\x00\x00\x00\x00\x00\x00"
    response_headers: get_property response\0grpc_status -> 0 "\x02\x00\x00\x00\x00\x00\x00\x00"
    response_headers: get_property upstream\0request_attempt_count -> 0 "\x01\x00\x00\x00\x00\x00\x00\x00"
    response_headers: get_property own -> 0 "value"
    log: get_property request\0path -> 0 "/a/b?c=d"
    log: get_property response\0code -> 0 "\xc9\x00\x00\x00\x00\x00\x00\x00"
    log: get_property response\0code_details -> 0 "via_upstream"
    log: get_property response\0size -> 0 "\x03\x00\x00\x00\x00\x00\x00\x00"
    log: get_property request\0size -> 0 "\x05\x00\x00\x00\x00\x00\x00\x00"
"#,
);

#[inproxy_test::test(only(wasm, envoy), because = "the probe has no SDK, which the native host needs")]
async fn attributes_are_those_of_envoy_in_each_phase(proxy: Proxy<Probe>) {
    let node = json!({ "name": "n", "number": 3, "list": ["a", 1], "map": { "k": "v" }, "truth": true, "null": null });
    let proxy = proxy.configure_text(&ATTRIBUTES.script()).node_metadata(node).route("the-route", json!({ "ns": { "k": "v" } }));
    let proxy = proxy.cluster_metadata(json!({ "ns": { "k": "c" } })).upstream(|_| Response::new(201).with_header("x-r", "1").with_body("abc"));
    let proxy = proxy.start().await;
    proxy.send(Request::post("/a/b?c=d").with_header("x-a", "1").with_header("x-a", "2").with_body("hello")).await;
    ATTRIBUTES.expect(&proxy).await;
}
