//! gRPC calls and streams, in all their failures.

use std::time::Duration;

use inproxy_test::{GrpcReply, Proxy, Request};
use inproxy_tests::{Conversation, Probe, expect_probe};

/// What Envoy says of tokens that are none, and of services that are not there. `\x0a\x06\x0a\x04none` is a `GrpcService` with the cluster `none`.
const REFUSED: Conversation = Conversation::new(
    r#"
    request_headers: grpc_call nowhere svc.Name Method 1000 hello -> 4
    request_headers: grpc_call \x0a\x06\x0a\x04none svc.Name Method 1000 hello -> 10
    request_headers: grpc_call \x0a\x06\x0a\x04gone svc.Name Method 1000 hello -> 10
    request_headers: grpc_stream \x0a\x06\x0a\x04none svc.Name Method -> 10
    request_headers: grpc_send 4 x 0 -> 2
    request_headers: grpc_send 5 x 0 -> 2
    request_headers: grpc_send 402 x 0 -> 1
    request_headers: grpc_cancel 4 -> 2
    request_headers: grpc_cancel 401 -> 1
    request_headers: grpc_close 402 -> 1
    grpc_close: get_status -> 0 "14 Cluster not available"
    grpc_close: get_status -> 0 "14 no healthy upstream{no_healthy_upstream}"
"#,
);

#[inproxy_test::test(only(wasm, envoy), because = "the probe has no SDK, which the native host needs")]
async fn calls_to_nobody_fail_twice_and_tokens_have_kinds(proxy: Proxy<Probe>) {
    let proxy = proxy.configure_text(&REFUSED.script()).cluster_without_endpoints("gone").start().await;
    proxy.send(Request::get("/")).await;
    REFUSED.expect(&proxy).await;
}

/// What the probe does with whatever comes.
const EVENTS: &str = r"
    grpc_receive_initial_metadata: seen
    grpc_receive_initial_metadata: get_header 4 x-i
    grpc_receive: seen
    grpc_receive: get_buffer 5 0 100
    grpc_receive: get_buffer_status 5
    grpc_receive_trailing_metadata: get_header 5 grpc-status
    grpc_receive_trailing_metadata: get_header 5 x-t
    grpc_close: seen
    grpc_close: get_status
";

// ANCHOR: grpc
#[inproxy_test::test(only(wasm, envoy), because = "the probe has no SDK, which the native host needs")]
async fn of_a_unary_call_that_succeeds_only_the_message_is_told(proxy: Proxy<Probe>) {
    let script = format!(r"request_headers: grpc_call \x0a\x06\x0a\x04auth svc.Name Check 0 hello x-m=1{EVENTS}");
    let proxy =
        proxy.grpc("auth", |call| GrpcReply::message([b"hi ", call.message()].concat()).with_metadata("x-i", "1").after(Duration::from_millis(20)));
    let proxy = proxy.configure_text(&script).start().await;
    proxy.send(Request::get("/")).await;
    expect_probe(
        &proxy,
        r#"
        request_headers grpc_call \x0a\x06\x0a\x04auth svc.Name Check 0 hello x-m=1 -> 0
        grpc_receive [8]
        grpc_receive get_buffer 5 0 100 -> 0 "hi hello"
        grpc_receive get_buffer_status 5 -> 0 8
        "#,
    )
    .await;
    let [call] = &proxy.grpc_calls("auth")[..] else { panic!("one call") };
    assert_eq!((call.service(), call.method(), call.message(), call.metadata("x-m")), ("svc.Name", "Check", &b"hello"[..], Some(&b"1"[..])));
}
// ANCHOR_END: grpc

#[inproxy_test::test(only(wasm, envoy), because = "the probe has no SDK, which the native host needs")]
async fn of_a_unary_call_that_fails_only_the_status_is_told(proxy: Proxy<Probe>) {
    let proxy = proxy.grpc("auth", |_| GrpcReply::status(7, "no"));
    let script = format!(r"request_headers: grpc_call \x0a\x06\x0a\x04auth svc.Name Check 1000 hello{EVENTS}");
    let proxy = proxy.configure_text(&script).start().await;
    proxy.send(Request::get("/")).await;
    expect_probe(
        &proxy,
        r#"
        request_headers grpc_call \x0a\x06\x0a\x04auth svc.Name Check 1000 hello -> 0
        grpc_close [7]
        grpc_close get_status -> 0 "7 no{via_upstream}"
        "#,
    )
    .await;
}

#[inproxy_test::test(only(wasm, envoy), because = "the probe has no SDK, which the native host needs")]
async fn a_unary_call_that_takes_too_long_is_unavailable(proxy: Proxy<Probe>) {
    let proxy = proxy.grpc("auth", |_| GrpcReply::message("late").after(Duration::from_millis(200)));
    let script = format!(r"request_headers: grpc_call \x0a\x06\x0a\x04auth svc.Name Check 20 hello{EVENTS}");
    let proxy = proxy.configure_text(&script).start().await;
    proxy.send(Request::get("/")).await;
    expect_probe(
        &proxy,
        r#"
        request_headers grpc_call \x0a\x06\x0a\x04auth svc.Name Check 20 hello -> 0
        grpc_close [14]
        grpc_close get_status -> 0 "14 upstream request timeout{response_timeout}"
        "#,
    )
    .await;
}

