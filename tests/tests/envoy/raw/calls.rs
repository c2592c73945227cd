//! Calls to others: that crash, that are never answered, that are answered twice, and what is wrong in their callbacks.

use super::{Raw, SIGABRT, asked};

#[tokio::test]
async fn a_grpc_upstream_that_reads_as_a_message_kills_envoy() {
    Raw::new("request_headers: grpc_call auth_grpc s m 100 -").await.dies_of(SIGABRT, "Caught Aborted").await;
    Raw::new("request_headers: grpc_stream auth_grpc s m").await.dies_of(SIGABRT, "Caught Aborted").await;
}

#[tokio::test]
async fn a_grpc_upstream_without_a_name_kills_envoy() {
    Raw::new("request_headers: grpc_call - s m 100 -").await.dies_of(SIGABRT, "Caught Aborted").await;
}

#[tokio::test]
async fn a_call_to_a_cluster_without_endpoints_is_never_answered() {
    let raw =
        Raw::new("request_headers: http_call @gone 50 - :method=GET :path=/ :authority=a\nrequest_headers: return 1\nhttp_call_response: seen").await;
    assert_eq!(raw.exchange().await.0, "", "it waits");
    let log = raw.envoy.log();
    assert!(log.contains(":method=GET :path=/ :authority=a -> 10") && !log.contains("probe: http_call_response"), "{log}");
}

#[tokio::test]
async fn a_grpc_call_that_is_refused_is_told_again() {
    let script = "request_headers: grpc_call @PROTO s m 100 -\ngrpc_close: seen";
    let raw = Raw::new(&script.replace("@PROTO", "\\x0a\\x06\\x0a\\x04nope")).await;
    raw.exchange().await;
    assert!(raw.envoy.logs("s m 100 - -> 10").await, "{}", raw.envoy.log());
    assert!(raw.envoy.logs("probe: grpc_close [5, 14]").await || raw.envoy.logs("probe: grpc_close").await, "{}", raw.envoy.log());
}

#[tokio::test]
async fn an_expression_after_a_call_reads_the_wrong_context() {
    let script = format!(
        "configure: foreign expr_create request.path\n{}",
        asked("request_headers", 1, &["foreign expr_evaluate $bytes", "get_property request\\0path", "continue_stream 0"])
    );
    let raw = Raw::new(&script).await;
    raw.exchange().await;
    assert!(raw.envoy.logs("probe: http_call_response foreign expr_evaluate $bytes -> 10").await, "{}", raw.envoy.log());
    assert!(raw.envoy.logs("probe: http_call_response get_property request\\0path -> 0 \"/\"").await, "the stream is there: {}", raw.envoy.log());
    assert_eq!(raw.side.seen().requests().len(), 1);
}

#[tokio::test]
async fn a_trap_in_an_answer_hangs_the_request_that_waits() {
    let raw = Raw::new(&asked("request_headers", 1, &["trap"])).await;
    assert_eq!(raw.exchange().await, (String::new(), false));
    assert!(raw.envoy.log().contains("Uncaught RuntimeError: unreachable"), "{}", raw.envoy.log());
}

#[tokio::test]
async fn the_buffer_of_call_data_is_what_was_read_last() {
    let raw = Raw::new("request_body: get_buffer 0 0 99\nresponse_headers: get_buffer 8 0 99").await;
    raw.exchange().await;
    assert!(raw.envoy.logs("probe: response_headers get_buffer 8 0 99 -> 0").await, "{}", raw.envoy.log());
}
