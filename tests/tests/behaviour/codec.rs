//! Bodies that are read piece by piece.

use filters::codec::{CountTokens, Redact};
use inproxy_test::{Proxy, Request, Response, Running, json};

// ANCHOR: redact
#[inproxy_test::test]
async fn words_are_taken_out_of_events(proxy: Proxy<Redact>) {
    let events = ": hello\n\nevent: token\r\ndata: the secret\r\ndata: is secret\r\n\r\nid: 7\ndata: [DONE]";
    let upstream = move |_: &Request| Response::new(200).with_header("content-type", "text/event-stream").with_body(events);
    let proxy = proxy.configure(json!({ "words": ["secret"] })).upstream(upstream).start().await;
    let response = proxy.send(Request::get("/")).await;
    assert_eq!(response.text(), "event: token\ndata: the ***\ndata: is ***\n\ndata: [DONE]\nid: 7\n\n");
    assert_eq!(response.header("content-length"), None);
}
// ANCHOR_END: redact

#[inproxy_test::test]
async fn what_is_no_event_stream_passes_as_it_is(proxy: Proxy<Redact>) {
    let upstream = |_: &Request| Response::new(200).with_header("content-type", "text/plain").with_body("data: secret\n\n");
    let proxy = proxy.configure(json!({ "words": ["secret"] })).upstream(upstream).start().await;
    let response = proxy.send(Request::get("/")).await;
    assert_eq!((response.text(), response.header("content-length")), ("data: secret\n\n", Some("14")));
}

#[inproxy_test::test]
async fn many_events_pass_whatever_pieces_they_come_in(proxy: Proxy<Redact>) {
    let event = |nth: u32, word: &str| format!("id: {nth}\ndata: {word} {}\n\n", "x".repeat(nth as usize % 97));
    let text = |word: &str| (0..4_000).map(|nth| event(nth, word)).collect::<String>();
    let sent = text("secret");
    let upstream = move |_: &Request| Response::new(200).with_header("content-type", "text/event-stream").with_body(sent.clone());
    let proxy = proxy.configure(json!({ "words": ["secret"] })).upstream(upstream).start().await;
    let came = proxy.send(Request::get("/")).await;
    // As the decoder writes it: data first.
    let expected: String = (0..4_000).map(|nth| format!("data: *** {}\nid: {nth}\n\n", "x".repeat(nth % 97))).collect();
    assert!(came.text() == expected, "{} bytes, not {}", came.text().len(), expected.len());
}

#[inproxy_test::test]
async fn at_an_event_that_is_too_long_the_response_breaks_off(proxy: Proxy<Redact>) {
    let events = format!("data: {}\n\ndata: secret\n\n", "x".repeat(70_000));
    let upstream = move |_: &Request| Response::new(200).with_header("content-type", "text/event-stream").with_body(events.clone());
    let proxy = proxy.configure(json!({ "words": ["secret"] })).upstream(upstream).start().await;
    let response = proxy.send(Request::get("/")).await;
    assert!(response.status() == 500 || !response.is_whole(), "{response:?}");
    assert!(!response.text().contains("secret"));
    proxy.expect_log("an event has more than 65536 bytes").await;
}

async fn sent_in_pieces(proxy: &Running, pieces: &[&str]) -> Response {
    let mut exchange = proxy.open(&Request::post("/").with_body(pieces.concat())).await;
    for piece in pieces {
        exchange.body(piece.as_bytes()).await;
    }
    exchange.end().await;
    exchange.response().await
}

#[inproxy_test::test]
async fn lines_are_counted_whatever_pieces_they_come_in(proxy: Proxy<CountTokens>) {
    let proxy = proxy.configure(json!({ "longest_line": 16 })).start().await;
    for pieces in [
        &["{\"tokens\": 1}\n{\"tokens\": 20}\r\n\nno\n{\"tokens\": 300}"][..],
        &["{\"tok", "ens\": 1}", "\n", "{\"tokens\": 20}\r", "\n\nn", "o\n{\"tokens\": ", "300}"],
    ] {
        let response = sent_in_pieces(&proxy, pieces).await;
        assert_eq!((response.header("x-tokens"), response.header("x-other")), (Some("321"), Some("1")));
        assert_eq!(proxy.upstream().requests().last().unwrap().text(), pieces.concat());
    }
}

#[inproxy_test::test]
async fn a_line_that_is_too_long_is_an_error(proxy: Proxy<CountTokens>) {
    let proxy = proxy.configure(json!({ "longest_line": 16 })).start().await;
    for pieces in [&["{\"tokens\": 1}\n", "{\"tokens\": 12345}\n"], &["{\"tokens\": 1}\n{", "\"tokens\": 12345}\n"]] {
        let response = sent_in_pieces(&proxy, pieces).await;
        assert!(response.status() == 500 || !response.is_whole(), "{response:?}");
    }
    proxy.expect_log("a line has more than 16 bytes").await;
}
