//! Envoy's foreign functions.

use inproxy_test::{Proxy, Request, Response};
use inproxy_tests::{Conversation, Probe};

const CALLS: Conversation = Conversation::new(
    r#"
    configure: foreign declare_property \x0a\x01q\x10\x01 -> 0 ""
    configure: foreign declare_property \x0a\x01q -> 2
    request_headers: foreign compress hello -> 0 "x\x9c\xcbH\xcd\xc9\xc9\x07\x00\x06,\x02\x15"
    request_headers: foreign uncompress $bytes -> 0 "hello"
    request_headers: foreign uncompress junk -> 3
    request_headers: foreign clear_route_cache - -> 0 ""
    request_headers: foreign nothing - -> 1
    request_headers: foreign set_envoy_filter_state \x0a\x17envoy.tcp_proxy.cluster\x12\x01c -> 0 ""
    request_headers: foreign set_envoy_filter_state \x0a\x01x\x12\x01c -> 1
    request_headers: foreign set_envoy_filter_state \xff -> 2
    request_headers: foreign set_envoy_filter_state \x0a\x17envoy.tcp_proxy.cluster\x12\x01d\x18\x01 -> 0 ""
    request_headers: foreign set_envoy_filter_state \x0a\x1benvoy.upstream.dynamic_port\x12\x0280 -> 0 ""
    request_headers: foreign set_envoy_filter_state \x0a\x1benvoy.upstream.dynamic_port\x12\x01x -> 2
    request_headers: get_property filter_state\0envoy.upstream.dynamic_port -> 0 "80"
    request_headers: get_property filter_state\0envoy.tcp_proxy.cluster -> 0 "c"
    request_headers: foreign expr_create request.method\s==\s'GET' -> 0 "\x00\x00\x00\x00"
    request_headers: foreign expr_evaluate $bytes -> 0 "\x01"
    request_headers: foreign expr_create request.path\s+\s'x' -> 0 "\x01\x00\x00\x00"
    request_headers: foreign expr_evaluate $bytes -> 0 "/ax"
    request_headers: foreign expr_create 1\s+\s2 -> 0 "\x02\x00\x00\x00"
    request_headers: foreign expr_evaluate $bytes -> 0 "\x03\x00\x00\x00\x00\x00\x00\x00"
    request_headers: foreign expr_create request.headers['x-no'] -> 0 "\x03\x00\x00\x00"
    request_headers: foreign expr_evaluate $bytes -> 10
    request_headers: foreign expr_create request.nothing -> 0 "\x04\x00\x00\x00"
    request_headers: foreign expr_evaluate $bytes -> 10
    request_headers: foreign expr_create [1,2] -> 0 "\x05\x00\x00\x00"
    request_headers: foreign expr_evaluate $bytes -> 0 "\x02\x00\x00\x00\x08\x00\x00\x00\x00\x00\x00\x00\x08\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00"
    request_headers: foreign expr_create {'a':1} -> 0 "\x06\x00\x00\x00"
    request_headers: foreign expr_evaluate $bytes -> 0 "\x01\x00\x00\x00\x01\x00\x00\x00\x08\x00\x00\x00a\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00"
    request_headers: foreign expr_create 1.5 -> 0 "\x07\x00\x00\x00"
    request_headers: foreign expr_evaluate $bytes -> 0 "\x00\x00\x00\x00\x00\x00\xf8?"
    request_headers: foreign expr_create null -> 0 "\x08\x00\x00\x00"
    request_headers: foreign expr_evaluate $bytes -> 3
    request_headers: foreign expr_create 1\s+ -> 2
    request_headers: foreign expr_create nothing(1) -> 2
    request_headers: foreign expr_create request.path.split('/') -> 2
    request_headers: foreign expr_create request -> 0 "\x0b\x00\x00\x00"
    request_headers: foreign expr_evaluate $bytes -> 3
    request_headers: foreign expr_create request.path.matches('^/[ab]$') -> 0 "\x0c\x00\x00\x00"
    request_headers: foreign expr_evaluate $bytes -> 0 "\x01"
    request_headers: foreign expr_create request.path.matches('(') -> 0 "\r\x00\x00\x00"
    request_headers: foreign expr_evaluate $bytes -> 10
    request_headers: foreign expr_evaluate \x63\0\0\0 -> 1
    request_headers: foreign expr_evaluate xx -> 2
    request_headers: foreign expr_delete \0\0\0\0 -> 0 ""
    request_headers: foreign expr_evaluate \0\0\0\0 -> 1
    request_headers: foreign expr_delete \x63\0\0\0 -> 0 ""
    request_headers: foreign declare_property \x0a\x01p -> 0 ""
    request_headers: foreign declare_property \x0a\x01p -> 2
    request_headers: foreign declare_property \x0a\x01r\x10\x01 -> 0 ""
    request_headers: set_property r 1 -> 0
    request_headers: set_property r 2 -> 0
    request_headers: set_property q 1 -> 0
    request_headers: set_property q 2 -> 2
    request_headers: get_property q -> 0 "1"
"#,
);

/// An expression is evaluated for the context whose callback runs. After a call-out that is the root context, whatever context calls act on: it has a name of its plugin, and nothing of the stream.
const EVALUATED: Conversation = Conversation::new(
    r#"
    configure: foreign expr_create request.method -> 0 "\x00\x00\x00\x00"
    configure: foreign expr_create plugin_name -> 0 "\x01\x00\x00\x00"
    configure: foreign expr_create response.code -> 0 "\x02\x00\x00\x00"
    configure: foreign expr_evaluate \0\0\0\0 -> 10
    configure: foreign expr_evaluate \x01\0\0\0 -> 0 "probe"
    request_headers: foreign expr_evaluate \0\0\0\0 -> 0 "GET"
    request_headers: foreign expr_evaluate \x02\0\0\0 -> 10
    request_headers: http_call side 1000 - :method=GET :path=/ :authority=x -> 0
    request_headers: return 1
    http_call_response: set_context $stream -> 0
    http_call_response: get_property request\0method -> 0 "GET"
    http_call_response: foreign expr_evaluate \0\0\0\0 -> 10
    http_call_response: foreign expr_evaluate \x01\0\0\0 -> 0 "probe"
    http_call_response: continue_stream 0 -> 0
    response_headers: foreign expr_evaluate \0\0\0\0 -> 10
    response_headers: foreign expr_evaluate \x02\0\0\0 -> 0 "\xc8\x00\x00\x00\x00\x00\x00\x00"
    log: foreign expr_evaluate \0\0\0\0 -> 0 "GET"
    log: foreign expr_evaluate \x02\0\0\0 -> 0 "\xc8\x00\x00\x00\x00\x00\x00\x00"
"#,
);

#[inproxy_test::test(only(wasm, envoy), because = "the probe has no SDK, which the native host needs")]
async fn expressions_are_evaluated_for_the_context_that_was_called(proxy: Proxy<Probe>) {
    let proxy = proxy.configure_text(&EVALUATED.script()).cluster("side", |_| Response::new(200)).start().await;
    proxy.send(Request::get("/a")).await;
    EVALUATED.expect(&proxy).await;
}

#[inproxy_test::test(only(wasm, envoy), because = "the probe has no SDK, which the native host needs")]
async fn foreign_functions_answer_as_envoys(proxy: Proxy<Probe>) {
    let proxy = proxy.configure_text(&CALLS.script()).start().await;
    proxy.send(Request::get("/a")).await;
    CALLS.expect(&proxy).await;
}
