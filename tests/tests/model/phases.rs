//! Which headers, trailers and bodies there are in which phase.

use inproxy_test::{Proxy, Request, Response};
use inproxy_tests::{Conversation, Probe};

const PHASES: Conversation = Conversation::new(
    r#"
    configure: get_header 0 :path -> 2
    configure: get_map 0 -> 0
    configure: get_map_size 0 -> 2
    configure: get_buffer 0 0 10 -> 0 ""
    configure: get_buffer 4 0 10 -> 1
    configure: get_buffer_status 6 -> 0 0
    request_headers: get_header 0 :path -> 0 "/p"
    request_headers: get_header 0 Host -> 0 "test"
    request_headers: get_header 0 x-none -> 1
    request_headers: get_header 1 x-t -> 2
    request_headers: get_header 2 :status -> 2
    request_headers: get_map 2 -> 0
    request_headers: get_map 8 -> 2
    request_headers: get_header 6 :status -> 2
    request_headers: add_header 2 x-a 1 -> 2
    request_headers: remove_header 0 x-none -> 0
    request_headers: remove_header 3 x-none -> 2
    request_headers: get_buffer 0 0 10 -> 0 ""
    request_headers: get_buffer 9 0 10 -> 2
    request_headers: get_buffer 7 0 10 -> 1
    request_headers: set_buffer 0 0 0 x -> 2
    request_body: get_header 0 :path -> 2
    request_body: get_buffer 0 0 3 -> 0 "hel"
    request_body: get_buffer 0 3 99 -> 0 "lo"
    request_body: get_buffer 0 99 1 -> 0 ""
    request_body: get_buffer 1 0 10 -> 0 ""
    request_body: set_buffer 0 2 1 x -> 2
    request_body: set_buffer 7 0 1 x -> 1
    request_trailers: get_header 1 x-t -> 0 "1"
    request_trailers: get_header 0 :path -> 2
    response_headers: get_header 0 :path -> 2
    response_headers: get_header 2 :status -> 0 "200"
    response_headers: replace_header 2 x-r 2 -> 0
    response_headers: get_header 2 x-r -> 0 "2"
    response_body: get_header 2 :status -> 2
    response_body: get_buffer 0 0 10 -> 0 ""
    log: get_header 0 :path -> 0 "/p"
    log: get_header 2 :status -> 0 "200"
    log: get_header 1 x-t -> 1
    log: get_header 3 x-none -> 1
    log: add_header 0 x-a 1 -> 2
    log: get_buffer 1 0 10 -> 0 ""
"#,
);

#[inproxy_test::test(only(wasm, envoy), because = "the probe has no SDK, which the native host needs")]
async fn maps_and_buffers_are_there_in_their_phases(proxy: Proxy<Probe>) {
    // The body is held, so that it is seen in one piece.
    let script = PHASES.script() + "request_body: return 1\n";
    let proxy = proxy.upstream(|_| Response::new(200).with_header("x-r", "1").with_body("abc")).configure_text(&script).start().await;
    proxy.send(Request::post("/p").with_body("hello").with_trailer("x-t", "1")).await;
    PHASES.expect(&proxy).await;
}

const CALL: Conversation = Conversation::new(
    r#"
    request_headers: http_call nowhere 100 - :method=GET :path=/ :authority=a -> 2
    request_headers: http_call side 100 - :method=GET :path=/ -> 2
    request_headers: http_call gone 100 - :method=GET :path=/ :authority=a -> 10
    request_headers: http_call side 100 body :method=POST :path=/c :authority=a -> 0
    http_call_response: get_header 6 :status -> 0 "201"
    http_call_response: get_header 6 x-none -> 1
    http_call_response: get_header 7 x-t -> 0 "1"
    http_call_response: get_header 0 :path -> 2
    http_call_response: get_buffer 4 0 99 -> 0 "answer"
    http_call_response: set_context 999 -> 2
    http_call_response: set_context $stream -> 0
    http_call_response: get_header 0 :path -> 0 "/p"
    http_call_response: continue_stream 3 -> 12
    http_call_response: continue_stream 4 -> 2
    http_call_response: close_stream 4 -> 2
    http_call_response: done -> 1
    http_call_response: continue_stream 0 -> 0
"#,
);

