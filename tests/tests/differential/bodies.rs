//! Bodies: in parts, empty, large, held, changed, and over the buffer's limit.

use inproxy_test::{Request, Response};
use inproxy_tests::Probe;

use crate::case::{Step::*, cases};

/// What the probe reads of both bodies.
const READ: &str = r"
    request_body: get_buffer 0 0 100
    request_body: get_buffer_status 0
    request_body: get_buffer 1 0 100
    request_body: get_header 0 :path
    response_body: get_buffer 1 0 100
    response_body: get_buffer_status 1
    response_body: get_buffer 0 0 100
    response_body: get_header 2 :status
";

cases! {
    bodies_are_read: Probe,
        |proxy| proxy.configure_text(READ).upstream(|_| Response::new(200).with_body("answer")),
        [Send(Request::post("/").with_body("hello"))];

    a_body_comes_in_parts: Probe,
        |proxy| proxy.configure_text(READ),
        [Open(Request::post("/").with_body("onetwo")), Body(b"one".to_vec()), Body(b"two".to_vec()), End, Response];

    an_empty_body_ends_with_the_headers: Probe,
        |proxy| proxy.configure_text(READ),
        [Send(Request::post("/").with_header("content-length", "0"))];

    a_request_without_a_body_but_with_trailers: Probe,
        |proxy| proxy.configure_text(READ),
        [Open(Request::post("/").with_trailer("x-t", "1")), Trailers(&[("x-t", "1")]), Response];

    a_held_body_is_seen_whole: Probe,
        |proxy| proxy.configure_text(&format!("{READ}\nrequest_body: return 1")),
        [Open(Request::post("/").with_body("onetwo")), Body(b"one".to_vec()), Body(b"two".to_vec()), End, Wait(30), Leave];

    a_held_body_goes_on_with_trailers: Probe,
        |proxy| proxy.configure_text(&format!("{READ}\nrequest_body: return 1\nrequest_trailers: get_buffer 0 0 100\nrequest_trailers: set_buffer 0 0 100 changed\nrequest_trailers: get_map 1")),
        [Open(Request::post("/").with_body("onetwo").with_trailer("x-t", "1")), Body(b"one".to_vec()), Body(b"two".to_vec()), Trailers(&[("x-t", "1")]), Response];

    a_held_response_body_goes_on_with_trailers: Probe,
        |proxy| proxy.configure_text(&format!("{READ}\nresponse_body: return 1\nresponse_trailers: get_buffer 1 0 100\nresponse_trailers: get_map 3\nresponse_trailers: add_header 3 x-more 2"))
            .upstream(|_| Response::new(200).with_body("answer").with_trailer("x-t", "1")),
        [Send(Request::get("/"))];

    bodies_are_changed: Probe,
        |proxy| proxy.configure_text(r"
            request_headers: remove_header 0 content-length
            request_body: set_buffer 0 0 0 before
            request_body: set_buffer 0 999 0 behind
            request_body: set_buffer 0 2 1 middle
            request_body: set_buffer 0 0 6 -
            request_body: set_buffer 0 0 3 XYZ
            request_body: get_buffer 0 0 100
            request_body: set_buffer 1 0 1 x
            request_body: set_buffer 4 0 1 x
            request_body: set_buffer 6 0 1 x
            request_body: set_buffer 7 0 1 x
            request_body: set_buffer 9 0 1 x
            response_headers: remove_header 2 content-length
            response_body: set_buffer 1 0 100 changed
            response_body: get_buffer 1 0 100
        ").upstream(|_| Response::new(200).with_body("answer")),
        [Send(Request::post("/").with_body("hello"))];

    buffers_have_bounds: Probe,
        |proxy| proxy.configure_text(r"
            request_body: get_buffer 0 1 2
            request_body: get_buffer 0 5 1
            request_body: get_buffer 0 99 1
            request_body: get_buffer 0 1 4294967295
            request_body: get_buffer 0 4294967295 4294967295
            request_body: get_buffer 2 0 9
            request_body: get_buffer 3 0 9
            request_body: get_buffer 4 0 9
            request_body: get_buffer 5 0 9
            request_body: get_buffer 6 0 9
            request_body: get_buffer 7 0 9
            request_body: get_buffer 9 0 9
            request_body: get_buffer_status 0
            request_body: get_buffer_status 4
            request_body: get_buffer_status 9
        "),
        [Send(Request::post("/").with_body("hello"))];

    a_response_body_comes_in_parts: Probe,
        |proxy| proxy.configure_text(READ).upstream(|_| Response::new(200).with_body("one").and_later(std::time::Duration::from_millis(50), "two")),
        [Send(Request::get("/"))];

    a_held_response_body_is_seen_whole: Probe,
        |proxy| proxy.configure_text(&format!("{READ}\nresponse_body: return 1\nresponse_body: get_buffer_status 1\nlog: get_buffer 1 0 100"))
            .upstream(|_| Response::new(200).with_body("one").and_later(std::time::Duration::from_millis(50), "two")),
        [Open(Request::get("/")), Wait(120), Leave];

    a_body_that_is_held_over_the_limit_is_too_large: Probe,
        |proxy| proxy.buffer_limit(1024).configure_text("request_body: return 1\nresponse_headers: get_map 2\nresponse_body: get_buffer 1 0 100"),
        [Open(Request::post("/").with_body(vec![b'x'; 2000])), Body(vec![b'x'; 2000]), End, Response];

    a_response_that_is_held_over_the_limit_is_cut_off: Probe,
        |proxy| proxy.buffer_limit(1024).configure_text("response_body: return 1").upstream(|_| Response::new(200).with_body(vec![b'x'; 2000])),
        [Open(Request::get("/")), Over];

    a_body_over_the_limit_that_is_not_held_passes: Probe,
        |proxy| proxy.buffer_limit(4096).configure_text("request_body: get_buffer_status 0"),
        [Open(Request::post("/").with_body(vec![b'x'; 4000])), Body(vec![b'x'; 2000]), Body(vec![b'x'; 2000]), End, Response];

    a_body_is_made_larger_than_the_limit: Probe,
        |proxy| proxy.buffer_limit(8).configure_text("request_headers: remove_header 0 content-length\nrequest_body: set_buffer 0 0 0 morethaneightbytes\nrequest_body: get_buffer_status 0"),
        [Send(Request::post("/").with_body("hello"))];

    a_body_waits_until_a_call_is_answered: Probe,
        |proxy| proxy.cluster("side", |_| Response::new(200).after(std::time::Duration::from_millis(60))).configure_text(r"
            request_headers: remove_header 0 content-length
            request_headers: http_call side 1000 - :method=GET :path=/ :authority=a
            request_body: return 1
            http_call_response: set_context $stream
            http_call_response: get_buffer 0 0 100
            http_call_response: set_buffer 0 0 5 HELLO,
            http_call_response: continue_stream 0
        "),
        [Open(Request::post("/").with_body("hello")), Body(b"hello".to_vec()), End, Response];

    a_head_request_has_a_response_without_a_body: Probe,
        |proxy| proxy.configure_text(READ),
        [Send(Request::new("HEAD", "/"))];
}
