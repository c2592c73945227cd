//! Local replies: too many, too late, and with a status that is none.

use inproxy_tests::{Connection, Server};

use super::{Raw, SIGSEGV, answer, asked, responses};
use crate::get;

#[tokio::test]
async fn of_two_replies_to_a_request_the_first_is_sent() {
    let raw = Raw::new("request_headers: reply 403 - first -1\nrequest_headers: reply 401 - second -1").await;
    let (bytes, _) = raw.exchange().await;
    assert!(responses(&bytes) == 1 && bytes.ends_with("first"), "{bytes}");
    raw.survives();
}

#[tokio::test]
async fn two_replies_to_a_response_kill_envoy() {
    for callback in ["response_headers", "response_body"] {
        let raw = Raw::new(&format!("{callback}: reply 403 - first -1\n{callback}: reply 401 - second -1")).await;
        raw.dies_of(SIGSEGV, "Caught Segmentation fault").await;
    }
}

#[tokio::test]
async fn two_resets_in_one_callback_kill_envoy() {
    Raw::new(&asked("request_headers", 1, &["close_stream 1", "close_stream 1"])).await.dies_of(SIGSEGV, "Caught Segmentation fault").await;
}

#[tokio::test]
async fn a_reply_to_a_reply_takes_its_place() {
    let raw = Raw::new("request_headers: reply 403 - first -1\nresponse_headers: reply 500 - second -1").await;
    let (bytes, _) = raw.exchange().await;
    assert!(bytes.starts_with("HTTP/1.1 500 ") && bytes.ends_with("second"), "{bytes}");
    raw.survives();
}

#[tokio::test]
async fn a_reply_and_a_resume_of_the_response_send_its_headers_twice() {
    let raw = Raw::new(&asked("request_headers", 1, &["reply 403 - no -1", "continue_stream 1"])).await;
    let (bytes, _) = raw.exchange().await;
    assert_eq!(responses(&bytes), 2, "{bytes}");
}

#[tokio::test]
async fn a_reply_whose_own_response_is_paused_hangs_the_client() {
    let raw = Raw::new("request_headers: reply 403 - no -1\nresponse_headers: return 1").await;
    assert_eq!(raw.exchange().await, (String::new(), false));
    raw.survives();
}

#[tokio::test]
async fn a_reply_behind_the_responses_headers_cuts_it_off() {
    let raw = Raw::new("response_body: reply 403 - no -1").await;
    let (bytes, _) = raw.exchange().await;
    assert!(bytes.starts_with("HTTP/1.1 200 OK\r\n") && bytes.ends_with("\r\n\r\n"), "{bytes}");
}

#[tokio::test]
async fn a_reply_goes_out_with_any_number_for_a_status() {
    for (status, line) in [(0_u32, "0 Unknown"), (99, "99 Unknown"), (100, "100 Continue"), (1000, "1000 Unknown"), (65536, "0 Unknown")] {
        let raw = Raw::new(&format!("request_headers: reply {status} - no -1")).await;
        let (bytes, _) = raw.exchange().await;
        assert!(bytes.starts_with(&format!("HTTP/1.1 {line}\r\n")), "{status}: {bytes}");
    }
}

#[tokio::test]
async fn a_reply_with_a_body_that_its_status_does_not_have_is_two() {
    let raw = Raw::new("request_headers: reply 204 - HTTP/1.1\\s200\\sOK -1").await;
    let (bytes, _) = raw.exchange().await;
    assert!(bytes.starts_with("HTTP/1.1 204 ") && bytes.ends_with("\r\n\r\nHTTP/1.1 200 OK"), "{bytes}");
}

#[tokio::test]
async fn a_status_that_has_no_body_splits_the_response_that_has_one() {
    let raw = Raw::before(Server::answering(|_| Some(answer("HTTP/1.1 200 OK"))).await, "response_headers: replace_header 2 :status 204").await;
    let mut connection = Connection::open(raw.address).await;
    connection.send(get("/", "")).await;
    let (bytes, _) = connection.bytes_until_silent_for(super::SILENCE).await;
    let bytes = String::from_utf8(bytes).unwrap();
    assert!(bytes.starts_with("HTTP/1.1 204 ") && bytes.contains("\r\n\r\nHTTP/1.1 200 OK"), "{bytes}");
}
