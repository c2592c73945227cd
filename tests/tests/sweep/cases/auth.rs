//! `auth`: each check, with a request that it lets pass, and some that it refuses.

use auth::Auth;
use inproxy_test::{GrpcCall, GrpcReply, Proxy, Request, Response, Value, json};

use crate::case::{Case, Draft, allow, deny};
use crate::outcome::Outcome;

/// `CheckResponse` with the status 0 in it.
const YES: &[u8] = &[0x0a, 0x00];

/// Of alice, for the shop, until 2100, signed with HS256.
const TOKEN: &str = "Bearer eyJhbGciOiJIUzI1NiIsImtpZCI6ImsiLCJ0eXAiOiJKV1QifQ.eyJpc3MiOiJpc3N1ZXIiLCJzdWIiOiJhbGljZSIsImF1ZCI6InNob3AiLCJleHAiOjQxMDI0NDQ4MDB9.hb3dLHFaph1CYU4mK2fEdo1pUEyBeQg3zurGkDzckDM";

const FAILS_OPEN: &str = "the service has not decided, and the check fails open";

const CHANGES: [&str; 2] = ["proxy_remove_header_map_value", "proxy_replace_header_map_value"];
const UNCHANGED: &str = "a request that cannot be changed does not go on, also where nothing is refused: it could say a consumer of its own";

fn keys() -> Value {
    json!({ "keys": [{ "kty": "oct", "kid": "k", "k": "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY" }] })
}

fn services(proxy: Proxy<Auth>) -> Proxy<Auth> {
    proxy
        .cluster("authz", |_| Response::new(200).with_header("x-user", "alice"))
        .grpc("rpc", |_: &GrpcCall| GrpcReply::message(YES))
        .cluster("issuer", |_| Response::new(200).with_body(keys().to_string()))
        .cluster("lists", |_| Response::new(200).with_body("alice\nbob\n"))
}

fn held(proxy: Proxy<Auth>) -> Proxy<Auth> {
    services(proxy).hold_headers()
}

/// One check, which each request needs.
fn check(settings: Value) -> Value {
    json!({ "checks": { "it": settings }, "rules": [{ "require": "it" }] })
}

fn checked(name: &'static str, settings: Value, request: Request) -> Draft<Auth> {
    deny::<Auth>(name, check(settings), request).with(services)
}

