//! Call-outs and gRPC.

use filters::{
    cached::AskOnce,
    calls::{AskAgain, AskBoth, AskFirst, AskOften},
    grpcs::{Insists, Talk, Unary},
    hooks::HookAsk,
    starting::{Prepared, Together},
};
use inproxy::__private::Registered;
use inproxy_test::{GrpcCall, GrpcReply, Proxy, Request, Response, json};

use crate::case::{Case, deny};
use crate::outcome::Outcome;

fn services<F: Registered>(proxy: Proxy<F>) -> Proxy<F> {
    proxy.cluster("authority", |_| Response::new(200).with_body("yes")).cluster("other", |_| Response::new(200).with_body("no"))
}

fn held<F: Registered>(proxy: Proxy<F>) -> Proxy<F> {
    services(proxy).hold_headers()
}

fn grpc<F: Registered>(proxy: Proxy<F>) -> Proxy<F> {
    proxy.grpc("greeter", |_: &GrpcCall| GrpcReply::message("hello")).grpc_stream("chat", |call: &GrpcCall| {
        if call.is_ended() {
            return GrpcReply::message("bye").with_trailer("x-sum", "1").and_status(0, "");
        }
        match call.message() {
            b"stop" => GrpcReply::status(10, "enough"),
            word => GrpcReply::message(word.to_ascii_uppercase()).with_metadata("x-began", "yes"),
        }
    })
}

pub fn cases() -> Vec<Case> {
    let post = || Request::post("/").with_header("x-ask", "1").with_body("a body");
    let words = || Request::get("/").with_header("x-words", "one two three");
    vec![
        deny::<AskFirst>("calls: asked first", json!({ "authority": "authority" }), post()).with(services).into(),
        deny::<AskFirst>("calls: asked first, then the body is replaced", json!({ "authority": "authority", "then": "Portable" }), post())
            .with(services)
            .into(),
        deny::<AskFirst>(
            "calls: asked first, then the body is replaced while the headers are held",
            json!({ "authority": "authority", "then": "Held" }),
            post(),
        )
        .with(held)
        .into(),
        deny::<AskOften>("calls: three one after the other", json!({ "authority": "authority" }), post()).with(services).into(),
        deny::<AskBoth>("calls: two at once", json!({ "one": "authority", "other": "other" }), post()).with(services).into(),
        deny::<AskBoth>("calls: two at once, the first counts", json!({ "one": "authority", "other": "other", "first": true }), post())
            .with(services)
            .into(),
        deny::<AskAgain>("calls: asked again", json!({ "service": "authority", "times": 2 }), post())
            .with(|proxy| proxy.cluster("authority", |_| Response::new(503)))
            .tells_errors()
            .into(),
        deny::<HookAsk>("calls: by callbacks", json!({ "authority": "authority" }), post())
            .with(services)
            .but(["proxy_replace_header_map_value"], Outcome::Otherwise, "the filter drops the errors of its edits")
            .into(),
        deny::<AskOnce>("cache", json!({ "authority": "authority" }), Request::get("/").with_header("x-key", "k").with_header("x-now", "1"))
            .with(services)
            .into(),
        deny::<Together>("one call for many", json!({ "service": "authority" }), Request::get("/one")).with(services).into(),
        deny::<Prepared>("a filter that is made by a call", json!({ "source": "authority" }), Request::get("/")).with(services).waits(50, 0).into(),
        deny::<Unary>("gRPC: one call", json!({ "service": "greeter" }), post().with_header("x-user", "alice")).with(grpc).tells_errors().into(),
        deny::<Talk>("gRPC: a stream, one after the other", json!({ "service": "chat" }), words()).with(grpc).tells_errors().into(),
        deny::<Talk>("gRPC: a stream, all at once", json!({ "service": "chat", "at_once": true }), words()).with(grpc).tells_errors().into(),
        deny::<Talk>("gRPC: a stream that is left", json!({ "service": "chat", "only": 1 }), words()).with(grpc).tells_errors().into(),
        deny::<Insists>("gRPC: a stream that the service has ended", json!({ "service": "chat" }), words()).with(grpc).tells_errors().into(),
    ]
}
