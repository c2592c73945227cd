//! Attributes of TLS connections, and their bytes.

use inproxy_test::{Certificate, Client, Proxy, Request, Tls};
use inproxy_tests::{Conversation, Probe};

const MUTUAL: Conversation = Conversation::new(
    r#"
    request_headers: get_property connection\0mtls -> 0 "\x01"
    request_headers: get_property connection\0tls_version -> 0 "TLSv1.3"
    request_headers: get_property connection\0requested_server_name -> 0 "shop.example"
    request_headers: get_property connection\0subject_peer_certificate -> 0 "O=\\#\\E2\\82\\AC,CN=Zo\\C3\\AB\\, a\\+b #1 \\\"x\\\" \\<\\;\\>\\\\="
    request_headers: get_property connection\0dns_san_peer_certificate -> 0 "a.example"
    request_headers: get_property connection\0uri_san_peer_certificate -> 0 "spiffe://a/b"
    request_headers: get_property connection\0subject_local_certificate -> 0 ""
    request_headers: get_property connection\0dns_san_local_certificate -> 0 "server.example"
    request_headers: get_property connection\0uri_san_local_certificate -> 1
    request_headers: get_property connection\0transport_failure_reason -> 1
    request_headers: get_property connection\0termination_details -> 1
    request_headers: get_property connection\0sha256_local_certificate_digest -> 1
    request_headers: get_property connection\0peer_certificate_valid -> 0 "\x01"
    request_headers: get_property connection\0local_certificate -> 1
    request_headers: get_property connection\0local_certificate_valid -> 1
    request_headers: get_property connection\0issuer_peer_certificate -> 1
    request_headers: get_property connection\0serial_number_peer_certificate -> 1
    request_headers: get_property connection\0email_san_peer_certificate -> 1
    request_headers: get_property connection\0ip_san_peer_certificate -> 1
    request_headers: get_property connection\0cipher_suite -> 1
    request_headers: get_property connection\0tls_cipher_suite -> 1
    request_headers: get_property connection\0session_id -> 1
    request_headers: get_property connection\0ja3_fingerprint -> 1
    request_headers: get_property connection\0transport_protocol -> 1
    request_headers: get_property connection\0application_protocol -> 1
    request_headers: get_property connection\0sha1_peer_certificate_digest -> 1
    request_headers: get_property request\0scheme -> 0 "https"
    request_headers: get_property upstream\0tls_version -> 1
    request_body: get_property connection\0uri_san_peer_certificate -> 0 "spiffe://a/b"
    response_headers: get_property connection\0uri_san_peer_certificate -> 0 "spiffe://a/b"
    response_headers: get_property upstream\0tls_version -> 0 "TLSv1.2"
    response_headers: get_property upstream\0subject_peer_certificate -> 0 "CN=up"
    response_headers: get_property upstream\0dns_san_peer_certificate -> 0 "up.example"
    response_headers: get_property upstream\0uri_san_peer_certificate -> 1
    response_headers: get_property upstream\0subject_local_certificate -> 0 ""
    response_headers: get_property upstream\0dns_san_local_certificate -> 1
    response_headers: get_property upstream\0uri_san_local_certificate -> 1
    response_headers: get_property upstream\0peer_certificate_valid -> 1
    response_headers: get_property upstream\0local_certificate -> 1
    response_headers: get_property upstream\0transport_failure_reason -> 0 ""
    log: get_property connection\0uri_san_peer_certificate -> 0 "spiffe://a/b"
    log: get_property upstream\0subject_peer_certificate -> 0 "CN=up"
    log: get_property connection\0mtls -> 0 "\x01"
"#,
);

