//! What a filter knows of TLS: with the client, and with the upstream.

use filters::{
    attributes::{Attributes, ByPhase, Workloads},
    mtls::Allowlist,
};
use inproxy_test::{Certificate, Client, Proxy, Request, Running, Tls, json};

/// Asks for attributes while the request is held, and while the response is.
async fn ask(proxy: &Running, client: &Client, table: &[(&str, &str, &str)]) {
    let names = table.iter().map(|(name, ..)| *name).collect::<Vec<_>>().join(" ");
    let request = Request::get("/").with_header("ask-request", &names).with_header("ask-response", &names);
    let response = proxy.send_from(client, request).await;
    assert_eq!(response.status(), 200);
    for (name, at_request, at_response) in table {
        let told = |phase: &str| response.header(&format!("{phase}-{name}"));
        assert_eq!(told("request"), Some(*at_request), "{name} of the request");
        assert_eq!(told("response"), Some(*at_response), "{name} of the response");
    }
}

/// As [`ask`], of what is the same in both phases.
async fn ask_same(proxy: &Running, client: &Client, table: &[(&str, &str)]) {
    ask(proxy, client, &table.iter().map(|(name, value)| (*name, *value, *value)).collect::<Vec<_>>()).await;
}

fn frontend() -> Certificate {
    let named = Certificate::new().organization("example").common_name("frontend");
    named.dns("frontend.example").dns("other.example").uri("spiffe://cluster.local/ns/shop/sa/frontend").uri("spiffe://other/x")
}

fn server() -> Certificate {
    Certificate::new().common_name("server").dns("server.example").uri("spiffe://cluster.local/ns/shop/sa/server")
}

fn one_line(certificate: &Certificate) -> String {
    certificate.pem().replace('\n', "|")
}

#[inproxy_test::test]
async fn a_client_has_shown_its_certificate(proxy: Proxy<Attributes>) {
    let (frontend, server) = (frontend(), server());
    let proxy = proxy.tls(Tls::new(&server).require_client_certificate()).start().await;
    ask_same(
        &proxy,
        &Client::new().certificate(&frontend).server_name("shop.example"),
        &[
            ("connection.mtls", "true"),
            ("connection.valid", "true"),
            ("connection.tls_version", "TLSv1.3"),
            ("connection.requested_server_name", "shop.example"),
            ("connection.peer.subject", "CN=frontend,O=example"),
            ("connection.peer.dns_san", "frontend.example"),
            ("connection.peer.uri_san", "spiffe://cluster.local/ns/shop/sa/frontend"),
            ("connection.digest", &frontend.sha256()),
            ("connection.pem", &one_line(&frontend)),
            ("connection.local.subject", "CN=server"),
            ("connection.local.dns_san", "server.example"),
            ("connection.local.uri_san", "spiffe://cluster.local/ns/shop/sa/server"),
            ("connection.transport_failure_reason", "missing"),
        ],
    )
    .await;
    proxy.upstream().requests()[0].expect_header("x-forwarded-proto", "https");
}

#[inproxy_test::test]
async fn a_client_without_a_certificate_has_tls_all_the_same(proxy: Proxy<Attributes>) {
    let proxy = proxy.tls(Tls::new(&server()).ask_for_client_certificate()).start().await;
    let table = [
        ("connection.mtls", "false"),
        ("connection.valid", "false"),
        ("connection.tls_version", "TLSv1.2"),
        ("connection.requested_server_name", ""),
        ("connection.peer.subject", ""),
        ("connection.peer.dns_san", "missing"),
        ("connection.peer.uri_san", "missing"),
        ("connection.digest", "missing"),
        ("connection.pem", "missing"),
        ("connection.local.subject", "CN=server"),
    ];
    ask_same(&proxy, &Client::new().tls_1_2(), &table).await;
    assert_eq!(proxy.send(Request::get("/")).await.status(), 200, "a client that the test does not describe has no certificate");
}

#[inproxy_test::test]
async fn a_certificate_that_nobody_asked_for_is_not_shown(proxy: Proxy<Attributes>) {
    let proxy = proxy.tls(Tls::new(&server())).start().await;
    ask_same(&proxy, &Client::new().certificate(&frontend()), &[("connection.mtls", "false"), ("connection.peer.uri_san", "missing")]).await;
}

