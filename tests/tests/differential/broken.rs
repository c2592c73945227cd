//! A model that breaks one rule is found out.

use inproxy_test::{__private::Broken, HostKind};

use crate::case;

/// Breaks a rule, and expects that a case shows it, at a line that says this.
fn found_out(rule: Broken, name: &'static str, line: &'static str) {
    inproxy_test::__private::run(HostKind::Envoy, name, |_| async move {
        let case = crate::all().into_iter().find(|case| case.name == name).expect("it is in the table");
        let Some(difference) = case::difference(&case, Some(rule)).await else { panic!("{name} agrees, though the model breaks {rule:?}") };
        let shown = difference.to_string();
        let parted = shown.lines().find(|line| line.starts_with('>')).expect("one line differs");
        assert!(parted.contains(line), "{name} parts from Envoy elsewhere:\n{shown}");
    });
}

#[test]
fn headers_that_can_be_reached_in_the_body() {
    found_out(Broken::HeadersInTheBody, "bodies_are_read", "proxy_get_header_map_value(0, 5) -> 2");
}

#[test]
fn a_buffer_that_is_set_in_the_middle() {
    found_out(Broken::BufferInTheMiddle, "bodies_are_changed", "proxy_set_buffer_bytes(0, 2, 1, 6) -> 2");
}

#[test]
fn replies_that_come_in_pieces() {
    found_out(Broken::RepliesInPieces, "a_reply_at_the_headers", "proxy_on_response_body(context 2, 2, 1) -> 0");
}

#[test]
fn a_zero_that_is_compared() {
    found_out(Broken::ConditionalZero, "data_is_shared", "proxy_set_shared_data(1, 1, 0) -> 0");
}

#[test]
fn timeouts_that_say_nothing() {
    found_out(Broken::SilentTimeouts, "a_call_times_out", "proxy_on_http_call_response(context 1, http call 1, 3, 24, 0)");
}

#[test]
fn headers_that_can_be_reached_at_the_end() {
    found_out(Broken::HeadersAtTheEnd, "several_requests_one_after_the_other", "proxy_get_header_map_value(0, 5) -> 2");
}
