//! `rate-limit`: each way to count, with a request that passes, and some that are one too many.

use inproxy_test::{GrpcCall, GrpcReply, Proxy, Request, Value, json};
use rate_limit::RateLimit;

use crate::case::{Case, Draft, allow, deny};
use crate::outcome::Outcome;

/// `RateLimitResponse` with the code OK, a header for the client, and one for the upstream.
const OK: &[u8] = b"\x08\x01\x1a\x0a\x0a\x05x-why\x12\x01a\x22\x0b\x0a\x06x-tier\x12\x01b";

/// With the code OVER_LIMIT.
const OVER_LIMIT: &[u8] = &[0x08, 0x02];

const UNTOLD: &str = "no response fails for a header that only tells of limits";

fn around(proxy: Proxy<RateLimit>) -> Proxy<RateLimit> {
    proxy.vm_id("sweep").grpc("service", |_: &GrpcCall| GrpcReply::message(OK)).grpc("strict", |_: &GrpcCall| GrpcReply::message(OVER_LIMIT))
}

/// One limit.
fn limit(more: Value, fail_open: bool) -> Value {
    let mut limit = json!({ "name": "it", "fail_open": fail_open });
    limit.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({ "limits": [limit] })
}

fn closed(name: &'static str, more: Value) -> Draft<RateLimit> {
    deny::<RateLimit>(name, limit(more, false), Request::get("/").with_header("x-id", "1")).with(around)
}

/// Whose client is told how much is left.
fn told(name: &'static str, more: Value) -> Draft<RateLimit> {
    closed(name, more).but(["proxy_replace_header_map_value"], Outcome::Otherwise, UNTOLD)
}

fn open(name: &'static str, more: Value) -> Draft<RateLimit> {
    allow::<RateLimit>(name, limit(more, true), Request::get("/").with_header("x-id", "1")).with(around)
}

pub fn cases() -> Vec<Case> {
    let client = json!({ "client": "source_address" });
    let bucket = |tokens: u32| json!({ "dimensions": client, "bucket": { "max_tokens": tokens, "fill_interval": "1h" } });
    let quota = |amount: u32| json!({ "dimensions": client, "quota": { "max_amount": amount, "valid_duration": "1h" } });
    let in_use = || json!({ "dimensions": client, "quota": { "max_amount": 1 } });
    let once = json!({ "quota": { "max_amount": 10, "valid_duration": "1h", "deduplicate_by": "x-id" } });
    let expressions = json!({
        "match": { "paths": ["/"] }, "when": "request.method == 'GET'", "amount": "1 + 1", "dimensions": { "path": { "cel": "request.path" } },
        "bucket": { "max_tokens": 10, "fill_interval": "1h" },
    });
    let global =
        |cluster: &str| json!({ "global": { "cluster": cluster, "domain": "d", "descriptors": [[{ "key": "client", "value": "source_address" }]] } });
    let mut shadow = bucket(0);
    shadow["shadow"] = json!(true);
    vec![
        told("rate-limit: bucket", bucket(10)).into(),
        closed("rate-limit: bucket, none is left", bucket(0)).into(),
        open("rate-limit: bucket, fails open", bucket(10)).into(),
        told("rate-limit: bucket, by expressions", expressions.clone()).into(),
        open("rate-limit: bucket, by expressions, fails open", expressions).into(),
        told("rate-limit: quota", quota(10)).into(),
        closed("rate-limit: quota, none is left", quota(0)).into(),
        open("rate-limit: quota, fails open", quota(10)).into(),
        told("rate-limit: quota, counts a request once", once).into(),
        told("rate-limit: quota, at the same time", in_use()).into(),
        open("rate-limit: quota, at the same time, fails open", in_use()).into(),
        closed("rate-limit: global", global("service")).but(["proxy_add_header_map_value"], Outcome::Otherwise, UNTOLD).into(),
        closed("rate-limit: global, none is left", global("strict")).into(),
        open("rate-limit: global, fails open", global("service")).into(),
        allow::<RateLimit>("rate-limit: shadow", limit(shadow, false), Request::get("/")).with(around).into(),
    ]
}
