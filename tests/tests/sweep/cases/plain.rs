//! The examples; headers, answers, errors, attributes, time, and what runs beside requests.

use api_key::ApiKey;
use filters::{
    attributes::{Attributes, ByPhase, Clients, Kept, KeyByRoute, Peers},
    errors::{FailAllow, FailDeny},
    headers::{EditHeaders, KeepHeaders, Reply},
    loggers::{Batches, Tell},
    metrics::Metrics,
    per_route::{CacheControl, InACallback, Later, Sizes},
    waiting::{Fickle, Impatient, Refreshed, Sleeper},
};
use hello::Hello;
use inproxy_test::{Proxy, Request, Response, json};

use crate::case::{Case, allow, deny};
use crate::outcome::Outcome;

fn authority(proxy: Proxy<ApiKey>) -> Proxy<ApiKey> {
    proxy.cluster("authority", |_| Response::new(200).with_header("x-consumer", "bob").with_body("bob"))
}

pub fn cases() -> Vec<Case> {
    let keys = json!({ "realm": "test", "consumers": [{ "name": "alice", "key": "alice-key" }], "authority": { "cluster": "authority", "path": "/whose-key", "timeout_ms": 500 } });
    let edits = json!({ "read": ["x-r"], "remove": ["x-a"], "insert": [["x-b", b"1"]], "append": [["x-c", b"1"]] });
    let edits_response = json!({ "remove": ["x-a"], "insert": [["x-b", b"1"]], "append": [["x-c", b"1"]], "response": true });
    let edited = Request::get("/").with_header("x-r", "1").with_header("x-r", "2").with_header("x-a", "1");
    let counted = "/counter/1/gauge/2/up/2/down/1/took/5/level/2/open/1/close/1/size/3/again/2";
    let asked = "request.path request.method source.ip connection.id xds.route_name plugin_name xds.node.id";
    let sizes = json!({ "sizes": { "default": { "bytes": 10 }, "routes": { "upload": { "bytes": 100 } } } });
    let rules = json!({ "max_age": { "default": { "seconds": 0 }, "rules": [{ "match": { "hosts": ["*.example.com"], "paths": ["/static"], "routes": ["a"] }, "config": { "seconds": 60 } }] } });
    let later = json!({ "rules": { "default": 0, "rules": [{ "match": { "routes": ["a"] }, "config": 2 }] }, "routes": { "routes": { "a": 3 } } });
    vec![
        deny::<Hello>("hello", json!({ "name": "x-hello", "value": "hi" }), Request::get("/")).into(),
        deny::<ApiKey>("api-key: a known key", keys.clone(), Request::get("/").with_header("x-api-key", "alice-key")).with(authority).into(),
        deny::<ApiKey>("api-key: a key that the authority knows", keys.clone(), Request::get("/").with_header("x-api-key", "bobs"))
            .with(authority)
            .into(),
        deny::<ApiKey>("api-key: no key", keys, Request::get("/")).with(authority).into(),
        deny::<EditHeaders>("headers: a request's", edits, edited.clone()).into(),
        deny::<EditHeaders>("headers: a response's", edits_response, edited.clone()).into(),
        deny::<KeepHeaders>("headers: kept over an edit", json!({}), edited.with_header("x-b", "2")).into(),
        deny::<Reply>("replies: before the upstream", json!({ "status": 403, "body": "no", "headers": [["x-a", "1"]] }), Request::get("/")).into(),
        deny::<Reply>("replies: in the response's place", json!({ "status": 418, "body": "no", "after": true }), Request::get("/")).into(),
        deny::<Reply>("replies: the body alone", json!({ "status": 200, "body": "other", "body_only": true }), Request::get("/")).into(),
        deny::<FailDeny>("errors: denies at the request", json!({ "at": "Request" }), Request::get("/")).into(),
        deny::<FailDeny>("errors: denies at the response", json!({ "at": "Response" }), Request::get("/")).into(),
        deny::<FailDeny>("errors: denies in the response's body", json!({ "at": "ResponseBody" }), Request::get("/")).with(body).into(),
        allow::<FailAllow>("errors: allows at the request", json!({ "at": "Request" }), Request::get("/")).into(),
        allow::<FailAllow>("errors: allows at the response", json!({ "at": "Response" }), Request::get("/")).into(),
        allow::<FailAllow>("errors: allows in the response's body", json!({ "at": "ResponseBody" }), Request::get("/")).with(body).into(),
        deny::<Metrics>("metrics: all kinds, and families", json!({}), Request::get(counted).with_header("x-hold", "1"))
            .but(["proxy_increment_metric", "proxy_record_metric"], Outcome::Otherwise, "the answer tells the values of the metrics")
            .into(),
        deny::<Attributes>(
            "attributes",
            json!({}),
            Request::get("/").with_header("ask-request", asked).with_header("ask-response", "response.code upstream.ip"),
        )
        .tells_errors()
        .into(),
        deny::<Attributes>("attributes: of what is held", json!({}), Request::post("/").with_header("x-hold", "1").with_body("hello"))
            .with(Proxy::hold_headers)
            .tells_errors()
            .into(),
        deny::<Attributes>("attributes: in a tick", json!({}), Request::get("/").with_header("x-wait", "1").with_header("ask-request", asked))
            .tells_errors()
            .into(),
        deny::<ByPhase>(
            "attributes: in callbacks",
            json!({}),
            Request::post("/").with_header("ask-body", asked).with_header("ask-log", asked).with_body("x"),
        )
        .into(),
        deny::<Kept>("filter state", json!({}), Request::get("/").with_header("x-tenant", "acme")).tells_errors().into(),
        deny::<Peers>("attributes: of peers", json!({}), Request::get("/")).tells_errors().into(),
        deny::<Clients>("attributes: a client's address decides", json!({ "allowed": ["127.0.0.1"] }), Request::get("/")).into(),
        deny::<KeyByRoute>("attributes: a route's metadata decide", json!({}), Request::get("/"))
            .with(|proxy| proxy.route("r", json!({ "keys": { "required": true, "header": "x-key" } })))
            .into(),
        deny::<Sizes>("configuration by route", sizes, Request::post("/").with_body("0123456789a")).into(),
        deny::<CacheControl>("configuration by rule", rules, Request::get("/static").with_authority("a.example.com"))
            .with(|proxy| proxy.route("a", json!({})))
            .into(),
        deny::<Later>("configuration by rule: after a wait", later, Request::get("/")).with(|proxy| proxy.route("a", json!({}))).into(),
        deny::<InACallback>(
            "configuration by rule: in a callback",
            json!({ "rules": { "default": 0, "rules": [{ "match": { "paths": ["/a"] }, "config": 1 }] } }),
            Request::get("/a/b"),
        )
        .but(["proxy_replace_header_map_value"], Outcome::Otherwise, "the filter logs the error of its only edit, and goes on")
        .into(),
        deny::<Sleeper>("time: before and after", json!({ "before_ms": 5, "after_ms": 5 }), Request::get("/")).into(),
        deny::<Impatient>("time: a call that takes too long", json!({ "service": "service", "patience_ms": 10 }), Request::get("/"))
            .with(|proxy| proxy.cluster("service", |_| Response::new(200).after(std::time::Duration::from_millis(50))))
            .but(["proxy_set_effective_context"], Outcome::Otherwise, "the stream has no turn when its time is over: the call's answer comes first")
            .into(),
        deny::<Fickle>("time: a timer that is taken away", json!({}), Request::get("/")).into(),
        deny::<Refreshed>("tasks: one that asks again and again", json!({ "source": "source", "path": "/", "period_ms": 20 }), Request::get("/"))
            .with(|proxy| proxy.cluster("source", |_| Response::new(200).with_body("said")))
            .waits(50, 50)
            .but(
                ["proxy_set_tick_period_milliseconds", "proxy_set_effective_context"],
                Outcome::Otherwise,
                "the tick is set again at the end of the next callback, which is that of the first request",
            )
            .into(),
        deny::<Tell>("access loggers: a line for each", json!({ "prefix": "over: " }), Request::get("/")).into(),
        deny::<Batches>("access loggers: sent together", json!({ "collector": "collector" }), Request::get("/"))
            .with(|proxy| proxy.cluster("collector", |_| Response::new(200)))
            .waits(0, 1500)
            .into(),
    ]
}

fn body<F: inproxy::__private::Registered>(proxy: Proxy<F>) -> Proxy<F> {
    proxy.upstream(|_| Response::new(200).with_body("a body"))
}
