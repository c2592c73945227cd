//! Headers that come twice.

use inproxy_test::{Proxy, Request, Response};
use inproxy_tests::Probe;

const IN_REQUESTS: &[&str] = &[
    "accept",
    "accept-encoding",
    "access-control-request-headers",
    "access-control-request-method",
    "authorization",
    "cache-control",
    "content-encoding",
    "content-type",
    "expect",
    "grpc-accept-encoding",
    "grpc-timeout",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "origin",
    "pragma",
    "referer",
    "user-agent",
    "via",
    "x-client-trace-id",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-port",
    "x-forwarded-proto",
    "x-request-id",
];

const NOT_IN_REQUESTS: &[&str] = &[
    "accept-language",
    "cookie",
    "date",
    "etag",
    "forwarded",
    "grpc-encoding",
    "location",
    "proxy-authorization",
    "range",
    "traceparent",
    "vary",
    "x-api-key",
    "x-real-ip",
];

const IN_RESPONSES: &[&str] = &[
    "access-control-allow-credentials",
    "access-control-allow-origin",
    "access-control-expose-headers",
    "age",
    "cache-control",
    "content-encoding",
    "content-type",
    "date",
    "etag",
    "expires",
    "last-modified",
    "location",
    "vary",
    "via",
    "x-request-id",
];

const NOT_IN_RESPONSES: &[&str] =
    &["allow", "authorization", "link", "origin", "retry-after", "set-cookie", "user-agent", "warning", "www-authenticate", "x-powered-by"];

/// One of each joined with a comma, or two, on the way in both directions.
#[inproxy_test::test(only(wasm, envoy), because = "the probe has no SDK, which the native host needs")]
async fn of_some_headers_envoy_keeps_one(proxy: Proxy<Probe>) {
    let twice = |name: &'static str| [(name, "1"), (name, "2")];
    let proxy = proxy
        .configure_text("")
        .upstream(move |_| {
            let headers = IN_RESPONSES.iter().chain(NOT_IN_RESPONSES).flat_map(|name| twice(name));
            headers.fold(Response::new(200), |response, (name, value)| response.with_header(name, value))
        })
        .start()
        .await;
    let headers = IN_REQUESTS.iter().chain(NOT_IN_REQUESTS).flat_map(|name| twice(name));
    let response = proxy.send(headers.fold(Request::get("/"), |request, (name, value)| request.with_header(name, value))).await;
    let seen = proxy.upstream().request();
    for (name, values) in IN_REQUESTS.iter().map(|name| (name, vec!["1,2"])).chain(NOT_IN_REQUESTS.iter().map(|name| (name, vec!["1", "2"]))) {
        assert_eq!(seen.headers(name), values, "{name} of the request");
    }
    for (name, values) in IN_RESPONSES.iter().map(|name| (name, vec!["1,2"])).chain(NOT_IN_RESPONSES.iter().map(|name| (name, vec!["1", "2"]))) {
        assert_eq!(response.headers(name), values, "{name} of the response");
    }
}

/// Also of those that a filter adds.
#[inproxy_test::test(only(wasm, envoy), because = "the probe has no SDK, which the native host needs")]
async fn what_a_filter_adds_is_joined_too(proxy: Proxy<Probe>) {
    let script = "request_headers: add_header 0 authorization 2\nrequest_headers: add_header 0 etag 2\nresponse_headers: add_header 2 authorization 2\nresponse_headers: add_header 2 etag 2";
    let proxy =
        proxy.configure_text(script).upstream(|_| Response::new(200).with_header("etag", "1").with_header("authorization", "1")).start().await;
    let response = proxy.send(Request::get("/").with_header("authorization", "1").with_header("etag", "1")).await;
    let seen = proxy.upstream().request();
    assert_eq!((seen.headers("authorization"), seen.headers("etag")), (vec!["1,2"], vec!["1", "2"]));
    assert_eq!((response.headers("authorization"), response.headers("etag")), (vec!["1", "2"], vec!["1,2"]));
}
