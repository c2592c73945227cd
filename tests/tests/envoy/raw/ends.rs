//! The end of a stream: nothing can be done with it any more.

use super::{Raw, SIGSEGV};

/// What Envoy writes when it gets the signal, with the address that it stumbled over.
const FAULT: &str = "Caught Segmentation fault, suspect faulting address";

#[tokio::test]
async fn a_reply_in_on_log_kills_envoy() {
    Raw::new("log: reply 403 - no -1").await.dies_of(SIGSEGV, FAULT).await;
}

#[tokio::test]
async fn a_reply_in_on_done_kills_envoy() {
    Raw::new("done: reply 403 - no -1").await.dies_of(SIGSEGV, FAULT).await;
}

#[tokio::test]
async fn a_reply_in_on_delete_kills_envoy() {
    Raw::new("delete: reply 403 - no -1").await.dies_of(SIGSEGV, FAULT).await;
}

#[tokio::test]
async fn a_reset_in_on_log_kills_envoy() {
    Raw::new("log: close_stream 1").await.dies_of(SIGSEGV, FAULT).await;
}

#[tokio::test]
async fn a_reset_in_on_done_or_on_delete_kills_envoy() {
    for callback in ["done", "delete"] {
        Raw::new(&format!("{callback}: close_stream 0")).await.dies_of(SIGSEGV, FAULT).await;
    }
}

#[tokio::test]
async fn a_reset_at_trailers_that_go_on_kills_envoy() {
    Raw::new("response_trailers: close_stream 1").await.dies_of(SIGSEGV, FAULT).await;
}
