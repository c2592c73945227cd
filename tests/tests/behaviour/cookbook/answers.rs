//! Headers, answers, errors and deadlines of the cookbook.

use std::time::Duration;

use filters::cookbook::{
    deadlines::Deadline,
    errors::{Enrich, Guard},
    headers::Clean,
    replies::Maintenance,
};
use inproxy_test::{Proxy, Request, Response, json};

#[inproxy_test::test]
async fn headers_pass_whatever_their_bytes_are(proxy: Proxy<Clean>) {
    let upstream = |_: &Request| Response::new(200).with_header("set-cookie", "a=1").with_header("x-powered-by", "magic");
    let proxy = proxy.configure(json!({ "internal": "x-internal-" })).upstream(upstream).start().await;
    let request =
        Request::get("/").with_header("x-internal-role", "admin").with_header("x-internal-user", "root").with_header("x-client", b"caf\xe9");
    let response = proxy.send(request).await;
    let seen = proxy.upstream().request();
    assert_eq!((seen.value("x-internal-role"), seen.value("x-internal-user")), (None, None));
    assert_eq!((seen.value("x-acme-client"), seen.value("x-client")), (Some(&b"caf\xe9"[..]), Some(&b"caf\xe9"[..])));
    assert_eq!(response.headers("set-cookie"), ["a=1", "seen=1; Secure; HttpOnly"]);
    assert_eq!(response.header("x-powered-by"), None);
    proxy.expect_log("from caf\u{fffd}").await;
}

#[inproxy_test::test]
async fn people_get_a_page_and_grpc_clients_a_status(proxy: Proxy<Maintenance>) {
    let proxy = proxy.configure(json!({ "minutes": 5 })).start().await;
    let page = proxy.send(Request::get("/")).await;
    assert_eq!((page.status(), page.header("retry-after"), page.header("content-type")), (503, Some("300"), Some("text/html; charset=utf-8")));
    assert!(page.text().starts_with("<!doctype html>"));
    let status = proxy.send(Request::post("/acme.Service/Call").with_header("content-type", "application/grpc").with_body("x")).await;
    assert_eq!(
        (status.status(), status.header("grpc-status"), status.header("grpc-message"), status.text()),
        (200, Some("14"), Some("back soon"), "")
    );
    assert_eq!(status.header("retry-after"), Some("300"));
    proxy.advance(Duration::from_millis(50)).await;
    assert!(proxy.access_log().await.iter().all(|access| access.details == "maintenance"));
    assert!(proxy.upstream().requests().is_empty());
}

#[inproxy_test::test]
async fn closed_is_without_a_verdict_refused(proxy: Proxy<Guard>) {
    let proxy = proxy.configure(json!({ "authority": "authority" })).cluster_refusing("authority").start().await;
    assert_eq!(proxy.send(Request::get("/")).await.status(), 500);
    assert!(proxy.upstream().requests().is_empty());
    proxy.expect_log("the filter failed: no verdict: ").await;
}

#[inproxy_test::test]
async fn open_passes_without_what_was_to_be_added_and_with_what_was_changed(proxy: Proxy<Enrich>) {
    let proxy = proxy.configure(json!({ "directory": "directory" })).cluster_refusing("directory").start().await;
    assert_eq!(proxy.send(Request::get("/").with_header("x-team", "admins")).await.status(), 200);
    assert_eq!(proxy.upstream().request().header("x-team"), None);
}

#[inproxy_test::test]
async fn two_calls_have_one_deadline(proxy: Proxy<Deadline>) {
    let users = |request: &Request| Response::new(200).with_body(request.header("x-x").unwrap_or("alice")).after(Duration::from_millis(40));
    let plans = |_: &Request| Response::new(200).with_body("gold").after(Duration::from_millis(40));
    let config = json!({ "users": "users", "plans": "plans", "milliseconds": 400 });
    let proxy = proxy.configure(config).cluster("users", users).cluster("plans", plans).start().await;
    assert_eq!(proxy.send(Request::get("/")).await.status(), 200);
    proxy.upstream().request().expect_header("x-plan", "gold");
    assert_eq!(proxy.service("plans").request().text(), "alice");
}

#[inproxy_test::test]
async fn each_call_is_in_time_and_both_together_are_not(proxy: Proxy<Deadline>) {
    let late = |_: &Request| Response::new(200).with_body("x").after(Duration::from_millis(250));
    let config = json!({ "users": "users", "plans": "plans", "milliseconds": 400 });
    let proxy = proxy.configure(config).cluster("users", late).cluster("plans", late).start().await;
    assert_eq!(proxy.send(Request::get("/")).await.status(), 504);
    assert!(proxy.upstream().requests().is_empty());
}

#[inproxy_test::test]
async fn what_was_not_sent_can_be_tried_again(proxy: Proxy<Deadline>) {
    let config = json!({ "users": "users", "plans": "plans", "milliseconds": 400 });
    let proxy = proxy.configure(config).cluster("users", |_| Response::new(200)).cluster_without_endpoints("plans").start().await;
    let response = proxy.send(Request::get("/")).await;
    assert_eq!((response.status(), response.header("retry-after")), (503, Some("1")));
}

#[inproxy_test::test]
async fn a_service_that_fails_is_a_bad_gateway(proxy: Proxy<Deadline>) {
    let config = json!({ "users": "users", "plans": "plans", "milliseconds": 400 });
    let proxy = proxy.configure(config).cluster("users", |_| Response::new(500)).cluster("plans", |_| Response::new(200)).start().await;
    assert_eq!(proxy.send(Request::get("/")).await.status(), 502);
    assert!(proxy.service("plans").requests().is_empty());
}
