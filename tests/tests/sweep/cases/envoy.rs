//! What Envoy has beyond the ABI.

use std::fmt::Write;

use filters::{
    expressions::{ByPhase, CountedBy, Denies, Expressions, Logged, Renewed},
    foreign::{Objects, Properties, Raw, Signatures, Tiers, Versions},
};
use inproxy::__private::Registered;
use inproxy_test::{Proxy, Request, Response, json};

use crate::{
    case::{Case, deny},
    outcome::Outcome,
};

fn side<F: Registered>(proxy: Proxy<F>) -> Proxy<F> {
    proxy.cluster("side", |_| Response::new(200).with_body("gold"))
}

pub fn cases() -> Vec<Case> {
    let keys = json!({
        "public": include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/keys/rsa.pub.pem")),
        "private": include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/keys/rsa.pem")),
    });
    let signature = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/keys/hello.rsa.sha256")).iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    });
    let signed = Request::get("/").with_header("x-text", "hello").with_header("x-signature", signature);
    let object = Request::get("/").with_header("x-key", "envoy.upstream.dynamic_port").with_header("x-value", "8443");
    let expression = json!({ "expression": "request.path", "side": "side" });
    vec![
        deny::<Versions>("routes: another path", json!({}), Request::get("/v1/search")).into(),
        deny::<Tiers>("routes: chosen by filter state", json!({ "tiers": "side" }), Request::get("/").with_header("x-tenant", "acme"))
            .with(side)
            .into(),
        deny::<Signatures>("signatures", keys, signed).tells_errors().into(),
        deny::<Objects>("filter state: objects", json!({}), object).tells_errors().into(),
        deny::<Properties>("filter state: declared properties", json!({}), Request::get("/")).tells_errors().into(),
        deny::<Raw>("foreign functions", json!({}), Request::get("/").with_header("x-function", "compress").with_header("x-argument", "hello"))
            .tells_errors()
            .into(),
        deny::<Denies>("expressions: one denies", json!({ "deny": ["request.path.startsWith('/internal')"] }), Request::get("/")).into(),
        deny::<CountedBy>("expressions: one is the key of a call", json!({ "key": "request.method", "counts": "side" }), Request::get("/"))
            .with(side)
            .into(),
        deny::<Expressions>("expressions: before and after a wait", expression.clone(), Request::get("/").with_header("x-wait", "timer"))
            .with(side)
            .tells_errors()
            .into(),
        deny::<Expressions>("expressions: before and after a call", expression, Request::get("/").with_header("x-wait", "call"))
            .with(side)
            .tells_errors()
            .into(),
        deny::<ByPhase>("expressions: in callbacks", json!({ "expression": "plugin_root_id" }), Request::post("/").with_body("x")).with(side).into(),
        deny::<Logged>("expressions: of what is logged", json!({ "when": "response.code >= 200" }), Request::get("/")).into(),
        deny::<Renewed>("expressions: compiled again and again", json!({}), Request::get("/"))
            .waits(25, 0)
            .but(
                ["proxy_set_tick_period_milliseconds", "proxy_set_effective_context"],
                Outcome::Otherwise,
                "the tick is set again at the end of the next callback, which is that of the first request",
            )
            .into(),
    ]
}
