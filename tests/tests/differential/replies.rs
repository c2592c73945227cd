//! Local replies, from each phase.

use inproxy_test::{Request, Response};
use inproxy_tests::Probe;

use crate::case::{Step::*, cases};

/// What the probe sees of a response that comes by.
const SEEN: &str = r"
    response_headers: remove_header 2 x-envoy-upstream-service-time
    response_headers: get_map 2
    response_headers: get_property response\0code_details
    response_body: get_buffer 1 0 100
    log: get_header 2 :status
    log: get_header 0 :path
    log: get_property response\0code_details
";

cases! {
    a_reply_at_the_headers: Probe,
        |proxy| proxy.configure_text(&format!("request_headers: reply 403 why no -1 x-own=1\nrequest_headers: return 1{SEEN}")),
        [Send(Request::get("/"))];

    a_reply_without_a_body: Probe,
        |proxy| proxy.configure_text(&format!("request_headers: reply 403 - - -1{SEEN}")),
        [Send(Request::get("/"))];

    a_reply_while_the_request_has_more: Probe,
        |proxy| proxy.configure_text(&format!("request_headers: reply 403 - no -1{SEEN}\nrequest_body: get_buffer 0 0 9")),
        [Open(Request::post("/").with_body("hello")), Response];

    two_replies_in_one_callback: Probe,
        |proxy| proxy.configure_text(&format!("request_headers: reply 403 first - -1\nrequest_headers: reply 404 second - -1{SEEN}")),
        [Send(Request::get("/"))];

    a_reply_at_the_body: Probe,
        |proxy| proxy.configure_text(&format!("request_body: reply 403 - no -1{SEEN}")),
        [Open(Request::post("/").with_body("hello")), Body(b"hello".to_vec()), End, Response];

    a_reply_at_the_trailers: Probe,
        |proxy| proxy.configure_text(&format!("request_body: return 1\nrequest_trailers: reply 403 - no -1{SEEN}")),
        [Open(Request::post("/").with_body("hello").with_trailer("x-t", "1")), Body(b"hello".to_vec()), Trailers(&[("x-t", "1")]), Response];

    a_reply_at_the_responses_headers: Probe,
        |proxy| proxy.configure_text(&format!("response_headers: reply 418 why no -1 x-own=1{SEEN}")).upstream(|_| Response::new(200).with_body("answer")),
        [Send(Request::get("/"))];

    a_reply_at_the_responses_body: Probe,
        |proxy| proxy.configure_text(&format!("response_body: reply 418 why no -1{SEEN}")).upstream(|_| Response::new(200).with_body("answer")),
        [Open(Request::get("/")), Over];

    a_reply_at_the_responses_trailers: Probe,
        |proxy| proxy.configure_text(&format!("response_trailers: reply 418 why no -1{SEEN}")).upstream(|_| Response::new(200).with_body("answer").with_trailer("x-t", "1")),
        [Open(Request::get("/")), Over];

    a_reply_to_a_grpc_request: Probe,
        |proxy| proxy.configure_text(&format!("request_headers: reply 403 why no -1 x-own=1{SEEN}")),
        [Send(Request::post("/svc/Method").with_header("content-type", "application/grpc"))];

    a_reply_with_a_grpc_status: Probe,
        |proxy| proxy.configure_text(&format!("request_headers: reply 429 - - 8{SEEN}")),
        [Send(Request::post("/svc/Method").with_header("content-type", "application/grpc"))];

    a_reply_when_a_call_is_answered: Probe,
        |proxy| proxy.cluster("side", |_| Response::new(403)).configure_text(&format!(r"
            request_headers: http_call side 1000 - :method=GET :path=/ :authority=a
            request_headers: return 1
            http_call_response: set_context $stream
            http_call_response: reply 403 why no -1 x-own=1{SEEN}")),
        [Send(Request::get("/"))];

    a_reply_when_a_call_is_answered_while_the_response_waits: Probe,
        |proxy| proxy.cluster("side", |_| Response::new(403)).configure_text(&format!(r"
            response_headers: http_call side 1000 - :method=GET :path=/ :authority=a
            response_headers: return 1
            http_call_response: set_context $stream
            http_call_response: reply 403 why no -1 x-own=1{SEEN}")).upstream(|_| Response::new(200)),
        [Send(Request::get("/"))];

    a_reply_to_a_body_that_is_held: Probe,
        |proxy| proxy.hold_headers().configure_text(&format!("request_headers: return 1\nrequest_body: reply 403 - no -1{SEEN}")),
        [Open(Request::post("/").with_body("hello")), Body(b"hello".to_vec()), End, Response];

    a_reply_with_its_own_content_type: Probe,
        |proxy| proxy.configure_text(&format!("request_headers: reply 200 - {{}} -1 content-type=application/json content-length=99 :status=201{SEEN}")),
        [Send(Request::get("/"))];

    envoys_own_reply_to_no_upstream: Probe,
        |proxy| proxy.cluster_without_endpoints("upstream").configure_text(SEEN),
        [Send(Request::get("/"))];

    envoys_own_reply_to_a_refused_connection: Probe,
        |proxy| proxy.cluster_refusing("upstream").configure_text("response_headers: get_map 2\nresponse_body: get_buffer_status 1\nlog: get_header 2 :status"),
        [Send(Request::get("/"))];

    envoys_own_reply_to_an_upstream_that_hangs_up: Probe,
        |proxy| proxy.upstream(|_| Response::hang_up()).configure_text(SEEN),
        [Send(Request::get("/"))];

    envoys_own_reply_to_an_upstream_that_is_late: Probe,
        |proxy| proxy.route_timeout(std::time::Duration::from_millis(50)).upstream(|_| Response::new(200).after(std::time::Duration::from_millis(300))).configure_text(SEEN),
        [Send(Request::get("/"))];
}
