//! Properties, and Envoy's foreign functions.

use inproxy_test::{Request, Response, json};
use inproxy_tests::Probe;

use crate::case::{Step::*, cases};

cases! {
    properties_of_a_request: Probe,
        |proxy| proxy.configure_text(r"
            request_headers: get_property request\0path
            request_headers: get_property request\0url_path
            request_headers: get_property request\0host
            request_headers: get_property request\0scheme
            request_headers: get_property request\0method
            request_headers: get_property request\0protocol
            request_headers: get_property request\0query
            request_headers: get_property request\0headers\0x-two
            request_headers: get_property request\0headers\0x-none
            request_headers: get_property request\0referer
            request_headers: get_property request\0useragent
            request_headers: get_property request
            request_headers: get_property response\0code
            request_headers: get_property nothing
            request_headers: get_property -
            request_headers: get_property connection
            request_headers: get_property connection\0mtls
            request_headers: get_property plugin_name
            request_headers: get_property plugin_root_id
            request_headers: get_property plugin_vm_id
            request_headers: get_property node
            request_headers: get_property xds\0cluster_name
            request_headers: get_property filter_state
            log: get_property response\0code
            log: get_property response\0flags
            log: get_property request\0path
            log: get_property request\0size
            log: get_property response\0size
            log: get_property response\0grpc_status
            log: get_property xds\0cluster_name
        ").upstream(|_| Response::new(200).with_body("answer")),
        [Send(Request::post("/a/b?c=d").with_header("x-two", "1").with_header("x-two", "2").with_header("user-agent", "me").with_body("hello"))];

    properties_of_a_response: Probe,
        |proxy| proxy.configure_text(r"
            response_headers: get_property request\0path
            response_headers: get_property request\0method
            response_headers: get_property_map request\0headers
            response_headers: get_property response\0code
            response_headers: get_property response\0headers\0x-r
            response_headers: get_property response\0flags
            response_headers: get_property response\0code_details
        ").upstream(|_| Response::new(200).with_header("x-r", "1")),
        [Send(Request::get("/a"))];

    properties_of_a_plugin: Probe,
        |proxy| proxy.configure_text(r"
            configure: get_property plugin_root_id
            configure: get_property plugin_name
            configure: get_property request\0path
            configure: get_property -
            configure: set_property mine 1
        "),
        [Send(Request::get("/"))];

    properties_are_set: Probe,
        |proxy| proxy.configure_text(r"
            request_headers: set_property mine one
            request_headers: get_property mine
            request_headers: get_property filter_state\0wasm.mine
            request_headers: set_property mine\0more two
            request_headers: get_property mine\0more
            request_headers: set_property mine -
            request_headers: get_property mine
            request_headers: set_property request\0path /x
            request_headers: get_property request\0path
            response_headers: set_property late 1
            log: get_property mine
            log: get_property late
        "),
        [Send(Request::get("/"))];

    properties_of_the_route: Probe,
        |proxy| proxy.route("a-route", json!({ "ns": { "k": "v" } })).configure_text(r"
            request_headers: get_property xds\0route_name
            request_headers: get_property xds\0route_metadata\0filter_metadata\0ns\0k
            response_headers: get_property xds\0route_name
            log: get_property xds\0route_name
        "),
        [Send(Request::get("/"))];

    foreign_functions: Probe,
        |proxy| proxy.configure_text(r"
            request_headers: foreign nothing x
            request_headers: foreign clear_route_cache -
            request_headers: foreign compress hellohellohello
            request_headers: foreign uncompress $bytes
            request_headers: foreign uncompress x
        "),
        [Send(Request::get("/"))];

    expressions: Probe,
        |proxy| proxy.configure_text(r"
            request_headers: foreign expr_create request.path
            request_headers: foreign expr_evaluate $bytes
            request_headers: foreign expr_create request.method=='GET'
            request_headers: foreign expr_evaluate $bytes
            request_headers: foreign expr_create (
            request_headers: foreign expr_evaluate \x63\0\0\0
            request_headers: foreign expr_delete \x63\0\0\0
        "),
        [Send(Request::get("/a"))];

    a_property_is_declared: Probe,
        |proxy| proxy.configure_text(r"
            configure: foreign declare_property \x0a\x04mine\x10\x01
            configure: foreign declare_property \x0a\x04mine\x10\x01
            request_headers: set_property mine one
            request_headers: set_property mine two
            request_headers: get_property mine
        "),
        [Send(Request::get("/"))];

    filter_state_of_envoys_own: Probe,
        |proxy| proxy.configure_text(r"
            request_headers: foreign set_envoy_filter_state \x0a\x17envoy.tcp_proxy.cluster\x12\x01x
            request_headers: foreign set_envoy_filter_state \x0a\x04none\x12\x01x
        "),
        [Send(Request::get("/"))];
}
