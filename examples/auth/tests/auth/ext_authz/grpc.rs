use auth::Auth;
use inproxy_test::{Certificate, Client, Proxy, Request, Response, Tls, json};
use prost::Message;

use super::{
    asked, guarded, header, no,
    proto::envoy::{
        config::core::v3::{QueryParameter, address::Address, socket_address::PortSpecifier},
        service::auth::v3::{CheckRequest, OkHttpResponse},
    },
    with, yes,
};

#[inproxy_test::test]
async fn the_service_is_told_who_asks_for_what(proxy: Proxy<Auth>) {
    let settings = json!({ "grpc": { "cluster": "authz", "context_extensions": { "tenant": "acme" } }, "disallowed_headers": ["cookie"] });
    let proxy = guarded(proxy, &settings).grpc("authz", |_| yes(OkHttpResponse::default())).start().await;
    let request = Request::get("/a?b=c").with_authority("shop.example").with_header("x-request-id", "id-1").with_header("Cookie", "c");
    assert_eq!(proxy.send(request.with_header("x-a", "1").with_header("x-a", "2")).await.status(), 200);
    let [call] = &proxy.grpc_calls("authz")[..] else { panic!("one call") };
    assert_eq!((call.service(), call.method()), ("envoy.service.auth.v3.Authorization", "Check"));
    let http = asked(call);
    assert_eq!([&*http.method, &*http.path, &*http.host, &*http.scheme, &*http.protocol], ["GET", "/a?b=c", "shop.example", "http", "HTTP/1.1"]);
    let seen = |name: &str| http.headers.get(name).map(String::as_str);
    assert_eq!((seen("x-a"), seen(":path"), seen("cookie"), http.body.as_str()), (Some("1,2"), Some("/a?b=c"), None, ""));
    assert_eq!(Some(http.id.as_str()), seen("x-request-id"));
    let attributes = CheckRequest::decode(call.message()).unwrap().attributes.unwrap();
    assert_eq!(attributes.context_extensions.get("tenant").map(String::as_str), Some("acme"));
    assert!(attributes.request.unwrap().time.is_some());
    for (peer, name) in [(attributes.source, "source"), (attributes.destination, "destination")] {
        let peer = peer.unwrap();
        let Some(Address::SocketAddress(socket)) = peer.address.unwrap().address else { panic!("{name} has an address") };
        assert!(socket.address == "127.0.0.1" && matches!(socket.port_specifier, Some(PortSpecifier::PortValue(1..))), "{name}: {}", socket.address);
        assert_eq!(peer.principal, "", "{name}");
    }
    assert_eq!(proxy.series("auth_checks", [("check", "authz"), ("outcome", "allowed")]).await, 1.0);
}

#[inproxy_test::test]
async fn the_service_is_told_whom_the_clients_certificate_names(proxy: Proxy<Auth>) {
    let server = Certificate::new().dns("shop.example");
    let proxy = guarded(proxy, &json!({ "grpc": { "cluster": "authz" } })).grpc("authz", |_| yes(OkHttpResponse::default()));
    let proxy = proxy.tls(Tls::new(&server).ask_for_client_certificate()).start().await;
    for (certificate, principal) in [
        (Certificate::new().uri("spiffe://cluster.local/ns/shop/sa/cart").dns("cart.example"), "spiffe://cluster.local/ns/shop/sa/cart"),
        (Certificate::new().dns("cart.example"), "cart.example"),
    ] {
        assert_eq!(proxy.send_from(&Client::new().certificate(&certificate), Request::get("/")).await.status(), 200);
        let call = proxy.grpc_calls("authz").pop().unwrap();
        let attributes = CheckRequest::decode(call.message()).unwrap().attributes.unwrap();
        assert_eq!((attributes.source.unwrap().principal.as_str(), attributes.destination.unwrap().principal.as_str()), (principal, "shop.example"));
    }
}

#[inproxy_test::test]
async fn each_action_changes_headers_as_it_says(proxy: Proxy<Auth>) {
    let all = || (0..4).flat_map(|action| ["there", "absent"].map(|place| header(&format!("x-{place}-{action}"), "new", action))).collect();
    let proxy = guarded(proxy, &json!({ "grpc": { "cluster": "authz" } }))
        .grpc("authz", move |_| yes(OkHttpResponse { headers: all(), response_headers_to_add: all(), ..OkHttpResponse::default() }))
        .upstream(|_| (0..4).fold(Response::new(200), |response, action| response.with_header(&format!("x-there-{action}"), "old")))
        .start()
        .await;
    let request = (0..4).fold(Request::get("/"), |request, action| request.with_header(&format!("x-there-{action}"), "old"));
    let response = proxy.send(request).await;
    let seen = proxy.upstream().request();
    for (action, there, absent) in [(0, &["old", "new"][..], &["new"][..]), (1, &["old"], &["new"]), (2, &["new"], &["new"]), (3, &["new"], &[])] {
        for (place, expected) in [("there", there), ("absent", absent)] {
            let name = format!("x-{place}-{action}");
            assert_eq!((seen.headers(&name), response.headers(&name)), (expected.to_vec(), expected.to_vec()), "{name}");
        }
    }
}

