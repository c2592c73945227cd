//! HTTP call-outs, and all that can come of them.

use std::time::Duration;

use inproxy_test::{Request, Response};
use inproxy_tests::Probe;

use crate::case::{Step::*, cases};

/// A call that a request waits for.
fn call(call: &str) -> String {
    format!(
        r"
        request_headers: http_call {call}
        request_headers: return 1
        http_call_response: get_header 6 :status
        http_call_response: get_buffer 4 0 30
        http_call_response: get_buffer_status 4
        http_call_response: get_header 7 x-t
        http_call_response: get_status
        http_call_response: set_context $stream
        http_call_response: get_header 6 :status
        http_call_response: continue_stream 0
        "
    )
}

const GET: &str = "side 200 - :method=GET :path=/ :authority=a";

cases! {
    a_call_is_answered: Probe,
        |proxy| proxy.configure_text(&call(GET)).cluster("side", |_| Response::new(201).with_body("answer")),
        [Send(Request::get("/"))];

    a_call_with_a_body_is_answered_with_trailers: Probe,
        |proxy| proxy.configure_text(&call("side 200 body :method=POST :path=/ :authority=a x-more=1")).cluster("side", |_| Response::new(201).with_body("answer").with_trailer("x-t", "1")),
        [Send(Request::get("/"))];

    a_call_without_content_is_answered: Probe,
        |proxy| proxy.configure_text(&call(GET)).cluster("side", |_| Response::new(204)),
        [Send(Request::get("/"))];

    a_call_without_a_timeout: Probe,
        |proxy| proxy.configure_text(&call("side 0 - :method=GET :path=/ host=a")).cluster("side", |_| Response::new(200).after(Duration::from_millis(30))),
        [Send(Request::get("/"))];

    a_call_is_refused: Probe,
        |proxy| proxy.cluster_refusing("side").configure_text(&call(GET)),
        [Send(Request::get("/"))];

    a_call_times_out: Probe,
        |proxy| proxy.configure_text(&call("side 50 - :method=GET :path=/ :authority=a")).cluster("side", |_| Response::new(200).after(Duration::from_millis(300))),
        [Send(Request::get("/"))];

    a_call_to_who_hangs_up: Probe,
        |proxy| proxy.configure_text(&call(GET)).cluster("side", |_| Response::hang_up()),
        [Send(Request::get("/"))];

    a_call_is_cut_off: Probe,
        |proxy| proxy.configure_text(&call(GET)).cluster("side", |_| Response::new(200).with_body("part").cut_off()),
        [Send(Request::get("/"))];

    a_call_to_no_endpoint: Probe,
        |proxy| proxy.cluster_without_endpoints("gone").configure_text("request_headers: http_call gone 100 - :method=GET :path=/ :authority=a"),
        [Send(Request::get("/"))];

    calls_that_are_none: Probe,
        |proxy| proxy.cluster("side", |_| Response::new(200)).configure_text(r"
            request_headers: http_call nowhere 100 - :method=GET :path=/ :authority=a
            request_headers: http_call side 100 - :method=GET :path=/
            request_headers: http_call side 100 - :method=GET :authority=a
            request_headers: http_call side 100 - :path=/ :authority=a
            request_headers: http_call side 2147483648 - :method=GET :path=/ :authority=a
        "),
        [Send(Request::get("/"))];

    a_call_with_an_invalid_value: Probe,
        |proxy| proxy.configure_text(&call("side 200 - :method=GET :path=/ :authority=a x=\\x0a")).cluster("side", |_| Response::new(200)),
        [Send(Request::get("/"))];

    a_call_when_a_stream_is_over: Probe,
        |proxy| proxy.configure_text("log: http_call side 200 - :method=GET :path=/ :authority=a\nhttp_call_response: get_header 6 :status").cluster("side", |_| Response::new(200)),
        [Send(Request::get("/")), Wait(50)];

    a_call_at_the_responses_body: Probe,
        |proxy| proxy.configure_text(r"
            response_body: http_call side 200 - :method=GET :path=/ :authority=a
            response_body: return 1
            http_call_response: set_context $stream
            http_call_response: get_buffer 1 0 99
            http_call_response: continue_stream 1
        ").cluster("side", |_| Response::new(200)).upstream(|_| Response::new(200).with_trailer("x-t", "1").with_body("answer")),
        [Open(Request::get("/")), Wait(100), Leave];

    a_call_when_it_is_configured: Probe,
        |proxy| proxy.configure_text("configure: http_call side 200 - :method=GET :path=/ :authority=a\nhttp_call_response: get_header 6 :status").cluster("side", |_| Response::new(200)),
        [Wait(100), Send(Request::get("/"))];

    a_call_from_a_tick: Probe,
        |proxy| proxy.configure_text("configure: set_tick_period 40\ntick: set_tick_period 0\ntick: http_call side 200 - :method=GET :path=/ :authority=a\nhttp_call_response: get_header 6 :status\nhttp_call_response: set_context $root\nhttp_call_response: get_status")
            .cluster("side", |_| Response::new(200)),
        [Wait(150), Send(Request::get("/"))];
}