#[inproxy_test::test(only(wasm, envoy), because = "the probe has no SDK, which the native host needs")]
async fn a_stream_tells_of_each_message_and_of_its_end(proxy: Proxy<Probe>) {
    let proxy = proxy.grpc_stream("echo", |call| {
        let echo = GrpcReply::message(call.message()).with_metadata("x-i", "1");
        if call.is_ended() { echo.and_status(0, "").with_trailer("x-t", "2") } else { echo }
    });
    let script = format!(
        r"
        request_headers: grpc_stream \x0a\x06\x0a\x04echo svc.Name Talk x-n=2
        request_headers: grpc_send $last one 0
        grpc_receive_initial_metadata: grpc_send $last two 1
        {EVENTS}"
    );
    let proxy = proxy.configure_text(&script.replace("grpc_receive_initial_metadata: seen\n", "")).start().await;
    proxy.send(Request::get("/")).await;
    expect_probe(
        &proxy,
        r#"
        request_headers grpc_stream \x0a\x06\x0a\x04echo svc.Name Talk x-n=2 -> 0
        request_headers grpc_send $last one 0 -> 0
        grpc_receive_initial_metadata grpc_send $last two 1 -> 0
        grpc_receive_initial_metadata get_header 4 x-i -> 0 "1"
        grpc_receive [3]
        grpc_receive get_buffer 5 0 100 -> 0 "one"
        grpc_receive get_buffer_status 5 -> 0 3
        grpc_receive [3]
        grpc_receive get_buffer 5 0 100 -> 0 "two"
        grpc_receive get_buffer_status 5 -> 0 3
        grpc_receive_trailing_metadata get_header 5 grpc-status -> 0 "0"
        grpc_receive_trailing_metadata get_header 5 x-t -> 0 "2"
        grpc_close [0]
        grpc_close get_status -> 0 "0 via_upstream"
        "#,
    )
    .await;
    assert_eq!(proxy.grpc_calls("echo")[0].messages(), [b"one", b"two"]);
}

#[inproxy_test::test(only(wasm, envoy), because = "the probe has no SDK, which the native host needs")]
async fn a_stream_to_nobody_is_told_of_before_the_call_returns(proxy: Proxy<Probe>) {
    let script = format!(r"request_headers: grpc_stream \x0a\x06\x0a\x04gone svc.Name Talk{EVENTS}");
    let proxy = proxy.configure_text(&script).cluster_without_endpoints("gone").start().await;
    proxy.send(Request::get("/")).await;
    expect_probe(
        &proxy,
        r#"
        grpc_receive_initial_metadata [0]
        grpc_receive_initial_metadata get_header 4 x-i -> 1
        grpc_receive_trailing_metadata get_header 5 grpc-status -> 0 "14"
        grpc_receive_trailing_metadata get_header 5 x-t -> 1
        request_headers grpc_stream \x0a\x06\x0a\x04gone svc.Name Talk -> 10
        grpc_close [14]
        grpc_close get_status -> 0 "14 no healthy upstream{no_healthy_upstream}"
        "#,
    )
    .await;
}

#[inproxy_test::test(only(wasm, envoy), because = "the probe has no SDK, which the native host needs")]
async fn of_a_cancelled_call_nothing_comes(proxy: Proxy<Probe>) {
    let proxy = proxy.grpc("auth", |_| GrpcReply::message("late").after(Duration::from_millis(50)));
    let script = format!(
        r"
        request_headers: grpc_call \x0a\x06\x0a\x04auth svc.Name Check 1000 hello
        request_headers: grpc_cancel $last
        request_headers: grpc_cancel $last
        {EVENTS}"
    );
    let proxy = proxy.configure_text(&script).start().await;
    proxy.send(Request::get("/")).await;
    proxy.advance(Duration::from_millis(150)).await;
    expect_probe(
        &proxy,
        r"
        request_headers grpc_call \x0a\x06\x0a\x04auth svc.Name Check 1000 hello -> 0
        request_headers grpc_cancel $last -> 0
        request_headers grpc_cancel $last -> 1
        ",
    )
    .await;
}

#[inproxy_test::test(only(wasm), because = "the real Envoy aborts")]
#[should_panic(expected = "Envoy reads the name as a protobuf message and aborts")]
async fn a_cluster_name_that_is_a_protobuf_message_is_a_crash(proxy: Proxy<Probe>) {
    let proxy = proxy.configure_text("request_headers: grpc_call auth_grpc svc.Name Check 1000 hello").start().await;
    proxy.send(Request::get("/")).await;
}
