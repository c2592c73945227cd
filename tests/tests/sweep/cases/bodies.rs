//! Bodies, read whole and as they go by.

use filters::{
    bodies::{NeedsHeld, ReadAllow, Rewrite},
    foreign::Zlib,
    streaming::{Duplex, Mapping, MappingLate, MappingUnderWay, Parts, SlowDuplex},
};
use inproxy::__private::Registered;
use inproxy_test::{Proxy, Request, Response, json};

use crate::case::{Case, allow, deny};

fn around<F: Registered>(proxy: Proxy<F>) -> Proxy<F> {
    proxy.upstream(|_| Response::new(200).with_body("an answer")).cluster("ask", |_| Response::new(200))
}

fn held<F: Registered>(proxy: Proxy<F>) -> Proxy<F> {
    around(proxy).hold_headers()
}

pub fn cases() -> Vec<Case> {
    let request = || Request::post("/").with_body("a body");
    vec![
        deny::<Rewrite>("bodies: a request's is read", json!({ "read_only": true }), request()).with(around).into(),
        deny::<Rewrite>("bodies: a request's is replaced", json!({ "prefix": "x" }), request()).with(around).into(),
        deny::<Rewrite>("bodies: a request's is read while the headers are held", json!({ "held": true, "read_only": true }), request())
            .with(held)
            .into(),
        deny::<Rewrite>("bodies: a request's is replaced while the headers are held", json!({ "held": true, "prefix": "x" }), request())
            .with(held)
            .into(),
        deny::<Rewrite>("bodies: a response's is replaced", json!({ "response": true, "prefix": "x" }), request()).with(around).into(),
        deny::<Rewrite>(
            "bodies: a response's is replaced while the headers are held",
            json!({ "response": true, "held": true, "prefix": "x" }),
            request(),
        )
        .with(held)
        .into(),
        deny::<NeedsHeld>("bodies: a filter that is declared as held", json!({}), request()).with(held).into(),
        allow::<ReadAllow>("bodies: read, and what fails goes on", json!({}), request()).with(around).into(),
        allow::<ReadAllow>("bodies: read while the headers are held, and what fails goes on", json!({ "held": true }), request()).with(held).into(),
        deny::<Mapping>("streams: a request's parts are changed", json!({ "request": true, "end": "!" }), request()).with(around).into(),
        deny::<Mapping>("streams: a response's parts are changed", json!({ "response": true, "end": "!" }), request()).with(around).into(),
        deny::<Mapping>("streams: changed after a call", json!({ "request": true, "response": true, "ask": "ask" }), request()).with(around).into(),
        deny::<Parts>("streams: a request's parts, with a call at each", json!({ "ask": "ask", "append": "!" }), request()).with(around).into(),
        deny::<Parts>("streams: a response's parts, with a call at each", json!({ "ask": "ask", "append": "!", "response": true }), request())
            .with(around)
            .into(),
        deny::<Duplex>("streams: both ways at once", json!({}), request()).with(around).into(),
        deny::<SlowDuplex>("streams: both ways at once, with a call at each part", json!({ "ask": "ask" }), request()).with(around).into(),
        deny::<MappingLate>("streams: changed, but asked before", json!({ "ask": "ask" }), request()).with(around).into(),
        deny::<MappingUnderWay>("streams: a response under way is changed", json!({ "ask": "ask", "return_after_ms": 5 }), request())
            .with(around)
            .into(),
        deny::<Zlib>("bodies: compressed by the proxy", json!({}), request()).with(around).into(),
    ]
}