#[inproxy_test::test(only(wasm, envoy), because = "the probe has no SDK, which the native host needs")]
async fn a_call_out_is_answered_on_the_root_and_reaches_its_stream_when_told(proxy: Proxy<Probe>) {
    let proxy = proxy.cluster("side", |_| Response::new(201).with_body("answer").with_trailer("x-t", "1")).cluster_without_endpoints("gone");
    let proxy = proxy.configure_text(&(CALL.script() + "request_headers: return 1\n")).start().await;
    assert_eq!(proxy.send(Request::get("/p")).await.status(), 200);
    assert_eq!(proxy.service("side").request().text(), "body");
    CALL.expect(&proxy).await;
}

const INVALID: Conversation = Conversation::new(
    r#"
    request_headers: http_call side 100 - :method=GET :path=/ :authority=a x=\x0a -> 0
    http_call_response: get_header 6 :status -> 0 "503"
    http_call_response: get_buffer 4 0 99 -> 0 "invalid header value for: x"
"#,
);

#[inproxy_test::test(only(wasm, envoy), because = "the probe has no SDK, which the native host needs")]
async fn a_call_out_with_an_invalid_value_is_answered_by_envoy_itself(proxy: Proxy<Probe>) {
    let proxy = proxy.cluster("side", |_| Response::new(200)).configure_text(&INVALID.script()).start().await;
    proxy.send(Request::get("/p")).await;
    INVALID.expect(&proxy).await;
    assert!(proxy.service("side").requests().is_empty());
}

#[inproxy_test::test(only(wasm, envoy), because = "the probe has no SDK, which the native host needs")]
async fn trailers_can_be_made_where_a_body_ends(proxy: Proxy<Probe>) {
    let script = "request_headers: remove_header 0 content-length\nresponse_headers: remove_header 2 content-length\nrequest_body: add_header 1 x-made 1\nresponse_body: add_header 3 x-made 2";
    let proxy = proxy.configure_text(script).upstream(|_| Response::new(200).with_body("b")).start().await;
    let response = proxy.send(Request::post("/").with_body("hello")).await;
    assert_eq!(response.trailer_value("x-made"), Some(&b"2"[..]), "{response:?}");
    assert_eq!(proxy.upstream().request().trailer_value("x-made"), Some(&b"1"[..]));
}

#[inproxy_test::test(only(wasm, envoy), because = "the probe has no SDK, which the native host needs")]
async fn details_of_a_reply_are_in_the_access_log(proxy: Proxy<Probe>) {
    let proxy = proxy.configure_text("request_headers: reply 403 why\\sso no -1 x-own=1").start().await;
    let response = proxy.send(Request::get("/")).await;
    assert_eq!((response.status(), response.text(), response.header("x-own")), (403, "no", Some("1")));
    let [access] = &proxy.access_log().await[..] else { panic!("one request") };
    assert_eq!((access.status, &*access.details), (403, "why_so"));
}

#[inproxy_test::test(only(wasm, envoy), because = "the probe has no SDK, which the native host needs")]
async fn a_reply_to_a_grpc_request_is_a_grpc_status(proxy: Proxy<Probe>) {
    let proxy = proxy.configure_text("request_headers: reply 403 - no -1").start().await;
    let response = proxy.send(Request::post("/svc/Method").with_header("content-type", "application/grpc")).await;
    assert_eq!((response.status(), response.header("grpc-status"), response.header("grpc-message")), (200, Some("7"), Some("no")));
}

#[inproxy_test::test(only(wasm, envoy), because = "the probe has no SDK, which the native host needs")]
async fn a_reply_says_which_grpc_status_it_is(proxy: Proxy<Probe>) {
    let proxy = proxy.configure_text("request_headers: reply 429 - - 8").start().await;
    let response = proxy.send(Request::post("/svc/Method").with_header("content-type", "application/grpc")).await;
    assert_eq!((response.status(), response.header("grpc-status")), (200, Some("8")));
}
