//! Headers that wait, in both header modes.

use inproxy_test::{Request, Response};
use inproxy_tests::Probe;

use crate::case::{Step::*, cases};

/// Holds the request's headers, and lets it go on when a call is answered.
const UNTIL_A_CALL: &str = r"
    request_headers: http_call side 1000 - :method=GET :path=/ :authority=a
    request_headers: return 1
    request_body: get_header 0 :path
    request_body: get_buffer 0 0 100
    request_trailers: get_header 0 :path
    request_trailers: get_buffer 0 0 100
    http_call_response: set_context $stream
    http_call_response: get_header 0 :path
    http_call_response: add_header 0 x-late 1
    http_call_response: continue_stream 0
";

/// Holds the response's headers likewise.
const UNTIL_A_CALL_OF_THE_RESPONSE: &str = r"
    response_headers: http_call side 1000 - :method=GET :path=/ :authority=a
    response_headers: return 1
    response_body: get_header 2 :status
    response_body: get_buffer 1 0 100
    http_call_response: set_context $stream
    http_call_response: get_header 2 :status
    http_call_response: continue_stream 1
";

fn late() -> Response {
    Response::new(200).after(std::time::Duration::from_millis(60))
}

cases! {
    headers_wait: Probe,
        |proxy| proxy.cluster("side", |_| late()).configure_text(UNTIL_A_CALL),
        [Send(Request::get("/"))];

    headers_and_body_wait: Probe,
        |proxy| proxy.cluster("side", |_| late()).configure_text(UNTIL_A_CALL),
        [Open(Request::post("/").with_body("hello")), Body(b"hello".to_vec()), End, Response];

    headers_body_and_trailers_wait: Probe,
        |proxy| proxy.cluster("side", |_| late()).configure_text(UNTIL_A_CALL),
        [Open(Request::post("/").with_body("hello").with_trailer("x-t", "1")), Body(b"hello".to_vec()), Trailers(&[("x-t", "1")]), Response];

    headers_wait_and_parts_come_before_and_after: Probe,
        |proxy| proxy.cluster("side", |_| late()).configure_text(UNTIL_A_CALL),
        [Open(Request::post("/").with_body("onetwo")), Body(b"one".to_vec()), Wait(120), Body(b"two".to_vec()), End, Response];

    held_headers_wait: Probe,
        |proxy| proxy.hold_headers().cluster("side", |_| late()).configure_text(UNTIL_A_CALL),
        [Send(Request::get("/"))];

    held_headers_are_let_go_by_the_body: Probe,
        |proxy| proxy.hold_headers().configure_text("request_headers: return 1\nrequest_body: get_header 0 :path\nrequest_body: add_header 0 x-late 1\nrequest_body: get_buffer 0 0 100"),
        [Open(Request::post("/").with_body("hello")), Body(b"hello".to_vec()), End, Response];

    held_headers_and_a_held_body: Probe,
        |proxy| proxy.hold_headers().cluster("side", |_| late()).configure_text(&format!("{UNTIL_A_CALL}\nrequest_body: return 1\nrequest_trailers: return 1")),
        [Open(Request::post("/").with_body("hello")), Body(b"hello".to_vec()), End, Response];

    held_headers_body_and_trailers: Probe,
        |proxy| proxy.hold_headers().cluster("side", |_| late()).configure_text(&format!("{UNTIL_A_CALL}\nrequest_body: return 1\nrequest_trailers: return 1")),
        [Open(Request::post("/").with_body("hello").with_trailer("x-t", "1")), Body(b"hello".to_vec()), Trailers(&[("x-t", "1")]), Response];

    held_headers_are_let_go_by_the_trailers: Probe,
        |proxy| proxy.hold_headers().configure_text("request_headers: return 1\nrequest_body: return 1\nrequest_trailers: get_header 0 :path\nrequest_trailers: get_buffer 0 0 100"),
        [Open(Request::post("/").with_body("hello").with_trailer("x-t", "1")), Body(b"hello".to_vec()), Trailers(&[("x-t", "1")]), Response];

    response_headers_wait: Probe,
        |proxy| proxy.cluster("side", |_| late()).configure_text(UNTIL_A_CALL_OF_THE_RESPONSE).upstream(|_| Response::new(200).with_body("answer")),
        [Send(Request::get("/"))];

    held_response_headers_wait: Probe,
        |proxy| proxy.hold_headers().cluster("side", |_| late()).configure_text(UNTIL_A_CALL_OF_THE_RESPONSE),
        [Send(Request::get("/"))];

    held_response_headers_and_a_held_body: Probe,
        |proxy| proxy.hold_headers().cluster("side", |_| late()).configure_text(&format!("{UNTIL_A_CALL_OF_THE_RESPONSE}\nresponse_body: return 1")).upstream(|_| Response::new(200).with_body("answer")),
        [Send(Request::get("/"))];

    held_response_headers_are_let_go_by_the_body: Probe,
        |proxy| proxy.hold_headers().configure_text("response_headers: return 1\nresponse_body: get_header 2 :status\nresponse_body: replace_header 2 x-late 1").upstream(|_| Response::new(200).with_body("answer")),
        [Send(Request::get("/"))];

    the_client_leaves_while_headers_wait: Probe,
        |proxy| proxy.configure_text("request_headers: return 1\nlog: get_header 0 :path\nlog: get_property response\\0code_details"),
        [Open(Request::get("/")), Leave, Wait(30)];

    a_call_is_answered_after_the_client_has_left: Probe,
        |proxy| proxy.cluster("side", |_| late()).configure_text(UNTIL_A_CALL),
        [Open(Request::get("/")), Leave, Wait(150)];

    other_ways_to_stop: Probe,
        |proxy| proxy.configure_text("request_headers: return 2\nrequest_body: return 0\nresponse_headers: return 2"),
        [Send(Request::post("/").with_body("hello"))];

    a_request_that_waits_too_long: Probe,
        |proxy| proxy.request_timeout(std::time::Duration::from_millis(100)).configure_text("request_headers: return 1\nresponse_headers: get_map 2\nresponse_body: get_buffer 1 0 100\nlog: get_property response\\0code_details"),
        [Send(Request::get("/"))];
}