pub fn cases() -> Vec<Case> {
    let get = |name: &str, value: &str| Request::get("/").with_header(name, value);
    let post = || Request::post("/").with_body("a body");
    let api_key = || json!({ "api_key": { "consumers": [{ "name": "alice", "key": "k" }] } });
    let list = || json!({ "list": { "value": { "header": "x-user" }, "overrides": ["alice", "bob"] } });
    let banned = || json!({ "list": { "value": { "header": "x-user" }, "blacklist": true, "overrides": ["mallory"] } });
    let addresses = json!({ "list": { "entry_type": "IP_ADDRESSES", "overrides": ["127.0.0.0/8"] } });
    let fetched = json!({ "list": { "value": { "header": "x-user" }, "provider": { "cluster": "lists", "path": "/users" } } });
    let expression = json!({ "list": { "value": { "expression": "request.path" }, "overrides": ["/"] } });
    let basic = json!({ "basic": { "user_header": "x-user", "rules": [{ "prefix": "/", "methods": ["*"], "credentials": ["ok:test"] }] } });
    let jwt = |jwks: Value| json!({ "jwt": { "issuer": "issuer", "audiences": ["shop"], "jwks": jwks, "claims_to_headers": { "sub": "x-user" } } });
    let remote = |prefetch: bool| json!({ "remote": { "cluster": "issuer", "path": "/jwks.json", "prefetch": prefetch } });
    let http = || json!({ "http": { "cluster": "authz", "allowed_upstream_headers": ["x-user"] } });
    let with = |mut service: Value, more: Value| {
        service.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({ "ext_authz": service })
    };
    let grpc = || json!({ "grpc": { "cluster": "rpc" } });
    let body = json!({ "with_request_body": { "max_request_bytes": 100 } });
    let open = json!({ "fail_open": true, "failure_mode_allow_header_add": true });
    let open_body = json!({ "fail_open": true, "with_request_body": { "max_request_bytes": 100 } });
    let watched_body = json!({
        "checks": { "keys": api_key(), "service": with(http(), body.clone()) },
        "rules": [{ "name": "watched", "require": "service", "shadow": true }, { "require": "keys" }],
    });
    let cached = json!({ "cache": { "valid_duration": "1h", "key": [] } });
    let rules = json!({
        "checks": { "keys": api_key(), "users": list() },
        "rules": [
            { "name": "watched", "when": "request.path == '/'", "require": "users", "shadow": true },
            { "match": { "paths": ["/"] }, "when": "request.method == 'GET'", "require": { "any": ["keys", "users"] } },
        ],
    });
    let mut shadow = rules.clone();
    shadow["shadow"] = json!(true);
    vec![
        checked("auth: list of addresses", addresses, Request::get("/")).into(),
        checked("auth: list of users", list(), get("x-user", "alice")).into(),
        checked("auth: list of users, a banned one", banned(), get("x-user", "mallory")).into(),
        checked("auth: list of an expression's values", expression, Request::get("/")).into(),
        checked("auth: list that is fetched", fetched, get("x-user", "alice")).into(),
        checked("auth: api_key", api_key(), get("x-api-key", "k")).into(),
        checked("auth: api_key, an unknown one", api_key(), get("x-api-key", "x")).into(),
        checked("auth: basic", basic, get("authorization", "Basic b2s6dGVzdA==")).into(),
        checked("auth: jwt", jwt(json!({ "inline": keys() })), get("authorization", TOKEN)).into(),
        checked("auth: jwt, keys are fetched at the start", jwt(remote(true)), get("authorization", TOKEN)).waits(50, 0).into(),
        checked("auth: jwt, keys are fetched for the request", jwt(remote(false)), get("authorization", TOKEN)).into(),
        checked("auth: ext_authz over HTTP", with(http(), json!({})), Request::get("/")).into(),
        checked("auth: ext_authz over HTTP, with the body", with(http(), body.clone()), post()).with(held).into(),
        checked("auth: ext_authz over HTTP, kept", with(http(), cached), Request::get("/")).into(),
        checked("auth: ext_authz over gRPC", with(grpc(), json!({})), Request::get("/")).into(),
        checked("auth: ext_authz over gRPC, with the body", with(grpc(), body), post()).with(held).into(),
        checked("auth: ext_authz over gRPC, fails open", with(grpc(), open), Request::get("/"))
            .but(["proxy_grpc_call", "proxy_get_property", "proxy_get_buffer_bytes"], Outcome::Otherwise, FAILS_OPEN)
            .into(),
        checked("auth: ext_authz over HTTP, with the body, fails open", with(http(), open_body), post())
            .with(held)
            .but(["proxy_http_call", "proxy_get_buffer_bytes", "proxy_get_header_map_pairs"], Outcome::Otherwise, FAILS_OPEN)
            .into(),
        deny::<Auth>("auth: rules, one of which watches", rules, get("x-user", "alice")).into(),
        allow::<Auth>("auth: a rule that watches has the body read", watched_body, post().with_header("x-api-key", "k"))
            .with(held)
            .but(CHANGES, Outcome::Denied, UNCHANGED)
            .into(),
        allow::<Auth>("auth: shadow of all rules", shadow.clone(), get("x-user", "mallory")).into(),
        allow::<Auth>("auth: shadow of all rules, with a key", shadow, get("x-api-key", "k").with_header("x-consumer", "root"))
            .but(CHANGES, Outcome::Denied, UNCHANGED)
            .into(),
    ]
}
