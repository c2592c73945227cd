//! What becomes of a request when the proxy refuses a call.

use std::rc::Rc;

use inproxy::abi::Status;

use crate::host::{REQUEST, TestHost};

/// Sends a request for each status that a call may answer, through `auth`; then looks at what became of it.
fn each_refusal(call: &'static str, headers: &[(&str, &str)], check: impl Fn(&TestHost, u32)) {
    let host = TestHost::start();
    assert!(host.configure(1, "auth", r#"{"consumers":[{"name":"alice","key":"k"}]}"#), "{:?}", host.log);
    for status in (1..=12).chain([13, u32::MAX]) {
        host.put(REQUEST, headers);
        host.refuses.borrow_mut().insert(call, Status::from_raw(status));
        assert!(!host.request_headers(9 + status % 100, 1), "{call} answers {status}: the request went on");
        check(&host, status);
        host.end(9 + status % 100);
        host.replies.borrow_mut().clear();
        host.log.borrow_mut().clear();
    }
    assert!(host.panics.borrow().is_empty() && host.resumed.borrow().is_empty());
    assert_eq!(Rc::strong_count(&host), 1);
}

#[test]
fn a_request_that_could_not_be_edited_does_not_go_on() {
    for call in ["remove_header", "replace_header"] {
        // Each in a thread, and so a VM, of its own.
        let refused = std::thread::spawn(move || {
            each_refusal(call, &[(":path", "/"), ("x-api-key", "k")], |host, status| {
                assert_eq!(*host.replies.borrow(), [500], "{call} answers {status}");
            });
        });
        refused.join().unwrap();
    }
}

#[test]
fn a_header_that_cannot_be_read_is_not_there() {
    each_refusal("header", &[(":path", "/"), ("x-api-key", "k")], |host, status| assert_eq!(*host.replies.borrow(), [401], "{status}"));
}

#[test]
fn a_reply_that_is_refused_resets_the_stream() {
    each_refusal("send_local_response", &[(":path", "/")], |host, status| {
        assert!(host.log.borrow().iter().any(|line| line.contains("the stream is reset")), "{status}: {:?}", host.log);
    });
}
