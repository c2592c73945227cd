//! Plugins: their configurations, their updates, their ends, and what becomes of requests when a VM dies.

use inproxy_test::{FailurePolicy, Request, Response};
use inproxy_tests::Probe;

use crate::case::{Step::*, cases};

cases! {
    a_configuration_is_updated: Probe,
        |proxy| proxy.configure_text("request_headers: add_header 0 x-a 1"),
        [Send(Request::get("/")), Update("request_headers: add_header 0 x-other 1\ndone: get_header 0 :path"), Wait(1500), Send(Request::get("/"))];

    an_update_is_refused: Probe,
        |proxy| proxy.configure_text("request_headers: add_header 0 x-a 1"),
        [Send(Request::get("/")), Refuse("configure: return 1"), Send(Request::get("/"))];

    a_plugin_ends_later: Probe,
        |proxy| proxy.configure_text("done: return 1"),
        [
            Update("done: return 1\nconfigure: set_tick_period 1600\ntick: set_tick_period 0\ntick: set_context 1\ntick: done"),
            Wait(2500),
            Send(Request::get("/")),
        ];

    configurations_are_read: Probe,
        |proxy| proxy.configure_text(r"
            configure: get_buffer 7 0 20
            configure: get_buffer_status 7
            configure: get_buffer 6 0 20
            configure: get_buffer_status 6
            request_headers: get_buffer 7 0 20
            request_headers: get_buffer 6 0 20
        "),
        [Send(Request::get("/"))];

    a_vm_dies_at_the_headers: Probe,
        |proxy| proxy.configure_text("request_headers: trap"),
        [Send(Request::get("/")), Send(Request::get("/"))];

    a_vm_dies_and_fails_closed: Probe,
        |proxy| proxy.failure_policy(FailurePolicy::Closed).configure_text("request_headers: trap"),
        [Send(Request::get("/")), Wait(1500), Send(Request::get("/"))];

    a_vm_dies_and_fails_open: Probe,
        |proxy| proxy.failure_policy(FailurePolicy::Open).configure_text("request_headers: trap"),
        [Send(Request::get("/")), Send(Request::get("/"))];

    a_vm_dies_and_is_made_again: Probe,
        |proxy| proxy.configure_text("request_body: trap"),
        [Open(Request::post("/").with_body("hello")), Body(b"hello".to_vec()), End, Response, Wait(2500), Send(Request::get("/"))];

    a_vm_dies_at_the_response: Probe,
        |proxy| proxy.configure_text("response_headers: trap"),
        [Send(Request::get("/"))];

    a_vm_dies_at_the_responses_body: Probe,
        |proxy| proxy.configure_text("response_body: trap").upstream(|_| Response::new(200).with_body("answer")),
        [Open(Request::get("/")), Over];

    a_vm_dies_when_a_stream_is_over: Probe,
        |proxy| proxy.configure_text("log: trap"),
        [Send(Request::get("/"))];

    a_vm_dies_in_a_tick: Probe,
        |proxy| proxy.configure_text("configure: set_tick_period 50\ntick: trap"),
        [Wait(120), Send(Request::get("/"))];
}
