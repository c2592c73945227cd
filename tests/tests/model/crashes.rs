//! What the real Envoy does not survive, or does worse than that, fails a test on the model. That the real one does so is shown in `tests/tests/envoy/raw`.

use inproxy_test::{Proxy, Request, Response};
use inproxy_tests::Probe;

/// Sends a request with body and trailers, which is answered with body and trailers.
async fn crashes(proxy: Proxy<Probe>, script: &str) {
    let upstream = |_: &Request| Response::new(200).with_body("hello").with_trailer("x-t", "1");
    let proxy = proxy.upstream(upstream).cluster("side", |_| Response::new(200)).configure_text(script).start().await;
    proxy.send(Request::post("/").with_body("body").with_trailer("x-t", "1")).await;
}

/// Asks at the headers of a request, and has the answer act on its stream.
fn asked(at: &str, paused: bool, calls: &str) -> String {
    let calls: String = calls.split("; ").map(|call| format!("http_call_response: {call}\n")).collect();
    format!(
        "{at}: http_call side 100 - :method=GET :path=/ :authority=a\n{at}: return {}\nhttp_call_response: set_context $stream\n{calls}",
        u8::from(paused)
    )
}

macro_rules! crashes {
    ($($name:ident: $script:expr => $expected:literal;)*) => {
        $(#[inproxy_test::test(only(wasm), because = "the real Envoy dies, or does worse")]
        #[should_panic(expected = $expected)]
        async fn $name(proxy: Proxy<Probe>) {
            crashes(proxy, &$script).await;
        })*
    };
}

crashes! {
    a_reply_in_on_log: "log: reply 403 - - -1" => "Envoy calls itself without end, or dies of SIGSEGV";
    a_reply_in_on_done: "done: reply 403 - - -1" => "Envoy calls itself without end, or dies of SIGSEGV";
    a_reply_in_on_delete: "delete: reply 403 - - -1" => "Envoy calls itself without end, or dies of SIGSEGV";
    a_reset_in_on_log: "log: close_stream 1" => "Envoy calls itself without end, or dies of SIGSEGV";
    a_response_resumed_at_the_requests_headers: "request_headers: continue_stream 1" => "a response that is not there: Envoy dies of SIGSEGV";
    a_response_resumed_at_the_requests_body: "request_body: continue_stream 1" => "a response that is not there: Envoy dies of SIGSEGV";
    a_response_resumed_while_the_request_waits: asked("request_headers", true, "continue_stream 1") => "a response that is not there: Envoy dies of SIGSEGV";
    a_request_resumed_in_its_callback: "request_headers: continue_stream 0" => "goes on twice";
    a_request_resumed_in_its_callback_that_pauses: "request_headers: continue_stream 0\nrequest_headers: return 1" => "the body is lost";
    a_request_resumed_that_was_not_paused: asked("response_headers", false, "continue_stream 0").replace("http_call_response: ", "response_headers: ") => "it is sent to the upstream again";
    a_response_resumed_in_its_callback: "response_headers: continue_stream 1" => "goes on twice";
    a_response_resumed_in_its_callback_that_pauses: "response_headers: continue_stream 1\nresponse_headers: return 1" => "the body is lost";
    trailers_resumed_in_their_callback: "response_trailers: continue_stream 1" => "then returned Continue: Envoy dies of SIGSEGV";
    a_reset_at_trailers_that_go_on: "response_trailers: close_stream 1" => "then returned Continue: Envoy dies of SIGSEGV";
    two_replies_to_a_response: "response_headers: reply 403 - - -1\nresponse_headers: reply 401 - - -1" => "in the callback of proxy_send_local_response";
    two_resets: asked("request_headers", true, "close_stream 1; close_stream 1") => "in the callback of proxy_close_stream";
    a_reply_behind_a_resumed_response: asked("response_headers", true, "continue_stream 1; reply 403 - - -1") => "in the callback of proxy_continue_stream";
    a_reset_behind_a_resumed_response: asked("response_headers", true, "continue_stream 1; close_stream 1") => "in the callback of proxy_continue_stream";
    a_grpc_upstream_that_reads_as_a_message: "request_headers: grpc_call auth_grpc s m 100 -" => "Envoy reads the name as a protobuf message and aborts";
    a_grpc_upstream_without_a_name: "request_headers: grpc_stream - s m" => "Envoy reads the name as a protobuf message and aborts";
}

#[inproxy_test::test(only(wasm, envoy), because = "the probe has no SDK, which the native host needs")]
async fn a_request_is_answered_by_the_first_of_two_replies(proxy: Proxy<Probe>) {
    let script = "request_headers: reply 403 - first -1\nrequest_headers: reply 401 - second -1";
    let response = proxy.configure_text(script).start().await.send(Request::get("/")).await;
    assert_eq!((response.status(), response.text()), (403, "first"));
}

#[inproxy_test::test(only(wasm, envoy), because = "the probe has no SDK, which the native host needs")]
async fn a_request_that_is_resumed_twice_goes_on_once(proxy: Proxy<Probe>) {
    let script = asked("request_headers", true, "continue_stream 0; continue_stream 0");
    let proxy = proxy.cluster("side", |_| Response::new(200)).configure_text(&script).start().await;
    assert_eq!(proxy.send(Request::post("/").with_body("body")).await.status(), 200);
    assert_eq!(proxy.upstream().request().text(), "body");
}
