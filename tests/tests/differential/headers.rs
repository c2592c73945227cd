//! Headers: what can be read and changed in which callback.

use inproxy_test::{Request, Response};
use inproxy_tests::Probe;

use crate::case::{Step::*, cases};

cases! {
    a_request_passes: Probe, |proxy| proxy, [Send(Request::get("/"))];

    a_request_with_a_body_passes: Probe, |proxy| proxy, [Send(Request::post("/").with_body("hello"))];

    a_request_with_trailers_passes: Probe, |proxy| proxy, [Send(Request::post("/").with_body("hello").with_trailer("x-t", "1"))];

    a_response_with_a_body_passes: Probe, |proxy| proxy.upstream(|_| Response::new(200).with_body("hello")), [Send(Request::get("/"))];

    a_response_with_trailers_passes: Probe, |proxy| proxy.upstream(|_| Response::new(200).with_body("hello").with_trailer("x-t", "1")), [Send(Request::get("/"))];

    headers_are_read: Probe,
        |proxy| proxy.configure_text(r"
            request_headers: get_header 0 :path
            request_headers: get_header 0 host
            request_headers: get_header 0 x-none
            request_headers: get_header 0 x-empty
            request_headers: get_header 2 :status
            request_headers: get_map 0
            request_headers: get_map 2
            request_headers: get_map 8
            request_headers: get_map_size 0
            request_headers: get_map_size 2
            response_headers: get_header 2 :status
            response_headers: get_header 0 :path
            log: get_header 0 :path
            log: get_header 2 :status
        ").upstream(|_| Response::new(204)),
        [Send(Request::get("/a?b").with_header("x-empty", "").with_header("x-two", "1").with_header("x-two", "2"))];

    headers_are_changed: Probe,
        |proxy| proxy.configure_text(r"
            request_headers: add_header 0 x-added 1
            request_headers: replace_header 0 x-old 2
            request_headers: remove_header 0 x-gone
            request_headers: remove_header 0 x-none
            request_headers: get_map_size 0
            response_headers: add_header 2 x-added 1
            response_headers: replace_header 2 x-r 2
            response_headers: remove_header 2 x-r
            response_headers: add_header 0 x-late 1
            response_headers: replace_header 0 x-late 1
            response_headers: remove_header 0 x-late
            log: add_header 0 x-late 1
        "),
        [Send(Request::get("/").with_header("x-old", "1").with_header("x-gone", "1"))];

    a_map_is_replaced: Probe,
        |proxy| proxy.configure_text(r"
            request_headers: set_map 0 :method=GET :path=/other :authority=else :scheme=http x-forwarded-proto=http x-only=1
            request_headers: get_map 0
            response_headers: set_map 2 :status=201 x-only=1
            response_headers: set_map 1 x=1
        "),
        [Send(Request::get("/"))];

    without_the_protocol_there_is_no_route: Probe,
        |proxy| proxy.configure_text(r"
            request_headers: remove_header 0 x-forwarded-proto
            response_headers: get_property response\0code_details
            response_headers: get_map 2
        "),
        [Send(Request::get("/"))];

    without_a_scheme_there_is_a_route: Probe,
        |proxy| proxy.configure_text(r"
            request_headers: remove_header 0 :scheme
            response_headers: get_property response\0code_details
            response_headers: remove_header 2 x-envoy-upstream-service-time
            response_headers: get_map 2
        "),
        [Send(Request::get("/"))];

    a_malformed_map_wipes_it: Probe,
        |proxy| proxy.configure_text(r"
            request_headers: set_map_bytes 0 \x05
            request_headers: get_map 0
        "),
        [Send(Request::get("/"))];

    trailers_are_made_where_a_body_ends: Probe,
        |proxy| proxy.configure_text(r"
            request_headers: remove_header 0 content-length
            request_headers: add_header 1 x-early 1
            request_body: add_header 1 x-made 1
            response_headers: remove_header 2 content-length
            response_body: add_header 3 x-made 2
        ").upstream(|_| Response::new(200).with_body("b")),
        [Send(Request::post("/").with_body("hello"))];
}
