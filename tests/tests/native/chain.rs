//! Two filter crates in one binary are two filters.

use auth as _;
use hello as _;

use crate::host::{REQUEST, RESPONSE, TestHost};

const AUTH: u32 = 1;
const HELLO: u32 = 2;

fn chain() -> std::rc::Rc<TestHost> {
    let host = TestHost::start();
    assert!(host.configure(AUTH, "auth", r#"{"consumers":[{"name":"alice","key":"k"}],"authority":{"cluster":"authority"}}"#), "{:?}", host.log);
    assert!(host.configure(HELLO, "hello", r#"{"name":"x-hello","value":"hi"}"#), "{:?}", host.log);
    host
}

#[test]
fn two_crates_are_chained() {
    let host = chain();
    host.put(REQUEST, &[(":path", "/"), ("x-api-key", "k"), ("x-consumer", "root")]);
    assert!(host.request_headers(10, AUTH));
    assert!(host.request_headers(11, HELLO));
    assert_eq!(host.header_text(REQUEST, "x-consumer").as_deref(), Some("alice"));
    host.put(RESPONSE, &[(":status", "200")]);
    assert!(host.response_headers(11) && host.response_headers(10));
    assert_eq!(host.header_text(RESPONSE, "x-hello").as_deref(), Some("hi"));
    host.end(11);
    host.end(10);
    assert!(host.replies.borrow().is_empty() && host.resumed.borrow().is_empty());
}

#[test]
fn a_request_that_waits_for_a_call_is_held_and_resumed_once() {
    let host = chain();
    host.put(REQUEST, &[(":path", "/"), ("x-api-key", "unknown")]);
    assert!(!host.request_headers(10, AUTH), "held");
    host.answer_call(AUTH, &[(":status", "200"), ("x-consumer", "bob")]);
    assert_eq!(*host.resumed.borrow(), [(10, 0)], "stream 10, request direction");
    assert_eq!(host.header_text(REQUEST, "x-consumer").as_deref(), Some("bob"));
    host.put(RESPONSE, &[(":status", "200")]);
    assert!(host.response_headers(10));
    host.end(10);
}

#[test]
fn an_answer_that_comes_after_the_stream_does_nothing() {
    let host = chain();
    host.put(REQUEST, &[(":path", "/"), ("x-api-key", "unknown")]);
    assert!(!host.request_headers(10, AUTH));
    host.end(10);
    host.answer_call(AUTH, &[(":status", "200"), ("x-consumer", "bob")]);
    assert!(host.resumed.borrow().is_empty() && host.replies.borrow().is_empty() && host.panics.borrow().is_empty());
}

#[test]
fn a_root_id_that_is_none_is_refused_with_those_that_are() {
    let host = TestHost::start();
    assert!(!host.configure(AUTH, "nobody", "{}"));
    let log = host.log.borrow().join("\n");
    assert!(log.contains("\"auth\" (auth::Auth)") && log.contains("\"hello\" (hello::Hello)"), "{log}");
}