#[inproxy_test::test]
async fn certificates_have_the_names_that_they_have(proxy: Proxy<Attributes>) {
    let proxy = proxy.tls(Tls::new(&Certificate::new().dns("server.example")).require_client_certificate()).start().await;
    let odd = Certificate::new().organization("#\u{20ac}").common_name("Zo\u{eb}, a+b #1 \"x\" <;>\\=");
    for (certificate, subject, dns, uri) in [
        (Certificate::new(), "", "missing", "missing"),
        (Certificate::new().common_name("frontend"), "CN=frontend", "missing", "missing"),
        (Certificate::new().common_name("a").organization("b"), "O=b,CN=a", "missing", "missing"),
        (Certificate::new().uri("spiffe://a/b"), "", "missing", "spiffe://a/b"),
        (Certificate::new().dns("*.example").dns("a.example"), "", "*.example", "missing"),
        (odd, r#"CN=Zo\C3\AB\, a\+b #1 \"x\" \<\;\>\\=,O=\#\E2\82\AC"#, "missing", "missing"),
    ] {
        assert_eq!(certificate.subject(), subject);
        let table = [
            ("connection.mtls", "true"),
            ("connection.peer.subject", subject),
            ("connection.peer.dns_san", dns),
            ("connection.peer.uri_san", uri),
            ("connection.local.subject", ""),
        ];
        ask_same(&proxy, &Client::new().certificate(&certificate), &table).await;
    }
}

#[inproxy_test::test]
async fn a_client_that_is_not_let_in_reaches_no_filter(proxy: Proxy<ByPhase>) {
    let proxy = proxy.tls(Tls::new(&server()).require_client_certificate()).start().await;
    let stranger = Client::new().certificate(&frontend().of_another_authority());
    for client in [Client::new(), stranger.clone(), Client::new().tls_1_2(), stranger.tls_1_2()] {
        let request = Request::get("/").with_header("ask-log", "connection.mtls");
        assert_eq!(proxy.open_from(&client, &request).await.response_or_end().await, None, "{client:?}");
    }
    let request = Request::get("/").with_header("ask-log", "connection.mtls");
    assert_eq!(proxy.send_from(&Client::new().certificate(&frontend()), request).await.status(), 200);
    proxy.expect_log("log: connection.mtls is true").await;
    assert_eq!((proxy.access_log().await.len(), proxy.upstream().requests().len()), (1, 1));
}

#[inproxy_test::test]
async fn a_certificate_that_is_let_in_untrusted_is_not_valid(proxy: Proxy<Attributes>) {
    let proxy = proxy.tls(Tls::new(&server()).accept_untrusted_client_certificates()).start().await;
    for (certificate, valid) in [(frontend(), "true"), (frontend().of_another_authority(), "false")] {
        let table =
            [("connection.mtls", "true"), ("connection.valid", valid), ("connection.peer.uri_san", "spiffe://cluster.local/ns/shop/sa/frontend")];
        ask_same(&proxy, &Client::new().certificate(&certificate), &table).await;
    }
    assert_eq!(proxy.send(Request::get("/")).await.status(), 200);
}

#[inproxy_test::test]
async fn the_server_name_is_seen_only_by_the_inspector(proxy: Proxy<Attributes>) {
    let proxy = proxy.tls(Tls::new(&server()).without_inspector()).start().await;
    ask_same(&proxy, &Client::new().server_name("shop.example"), &[("connection.requested_server_name", "")]).await;
}

#[inproxy_test::test]
async fn callbacks_know_the_certificates(proxy: Proxy<ByPhase>) {
    let proxy = proxy.tls(Tls::new(&server()).require_client_certificate()).upstream_tls(Tls::new(&server()), Client::new());
    let proxy = proxy.start().await;
    let asked = "connection.peer.uri_san upstream.peer.uri_san";
    let request = Request::post("/").with_header("ask-body", asked).with_header("ask-log", asked).with_body("hello");
    assert_eq!(proxy.send_from(&Client::new().certificate(&frontend()), request).await.status(), 200);
    for phase in ["request body", "response headers", "log"] {
        proxy.expect_log(&format!("{phase}: connection.peer.uri_san is spiffe://cluster.local/ns/shop/sa/frontend")).await;
        let upstream = match phase {
            "request body" => "error: there is no attribute upstream.uri_san_peer_certificate in this phase of the stream",
            _ => "spiffe://cluster.local/ns/shop/sa/server",
        };
        proxy.expect_log(&format!("{phase}: upstream.peer.uri_san is {upstream}")).await;
    }
}

#[inproxy_test::test]
async fn the_upstream_has_shown_its_certificate(proxy: Proxy<Attributes>) {
    let (frontend, server) = (frontend(), server());
    let as_client = Client::new().certificate(&frontend).server_name("up.example");
    let proxy = proxy.tls(Tls::new(&server)).upstream_tls(Tls::new(&server).require_client_certificate(), as_client).start().await;
    let (digest, pem) = (server.sha256(), one_line(&server));
    let told = [
        ("upstream.tls_version", "TLSv1.2", "tls_version"),
        ("upstream.peer.subject", "CN=server", "subject_peer_certificate"),
        ("upstream.peer.dns_san", "server.example", "dns_san_peer_certificate"),
        ("upstream.peer.uri_san", "spiffe://cluster.local/ns/shop/sa/server", "uri_san_peer_certificate"),
        ("upstream.digest", &digest, "sha256_peer_certificate_digest"),
        ("upstream.pem", &pem, "peer_certificate"),
        ("upstream.local.subject", "CN=frontend,O=example", "subject_local_certificate"),
        ("upstream.local.dns_san", "frontend.example", "dns_san_local_certificate"),
        ("upstream.local.uri_san", "spiffe://cluster.local/ns/shop/sa/frontend", "uri_san_local_certificate"),
    ];
    let not_now = |path| format!("error: there is no attribute upstream.{path} in this phase of the stream");
    let early = told.map(|(_, _, path)| not_now(path));
    let table: Vec<_> = told.iter().zip(&early).map(|((name, value, _), early)| (*name, early.as_str(), *value)).collect();
    ask(&proxy, &Client::new(), &table).await;
}

#[inproxy_test::test]
async fn an_upstream_without_tls_has_no_certificate(proxy: Proxy<Attributes>) {
    let proxy = proxy.start().await;
    let asked = "upstream.tls_version upstream.peer.subject upstream.peer.uri_san upstream.digest upstream.pem connection.valid";
    let response = proxy.send(Request::get("/").with_header("ask-response", asked)).await;
    for name in asked.split(' ') {
        response.expect_header(&format!("response-{name}"), if name == "connection.valid" { "false" } else { "missing" });
    }
}

#[inproxy_test::test]
async fn a_session_that_is_resumed_has_the_certificate_and_is_not_said_to_be_valid(proxy: Proxy<Attributes>) {
    let proxy = proxy.tls(Tls::new(&server()).require_client_certificate()).start().await;
    for client in [Client::new().certificate(&frontend()), Client::new().certificate(&frontend()).tls_1_2()] {
        for valid in ["true", "false", "false"] {
            let table = [
                ("connection.mtls", "true"),
                ("connection.valid", valid),
                ("connection.peer.subject", "CN=frontend,O=example"),
                ("connection.peer.uri_san", "spiffe://cluster.local/ns/shop/sa/frontend"),
                ("connection.requested_server_name", ""),
            ];
            ask_same(&proxy, &client, &table).await;
        }
    }
}

// ANCHOR: spiffe
#[inproxy_test::test]
async fn only_workloads_on_the_list_pass(proxy: Proxy<Allowlist>) {
    let server = Certificate::new().dns("shop.example");
    let proxy = proxy.configure(json!({ "allow": ["spiffe://cluster.local/ns/shop/sa/cart"] }));
    let proxy = proxy.tls(Tls::new(&server).ask_for_client_certificate()).start().await;
    let workload = |id| Client::new().certificate(&Certificate::new().uri(id));
    let request = || Request::get("/").with_header("x-client-id", "spiffe://cluster.local/ns/shop/sa/cart");
    for id in ["spiffe://cluster.local/ns/shop/sa/cart2", "spiffe://other/ns/shop/sa/cart", "SPIFFE://cluster.local/ns/shop/sa/cart"] {
        assert_eq!(proxy.send_from(&workload(id), request()).await.status(), 403, "{id}");
    }
    assert_eq!(proxy.send_from(&Client::new(), request()).await.status(), 403, "without a certificate");
    assert_eq!(proxy.send_from(&workload("spiffe://cluster.local/ns/shop/sa/cart"), request()).await.status(), 200);
    proxy.upstream().request().expect_header("x-client-id", "spiffe://cluster.local/ns/shop/sa/cart");
}
// ANCHOR_END: spiffe

#[inproxy_test::test]
async fn without_tls_nobody_is_on_the_list(proxy: Proxy<Allowlist>) {
    let proxy = proxy.configure(json!({ "allow": ["spiffe://cluster.local/ns/shop/sa/cart", ""] })).start().await;
    let request = Request::get("/").with_header("x-client-id", "spiffe://cluster.local/ns/shop/sa/cart");
    assert_eq!(proxy.send(request).await.status(), 403);
    proxy.expect_log("refused None").await;
}

#[inproxy_test::test]
async fn a_workload_of_the_trust_domain_passes(proxy: Proxy<Workloads>) {
    let proxy = proxy.configure(json!({ "trust_domain": "cluster.local" })).tls(Tls::new(&server()).ask_for_client_certificate()).start().await;
    let of = |id| Client::new().certificate(&Certificate::new().uri(id));
    assert_eq!(proxy.send_from(&of("spiffe://cluster.local.evil/ns/a/sa/b"), Request::get("/")).await.status(), 403);
    assert_eq!(proxy.send_from(&of("spiffe://cluster.local/ns/a/sa/b"), Request::get("/")).await.status(), 200);
    proxy.upstream().request().expect_header("x-workload", "spiffe://cluster.local/ns/a/sa/b");
}