#[inproxy_test::test(only(wasm, envoy), because = "the probe has no SDK, which the native host needs")]
async fn attributes_of_tls_are_those_of_envoy_in_each_phase(proxy: Proxy<Probe>) {
    let odd = Certificate::new().common_name("Zo\u{eb}, a+b #1 \"x\" <;>\\=").organization("#\u{20ac}");
    let client =
        Client::new().certificate(&odd.uri("spiffe://a/b").uri("spiffe://c/d").dns("a.example").dns("b.example")).server_name("shop.example");
    let proxy = proxy.configure_text(&MUTUAL.script()).tls(Tls::new(&Certificate::new().dns("server.example")).require_client_certificate());
    let proxy = proxy.upstream_tls(Tls::new(&Certificate::new().common_name("up").dns("up.example")), Client::new());
    let proxy = proxy.start().await;
    proxy.send_from(&client, Request::post("/").with_body("hello")).await;
    MUTUAL.expect(&proxy).await;
}

const WITHOUT_A_CERTIFICATE: Conversation = Conversation::new(
    r#"
    request_headers: get_property connection\0mtls -> 0 "\x00"
    request_headers: get_property connection\0tls_version -> 0 "TLSv1.2"
    request_headers: get_property connection\0requested_server_name -> 0 ""
    request_headers: get_property connection\0peer_certificate_valid -> 0 "\x00"
    request_headers: get_property connection\0peer_certificate -> 1
    request_headers: get_property connection\0sha256_peer_certificate_digest -> 1
    request_headers: get_property connection\0subject_peer_certificate -> 0 ""
    request_headers: get_property connection\0dns_san_peer_certificate -> 1
    request_headers: get_property connection\0uri_san_peer_certificate -> 1
    request_headers: get_property connection\0subject_local_certificate -> 0 "CN=server"
"#,
);

const UNTRUSTED: Conversation = Conversation::new(
    r#"
    request_headers: get_property connection\0mtls -> 0 "\x01"
    request_headers: get_property connection\0peer_certificate_valid -> 0 "\x00"
    request_headers: get_property connection\0uri_san_peer_certificate -> 0 "spiffe://a/b"
    log: get_property connection\0peer_certificate_valid -> 0 "\x00"
"#,
);

const PLAIN: Conversation = Conversation::new(
    r#"
    request_headers: get_property connection\0mtls -> 0 "\x00"
    request_headers: get_property connection\0tls_version -> 1
    request_headers: get_property connection\0requested_server_name -> 0 ""
    request_headers: get_property connection\0peer_certificate_valid -> 0 "\x00"
    request_headers: get_property connection\0peer_certificate -> 1
    request_headers: get_property connection\0subject_peer_certificate -> 1
    request_headers: get_property connection\0subject_local_certificate -> 1
    response_headers: get_property upstream\0tls_version -> 1
    response_headers: get_property upstream\0subject_peer_certificate -> 1
    response_headers: get_property upstream\0peer_certificate -> 1
"#,
);

#[inproxy_test::test(only(wasm, envoy), because = "the probe has no SDK, which the native host needs")]
async fn a_client_has_shown_no_certificate(proxy: Proxy<Probe>) {
    let tls = Tls::new(&Certificate::new().common_name("server")).ask_for_client_certificate();
    let proxy = proxy.configure_text(&WITHOUT_A_CERTIFICATE.script()).tls(tls).start().await;
    proxy.send_from(&Client::new().tls_1_2(), Request::get("/")).await;
    WITHOUT_A_CERTIFICATE.expect(&proxy).await;
}

#[inproxy_test::test(only(wasm, envoy), because = "the probe has no SDK, which the native host needs")]
async fn a_client_has_shown_a_certificate_that_is_not_trusted(proxy: Proxy<Probe>) {
    let tls = Tls::new(&Certificate::new().common_name("server")).accept_untrusted_client_certificates();
    let proxy = proxy.configure_text(&UNTRUSTED.script()).tls(tls).start().await;
    proxy.send_from(&Client::new().certificate(&Certificate::new().uri("spiffe://a/b").of_another_authority()), Request::get("/")).await;
    UNTRUSTED.expect(&proxy).await;
}

#[inproxy_test::test(only(wasm, envoy), because = "the probe has no SDK, which the native host needs")]
async fn a_connection_without_tls(proxy: Proxy<Probe>) {
    let proxy = proxy.configure_text(&PLAIN.script()).start().await;
    proxy.send(Request::get("/")).await;
    PLAIN.expect(&proxy).await;
}
