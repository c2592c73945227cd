//! Streams that are steered, break off, or of which somebody leaves.

use inproxy_test::{Request, Response};
use inproxy_tests::Probe;

use crate::case::{Step::*, cases};

const LOGGED: &str = r"
    log: get_property response\0code_details
    log: get_header 2 :status
    done: get_header 0 :path
    delete: get_header 0 :path
";

cases! {
    a_request_is_closed: Probe,
        |proxy| proxy.configure_text(&format!("request_headers: close_stream 0\nrequest_headers: return 1{LOGGED}")),
        [Open(Request::get("/")), Over];

    a_response_is_closed: Probe,
        |proxy| proxy.configure_text(&format!("response_headers: close_stream 1\nresponse_headers: return 1{LOGGED}")),
        [Open(Request::get("/")), Over];

    streams_that_are_none: Probe,
        |proxy| proxy.configure_text(r"
            request_headers: continue_stream 3
            request_headers: continue_stream 4
            request_headers: close_stream 4
            request_headers: set_context 999
            request_headers: set_context 0
            request_headers: get_header 0 :path
            request_headers: set_context $root
            request_headers: get_header 0 :path
            request_headers: set_context $stream
            request_headers: get_header 0 :path
            request_headers: done
        "),
        [Send(Request::get("/"))];

    the_client_leaves_before_the_response: Probe,
        |proxy| proxy.configure_text(LOGGED).upstream(|_| Response::new(200).after(std::time::Duration::from_millis(100))),
        [Open(Request::get("/")), Wait(20), Leave, Wait(150)];

    the_client_leaves_in_its_body: Probe,
        |proxy| proxy.configure_text(LOGGED),
        [Open(Request::post("/").with_body("hello")), Body(b"he".to_vec()), Leave, Wait(30)];

    the_client_leaves_in_the_responses_body: Probe,
        |proxy| proxy.configure_text(LOGGED).upstream(|_| Response::new(200).with_body("one").and_later(std::time::Duration::from_millis(150), "two")),
        [Open(Request::get("/")), Wait(50), Leave, Wait(150)];

    the_upstream_breaks_off: Probe,
        |proxy| proxy.configure_text(LOGGED).upstream(|_| Response::new(200).with_body("part").cut_off()),
        [Open(Request::get("/")), Over];

    the_upstream_answers_before_the_request_has_ended: Probe,
        |proxy| proxy.configure_text(LOGGED),
        [Open(Request::post("/").with_body("hello")), Body(b"hello".to_vec()), End, Response, Send(Request::get("/again"))];

    several_requests_one_after_the_other: Probe,
        |proxy| proxy.configure_text(LOGGED),
        [Send(Request::get("/1")), Send(Request::post("/2").with_body("hello")), Send(Request::get("/3"))];

    a_stream_waits_for_a_tick: Probe,
        |proxy| proxy.configure_text(r"
            request_headers: set_tick_period 40
            request_headers: return 1
            tick: set_tick_period 0
            tick: set_context $stream
            tick: continue_stream 0
        "),
        [Send(Request::get("/"))];

    two_filters_see_a_stream: Probe,
        |proxy| proxy.then::<Probe>(inproxy_test::json!(null)),
        [Send(Request::post("/").with_body("hello"))];

    the_first_filter_answers_the_second_does_not_see_it: Probe,
        |proxy| proxy.then::<Probe>(inproxy_test::json!(null)).configure_text("request_headers: reply 403 - - -1"),
        [Send(Request::get("/"))];
}
