//! gRPC, unary and in streams, in all its failures. `\x0a\x06\x0a\x04auth` is a `GrpcService` with the cluster `auth`.

use std::time::Duration;

use inproxy_test::{GrpcReply, Request, Response};
use inproxy_tests::Probe;

use crate::case::{Step::*, cases};

/// What the probe asks at each event.
const EVENTS: &str = r"
    grpc_receive_initial_metadata: get_header 4 x-i
    grpc_receive_initial_metadata: get_map 4
    grpc_receive: get_buffer 5 0 100
    grpc_receive: get_buffer_status 5
    grpc_receive_trailing_metadata: get_map 5
    grpc_receive_trailing_metadata: get_header 5 x-t
    grpc_close: get_status
";

fn events(script: &str) -> String {
    format!("{script}{EVENTS}")
}

/// An upstream that is slower than the services.
fn slow(proxy: inproxy_test::Proxy<Probe>) -> inproxy_test::Proxy<Probe> {
    proxy.upstream(|_| Response::new(200).after(Duration::from_millis(150)))
}

cases! {
    a_unary_call_succeeds: Probe,
        |proxy| slow(proxy).grpc("auth", |_| GrpcReply::message("yes").with_metadata("x-i", "1")).configure_text(&events(r"request_headers: grpc_call \x0a\x06\x0a\x04auth svc.Name Check 1000 hello x-m=1")),
        [Send(Request::get("/")), Wait(50)];

    a_unary_call_fails: Probe,
        |proxy| slow(proxy).grpc("auth", |_| GrpcReply::status(7, "no")).configure_text(&events(r"request_headers: grpc_call \x0a\x06\x0a\x04auth svc.Name Check 1000 hello")),
        [Send(Request::get("/")), Wait(50)];

    a_unary_call_takes_too_long: Probe,
        |proxy| slow(proxy).grpc("auth", |_| GrpcReply::message("late").after(Duration::from_millis(400))).configure_text(&events(r"request_headers: grpc_call \x0a\x06\x0a\x04auth svc.Name Check 30 hello")),
        [Send(Request::get("/")), Wait(100)];

    a_unary_call_is_refused: Probe,
        |proxy| slow(proxy).cluster_refusing("auth").configure_text(&events(r"request_headers: grpc_call \x0a\x06\x0a\x04auth svc.Name Check 1000 hello").replace("grpc_close: get_status", "")),
        [Send(Request::get("/")), Wait(50)];

    a_unary_call_to_no_endpoint: Probe,
        |proxy| slow(proxy).cluster_without_endpoints("gone").configure_text(&events(r"request_headers: grpc_call \x0a\x06\x0a\x04gone svc.Name Check 1000 hello")),
        [Send(Request::get("/")), Wait(50)];

    a_unary_call_to_no_cluster: Probe,
        |proxy| slow(proxy).configure_text(&events("request_headers: grpc_call nowhere svc.Name Check 1000 hello\nrequest_headers: grpc_call \\x0a\\x06\\x0a\\x04none svc.Name Check 1000 hello")),
        [Send(Request::get("/")), Wait(50)];

    a_unary_call_is_cancelled: Probe,
        |proxy| slow(proxy).grpc("auth", |_| GrpcReply::message("late").after(Duration::from_millis(30))).configure_text(&events(r"
            request_headers: grpc_call \x0a\x06\x0a\x04auth svc.Name Check 1000 hello
            request_headers: grpc_cancel $last
            request_headers: grpc_cancel $last")),
        [Send(Request::get("/")), Wait(80)];

    a_unary_call_is_closed: Probe,
        |proxy| slow(proxy).grpc("auth", |_| GrpcReply::message("late").after(Duration::from_millis(30))).configure_text(&events(r"
            request_headers: grpc_call \x0a\x06\x0a\x04auth svc.Name Check 1000 hello
            request_headers: grpc_close $last")),
        [Send(Request::get("/")), Wait(80)];

    a_stream_talks: Probe,
        |proxy| slow(proxy).grpc_stream("echo", |call| {
            let echo = GrpcReply::message(call.message()).with_metadata("x-i", "1");
            if call.is_ended() { echo.and_status(0, "").with_trailer("x-t", "2") } else { echo }
        }).configure_text(&events(r"
            request_headers: grpc_stream \x0a\x06\x0a\x04echo svc.Name Talk x-n=2
            request_headers: grpc_send $last one 0
            grpc_receive_initial_metadata: grpc_send $last two 1")),
        [Send(Request::get("/")), Wait(80)];

    a_stream_is_ended_by_its_service: Probe,
        |proxy| slow(proxy).grpc_stream("echo", |_| GrpcReply::status(9, "enough").with_trailer("x-t", "2")).configure_text(&events(r"
            request_headers: grpc_stream \x0a\x06\x0a\x04echo svc.Name Talk
            request_headers: grpc_send $last one 0")),
        [Send(Request::get("/")), Wait(80)];

    // How long it took is in the initial metadata.
    a_stream_is_closed_by_halves: Probe,
        |proxy| slow(proxy).grpc_stream("echo", |call| if call.is_ended() { GrpcReply::message("bye").and_status(0, "") } else { GrpcReply::nothing() }).configure_text(&events(r"
            request_headers: grpc_stream \x0a\x06\x0a\x04echo svc.Name Talk
            request_headers: grpc_send $last one 0
            request_headers: grpc_close $last").replace("grpc_receive_initial_metadata: get_map 4", "")),
        [Send(Request::get("/")), Wait(80)];

    a_stream_is_cancelled: Probe,
        |proxy| slow(proxy).grpc_stream("echo", |call| GrpcReply::message(call.message())).configure_text(&events(r"
            request_headers: grpc_stream \x0a\x06\x0a\x04echo svc.Name Talk
            request_headers: grpc_send $last one 0
            grpc_receive: grpc_cancel $last
            grpc_receive: grpc_send $last two 0")),
        [Send(Request::get("/")), Wait(80)];

    a_stream_to_no_endpoint: Probe,
        |proxy| slow(proxy).cluster_without_endpoints("gone").configure_text(&events(r"request_headers: grpc_stream \x0a\x06\x0a\x04gone svc.Name Talk")),
        [Send(Request::get("/")), Wait(50)];

    a_stream_to_no_cluster: Probe,
        |proxy| slow(proxy).configure_text(&events("request_headers: grpc_stream nowhere svc.Name Talk\nrequest_headers: grpc_stream \\x0a\\x06\\x0a\\x04none svc.Name Talk")),
        [Send(Request::get("/")), Wait(50)];

    tokens_have_kinds: Probe,
        |proxy| slow(proxy).configure_text(r"
            request_headers: grpc_send 4 x 0
            request_headers: grpc_send 5 x 0
            request_headers: grpc_send 402 x 0
            request_headers: grpc_cancel 4
            request_headers: grpc_cancel 401
            request_headers: grpc_close 402
            request_headers: grpc_close 7
            request_headers: get_status
        "),
        [Send(Request::get("/"))];
}