#[inproxy_test::test]
async fn the_service_changes_the_query_and_takes_headers_away(proxy: Proxy<Auth>) {
    let parameter = |key: &str, value: &str| QueryParameter { key: key.into(), value: value.into() };
    let proxy = guarded(proxy, &json!({ "grpc": { "cluster": "authz" } })).grpc("authz", move |_| {
        yes(OkHttpResponse {
            headers_to_remove: ["Authorization", ":path", "host"].map(str::to_owned).to_vec(),
            query_parameters_to_set: vec![parameter("user", "alice & bob"), parameter("page", "1")],
            query_parameters_to_remove: vec!["token".into()],
            ..OkHttpResponse::default()
        })
    });
    let proxy = proxy.start().await;
    let request = Request::get("/list?token=secret&page=7&page=8&q=x").with_authority("shop.example").with_header("authorization", "Bearer secret");
    assert_eq!(proxy.send(request).await.status(), 200);
    let seen = proxy.upstream().request();
    assert_eq!((seen.path(), seen.header("authorization")), ("/list?page=1&q=x&user=alice%20%26%20bob", None));
}

#[inproxy_test::test]
async fn a_no_is_the_services_own_answer(proxy: Proxy<Auth>) {
    let proxy = guarded(proxy, &json!({ "grpc": { "cluster": "authz" } })).grpc("authz", |call| match asked(call).path.as_str() {
        "/login" => no(302, vec![header("location", "/sign-in", 2), header("set-cookie", "a=1", 0), header("set-cookie", "b=2", 0)], ""),
        "/json" => no(401, vec![header("content-type", "application/json", 2)], r#"{"error":"who"}"#),
        _ => no(0, vec![], ""),
    });
    let proxy = proxy.start().await;
    let response = proxy.send(Request::get("/login")).await;
    assert_eq!((response.status(), response.header("location"), response.headers("set-cookie")), (302, Some("/sign-in"), vec!["a=1", "b=2"]));
    let response = proxy.send(Request::get("/json")).await;
    assert_eq!((response.status(), response.header("content-type"), response.text()), (401, Some("application/json"), r#"{"error":"who"}"#));
    let response = proxy.send(Request::get("/")).await;
    assert_eq!((response.status(), response.text()), (403, ""));
    // A client of gRPC gets what Envoy makes of the HTTP status.
    for (path, code, message) in [("/json", "16", r#"authz:{"error":"who"}"#), ("/", "7", "")] {
        let response = proxy.send(Request::post(path).with_header("content-type", "application/grpc")).await;
        assert_eq!(
            (response.status(), response.header("grpc-status"), response.header("grpc-message").unwrap_or_default()),
            (200, Some(code), message)
        );
    }
    assert!(proxy.upstream().requests().is_empty());
    assert_eq!(proxy.series("auth_checks", [("check", "authz"), ("outcome", "denied")]).await, 5.0);
}

#[inproxy_test::test]
async fn a_service_that_cannot_be_meant_is_refused(proxy: Proxy<Auth>) {
    let (host, name) = proxy.host();
    let (grpc, http) = (json!({ "grpc": { "cluster": "authz" } }), json!({ "http": { "cluster": "authz" } }));
    for (settings, reason) in [
        (json!({}), "checks.authz.ext_authz.the service is reached over one of grpc and http"),
        (with(grpc.clone(), &http), "reached over one of grpc and http"),
        (with(grpc.clone(), &json!({ "status_on_error": 204 })), "checks.authz.ext_authz.status_on_error: 204 is no status"),
        (with(grpc.clone(), &json!({ "allowed_headers": ["a b"] })), r#"checks.authz.ext_authz.allowed_headers: "a b" names no header"#),
        (with(grpc.clone(), &json!({ "with_request_body": { "max_request_bytes": 0 } })), "with_request_body.max_request_bytes: nothing of a body"),
        (
            with(grpc.clone(), &json!({ "with_request_body": { "max_request_bytes": 9 } })),
            "set allow_on_headers_stop_iteration in the plugin's configuration",
        ),
        (json!({ "http": { "cluster": "authz", "path_prefix": "check" } }), r#"http.path_prefix: "check" is no beginning of a path"#),
        (json!({ "grpc": { "cluster": "authz", "timeout": 5 } }), "checks.authz.ext_authz.grpc.timeout: invalid type: integer `5`"),
        (json!({ "grpc": {} }), "checks.authz.ext_authz.grpc: missing field `cluster`"),
    ] {
        guarded(Proxy::on(host, name), &settings).refused().await.expect_log(reason);
    }
}
