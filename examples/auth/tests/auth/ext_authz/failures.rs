use std::time::Duration;

use auth::Auth;
use inproxy_test::{GrpcReply, Proxy, Request, Response, Value, json};
use prost::Message;

use super::{
    guarded, header,
    proto::{
        envoy::{
            service::auth::v3::{CheckResponse, DeniedHttpResponse, OkHttpResponse, check_response::HttpResponse},
            r#type::v3::HttpStatus,
        },
        google::rpc::Status,
    },
    with, yes,
};

/// A service that is not there, in each way; and its settings.
fn failing(proxy: Proxy<Auth>, how: &str, more: &Value) -> Proxy<Auth> {
    let protocol = if how.starts_with("grpc") { json!({ "grpc": { "cluster": "authz" } }) } else { json!({ "http": { "cluster": "authz" } }) };
    let proxy = guarded(proxy, &with(protocol, more));
    match how {
        "grpc: refusing" | "http: refusing" => proxy.cluster_refusing("authz"),
        "grpc: no endpoint" | "http: no endpoint" => proxy.cluster_without_endpoints("authz"),
        "grpc: slow" => proxy.grpc("authz", |_| yes(OkHttpResponse::default()).after(Duration::from_millis(900))),
        "http: slow" => proxy.cluster("authz", |_| Response::new(200).after(Duration::from_millis(900))),
        "grpc: status" => proxy.grpc("authz", |_| GrpcReply::status(13, "the secret was x-key-1")),
        "http: status" => proxy.cluster("authz", |_| Response::new(503).with_body("the secret was x-key-1")),
        "grpc: nonsense" => proxy.grpc("authz", |_| GrpcReply::message(b"\xff\xffx-key-1")),
        "http: too large" => proxy.cluster("authz", |_| Response::new(200).with_body(vec![b'x'; 1024 * 1024 + 1])),
        "http: hangs up" => proxy.cluster("authz", |_| Response::hang_up()),
        "grpc: unusable" => proxy.grpc("authz", |_| yes(OkHttpResponse { headers: vec![header("a b", "x-key-1", 0)], ..OkHttpResponse::default() })),
        _ => proxy,
    }
}

const WAYS: [&str; 14] = [
    "grpc: refusing",
    "http: refusing",
    "grpc: no endpoint",
    "http: no endpoint",
    "grpc: no cluster",
    "http: no cluster",
    "grpc: slow",
    "http: slow",
    "grpc: status",
    "http: status",
    "grpc: nonsense",
    "http: too large",
    "http: hangs up",
    "grpc: unusable",
];

#[inproxy_test::test]
async fn no_decision_is_no_admission(proxy: Proxy<Auth>) {
    let (host, name) = proxy.host();
    for how in WAYS {
        let proxy = failing(Proxy::on(host, name), how, &json!({})).start().await;
        let response = proxy.send(Request::get("/").with_header("authorization", "x-key-1")).await;
        assert_eq!((response.status(), response.text()), (403, ""), "{how}");
        let response = proxy.send(Request::post("/").with_header("content-type", "application/grpc")).await;
        assert_eq!((response.status(), response.header("grpc-status")), (200, Some("7")), "{how}");
        assert!(proxy.upstream().requests().is_empty(), "{how}");
        assert_eq!(proxy.series("auth_checks", [("check", "authz"), ("outcome", "undecided")]).await, 2.0, "{how}");
        assert!(proxy.log().iter().all(|line| !line.text.contains("x-key-1")), "{how}: a secret is in the log");
    }
}

#[inproxy_test::test]
async fn no_decision_is_an_admission_if_the_operator_says_so(proxy: Proxy<Auth>) {
    let (host, name) = proxy.host();
    for (header, how) in WAYS.into_iter().enumerate().map(|(place, how)| (place % 2 == 0, how)) {
        let proxy = failing(Proxy::on(host, name), how, &json!({ "fail_open": true, "failure_mode_allow_header_add": header })).start().await;
        assert_eq!(proxy.send(Request::get("/")).await.status(), 200, "{how}");
        assert_eq!(proxy.upstream().request().header("x-envoy-auth-failure-mode-allowed"), header.then_some("true"), "{how}");
        assert_eq!(proxy.series("auth_checks", [("check", "authz"), ("outcome", "undecided_allowed")]).await, 1.0, "{how}");
        assert_eq!(proxy.series("auth_requests", [("outcome", "allowed")]).await, 1.0, "{how}");
    }
}

/// §4.32: an answer that cannot be read is 500.
#[inproxy_test::test]
async fn the_operator_says_with_which_status(proxy: Proxy<Auth>) {
    let proxy = failing(proxy, "grpc: nonsense", &json!({ "status_on_error": 500 })).start().await;
    assert_eq!(proxy.send(Request::get("/")).await.status(), 500);
    proxy.expect_log("authz: a message cannot be read").await;
}

#[inproxy_test::test]
async fn a_service_says_itself_that_it_does_not_know(proxy: Proxy<Auth>) {
    let (host, name) = proxy.host();
    for (fail_open, status) in [(false, 503), (true, 200)] {
        let proxy = guarded(Proxy::on(host, name), &json!({ "grpc": { "cluster": "authz" }, "fail_open": fail_open })).grpc("authz", |_| {
            let error =
                DeniedHttpResponse { status: Some(HttpStatus { code: 503 }), headers: vec![header("retry-after", "5", 0)], body: "later".into() };
            let status = Some(Status { code: 14, message: String::new() });
            GrpcReply::message(
                CheckResponse { status, dynamic_metadata: None, http_response: Some(HttpResponse::ErrorResponse(error)) }.encode_to_vec(),
            )
        });
        let proxy = proxy.start().await;
        let response = proxy.send(Request::get("/")).await;
        assert_eq!((response.status(), response.header("retry-after")), (status, (!fail_open).then_some("5")));
    }
}

#[inproxy_test::test]
async fn a_client_that_leaves_is_not_counted_when_the_service_answers(proxy: Proxy<Auth>) {
    let (host, name) = proxy.host();
    for protocol in ["grpc", "http"] {
        let proxy = guarded(Proxy::on(host, name), &json!({ protocol: { "cluster": "authz", "timeout": "2s" } }));
        let proxy = match protocol {
            "grpc" => proxy.grpc("authz", |_| yes(OkHttpResponse::default()).after(Duration::from_millis(300))),
            _ => proxy.cluster("authz", |_| Response::new(200).after(Duration::from_millis(300))),
        };
        let proxy = proxy.start().await;
        proxy.open(&Request::get("/gone")).await.leave().await;
        proxy.advance(Duration::from_millis(500)).await;
        assert_eq!(proxy.send(Request::get("/")).await.status(), 200, "{protocol}");
        assert_eq!(proxy.upstream().request().path(), "/", "{protocol}");
        assert_eq!(proxy.series("auth_checks", [("check", "authz"), ("outcome", "allowed")]).await, 1.0, "{protocol}");
        assert_eq!(proxy.series("auth_requests", [("outcome", "allowed")]).await, 1.0, "{protocol}");
    }
}
