//! Filters of the SDK, whose calls are whatever it makes of them. Those that reckon with the clock are not here: what they pass is a time, and the real one is another.

use std::time::Duration;

use filters::{
    bodies::{NeedsHeld, Rewrite},
    calls::{AskBoth, AskFirst, AskOften},
    grpcs::{Talk, Unary},
    headers::{EditHeaders, KeepHeaders, Reply},
    shared::Numbered,
    streaming::Mapping,
    traps::TrapInHook,
};
use inproxy_test::{GrpcReply, Request, Response, json};

use crate::case::{Step::*, cases};

fn after(milliseconds: u64) -> Response {
    Response::new(200).with_body("answer").after(Duration::from_millis(milliseconds))
}

cases! {
    sdk_hello: hello::Hello,
        |proxy| proxy.configure(json!({ "name": "x-hello", "value": "hi" })),
        [Send(Request::get("/"))];

    sdk_headers_are_edited: EditHeaders,
        |proxy| proxy.configure(json!({ "response": true, "insert": [["x-version", b"one"]] })),
        [Send(Request::get("/")), Send(Request::post("/").with_body("hello"))];

    sdk_headers_are_kept: KeepHeaders,
        |proxy| proxy.configure(json!({})),
        [Send(Request::get("/").with_header("x-a", "1"))];

    sdk_a_reply: Reply,
        |proxy| proxy.configure(json!({ "status": 403 })),
        [Send(Request::get("/"))];

    sdk_a_body_is_rewritten: Rewrite,
        |proxy| proxy.configure(json!({ "prefix": "more than " })),
        [Send(Request::post("/").with_body("that"))];

    sdk_a_held_body_is_rewritten: Rewrite,
        |proxy| proxy.hold_headers().configure(json!({ "held": true, "prefix": "more than " })),
        [Send(Request::post("/").with_body("that"))];

    sdk_a_held_body_with_trailers_is_rewritten: Rewrite,
        |proxy| proxy.hold_headers().configure(json!({ "held": true, "prefix": "more than " })),
        [Send(Request::post("/").with_body("that").with_trailer("x-t", "1"))];

    sdk_a_response_is_rewritten: Rewrite,
        |proxy| proxy.configure(json!({ "response": true, "prefix": "more than " })).upstream(|_| Response::new(200).with_body("that")),
        [Send(Request::get("/"))];

    sdk_a_body_is_too_large: Rewrite,
        |proxy| proxy.configure(json!({ "limit": 10, "prefix": "x" })),
        [Send(Request::post("/").with_body("0123456789a"))];

    sdk_needs_headers_held: NeedsHeld,
        |proxy| proxy.hold_headers().configure_text(""),
        [Send(Request::post("/").with_body("body"))];

    sdk_an_authority_is_asked: AskFirst,
        |proxy| proxy.configure(json!({ "authority": "authority" })).cluster("authority", |_| after(30)),
        [Send(Request::get("/")), Send(Request::post("/").with_body("hello"))];

    sdk_an_authority_is_asked_while_headers_are_held: AskFirst,
        |proxy| proxy.hold_headers().configure(json!({ "authority": "authority" })).cluster("authority", |_| after(60)),
        [Send(Request::post("/").with_body("hello"))];

    sdk_an_authority_is_late: AskFirst,
        |proxy| proxy.configure(json!({ "authority": "authority", "timeout_ms": 50 })).cluster("authority", |_| after(300)),
        [Send(Request::get("/"))];

    sdk_an_authority_is_not_there: AskFirst,
        |proxy| proxy.configure(json!({ "authority": "authority" })).cluster_without_endpoints("authority"),
        [Send(Request::get("/"))];

    sdk_an_authority_is_asked_and_the_client_leaves: AskFirst,
        |proxy| proxy.configure(json!({ "authority": "authority" })).cluster("authority", |_| after(80)),
        [Open(Request::get("/")), Wait(20), Leave, Wait(150), Send(Request::get("/"))];

    sdk_two_are_asked: AskBoth,
        |proxy| proxy.configure(json!({ "one": "one", "other": "other" })).cluster("one", |_| after(120)).cluster("other", |_| after(30)),
        [Send(Request::get("/"))];

    sdk_one_is_asked_often: AskOften,
        |proxy| proxy.configure(json!({ "authority": "authority" })).cluster("authority", |_| Response::new(200)),
        [Send(Request::get("/"))];

    sdk_a_body_is_mapped: Mapping,
        |proxy| proxy.configure(json!({ "request": true })),
        [Send(Request::post("/").with_body("hello"))];

    sdk_a_unary_call: Unary,
        |proxy| proxy.configure(json!({ "service": "service" })).grpc("service", |_| GrpcReply::message("yes")),
        [Send(Request::get("/"))];

    sdk_a_stream: Talk,
        |proxy| proxy.configure(json!({ "service": "service" })).grpc_stream("service", |call| {
            let echo = GrpcReply::message(call.message());
            if call.is_ended() { echo.and_status(0, "") } else { echo }
        }),
        [Send(Request::get("/"))];

    sdk_requests_are_numbered: Numbered,
        |proxy| proxy.vm_id("numbered").configure_text("{}"),
        [Send(Request::get("/")), Send(Request::get("/"))];

    sdk_a_panic: TrapInHook,
        |proxy| proxy.configure(json!({})),
        [Send(Request::get("/"))];

    sdk_a_configuration_is_updated: EditHeaders,
        |proxy| proxy.configure(json!({ "response": true, "insert": [["x-version", b"one"]] })),
        [Send(Request::get("/")), Update(r#"{ "response": true, "insert": [["x-version", [50]]] }"#), Wait(1500), Send(Request::get("/"))];
}
