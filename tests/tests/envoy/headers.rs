use inproxy_tests::{Connection, Proxy, Server};
use serde_json::json;

use crate::get;

const NOT_UTF8: &[u8] = b"caf\xe9\xff";

#[tokio::test]
async fn all_values_of_a_request_header_are_read_also_those_that_are_not_utf8() {
    let upstream = Server::saying("hello").await;
    let address = Proxy::before(&upstream).filter("edit_headers", json!({ "read": ["x-many", "x-odd", "x-absent"] })).open().await;
    let mut request = get("/", "x-many: one\r\nX-Many: two\r\nx-odd: ").strip_suffix(b"\r\n").unwrap().to_vec();
    request.extend(NOT_UTF8);
    request.extend(b"\r\n\r\n");
    let response = Connection::exchange(address, request).await;
    assert_eq!(response.status(), 200);
    assert_eq!(response.all("x-read-x-many"), [b"one", b"two"]);
    assert_eq!(response.all("x-read-x-odd"), [NOT_UTF8]);
    assert!(response.all("x-read-x-absent").is_empty());
    assert!(response.header("x-count").unwrap().parse::<usize>().unwrap() >= 8, "with pseudo headers");
}

#[tokio::test]
async fn request_headers_are_set_added_and_removed() {
    let upstream = Server::saying("hello").await;
    let edits = json!({ "remove": ["x-gone"], "insert": [["x-one", NOT_UTF8], ["x-new", b"n"]], "append": [["x-many", b"three"]] });
    let address = Proxy::before(&upstream).filter("edit_headers", edits).open().await;
    Connection::exchange(address, get("/", "x-gone: 1\r\nx-gone: 2\r\nx-one: 1\r\nx-one: 2\r\nx-many: one\r\nx-many: two\r\n")).await;
    let seen = upstream.seen().request();
    assert_eq!(seen.all("x-one"), [NOT_UTF8]);
    assert_eq!(seen.all("x-new"), [b"n"]);
    assert_eq!(seen.all("x-many"), [&b"one"[..], b"two", b"three"]);
    assert!(seen.all("x-gone").is_empty());
}

#[tokio::test]
async fn response_headers_are_set_added_and_removed() {
    let upstream = Server::answering(|_| {
        Some(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nx-gone: 1\r\nx-one: 1\r\nx-one: 2\r\nset-cookie: a=1\r\n\r\nhi".to_vec())
    })
    .await;
    let edits = json!({ "response": true, "remove": ["x-gone"], "insert": [["x-one", NOT_UTF8]], "append": [["set-cookie", b"b=2"]] });
    let address = Proxy::before(&upstream).filter("edit_headers", edits).open().await;
    let response = Connection::exchange(address, get("/", "")).await;
    assert_eq!(response.all("x-one"), [NOT_UTF8]);
    assert_eq!(response.all("set-cookie"), [b"a=1", b"b=2"]);
    assert!(response.all("x-gone").is_empty());
    assert_eq!(response.text(), "hi");
}

#[tokio::test]
async fn a_value_that_would_split_a_message_is_refused_in_both_directions() {
    let upstream = Server::saying("hello").await;
    for response in [false, true] {
        for split in [&b"a\r\nx-admin: yes"[..], b"a\nx-admin: yes", b"a\rb", b"a\0b"] {
            let edits = json!({ "response": response, "insert": [["x-one", split]] });
            let address = Proxy::before(&upstream).filter("edit_headers", edits).open().await;
            let answer = Connection::exchange(address, get("/", "")).await;
            assert_eq!(answer.status(), 500, "{split:?}");
            assert!(answer.all("x-admin").is_empty());
        }
    }
    assert!(upstream.seen().requests().iter().all(|request| request.all("x-one").is_empty() && request.all("x-admin").is_empty()));
}

#[tokio::test]
async fn the_path_can_be_rewritten() {
    let upstream = Server::saying("hello").await;
    let address = Proxy::before(&upstream).filter("edit_headers", json!({ "insert": [[":path", b"/new?x=1"]] })).open().await;
    Connection::exchange(address, get("/old", "")).await;
    assert_eq!(upstream.seen().request().start, "GET /new?x=1 HTTP/1.1");
}
