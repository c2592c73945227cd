//! How requests end that do not end well: response flags, and what else is known then.

use std::time::Duration;

use filters::attributes::ByPhase;
use inproxy_test::{Certificate, Client, Proxy, Request, Response, Running, Tls};

const ASKED: &str = "response.flags response.code_details response.code upstream.ip upstream.transport_failure_reason upstream.request_attempt_count upstream.local_ip upstream.cx_pool_ready_duration";

async fn expect(proxy: &Running, table: &[(&str, &str)]) {
    for (name, value) in table {
        proxy.expect_log(&format!("log: {name} is {value}")).await;
    }
}

#[inproxy_test::test]
async fn an_upstream_that_refuses_the_connection(proxy: Proxy<ByPhase>) {
    let proxy = proxy.cluster_refusing("upstream").start().await;
    let response = proxy.send(Request::get("/").with_header("ask-log", ASKED)).await;
    assert_eq!(response.status(), 503);
    assert_eq!(response.text(), "upstream connect error or disconnect/reset before headers. reset reason: remote connection failure");
    let details = "upstream_reset_before_response_started{remote_connection_failure|delayed_connect_error:_Connection_refused}";
    let table = [
        ("response.flags", "UF"),
        ("response.code_details", details),
        ("response.code", "503"),
        ("upstream.ip", "127.0.0.1"),
        ("upstream.transport_failure_reason", "delayed connect error: Connection refused"),
        ("upstream.request_attempt_count", "1"),
        ("upstream.local_ip", "missing"),
        ("upstream.cx_pool_ready_duration", "true"),
    ];
    expect(&proxy, &table).await;
    assert_eq!(proxy.access_log().await[0].details, details);
}

#[inproxy_test::test]
async fn an_upstream_that_hangs_up(proxy: Proxy<ByPhase>) {
    let proxy = proxy.upstream(|_| Response::hang_up()).start().await;
    assert_eq!(proxy.send(Request::get("/").with_header("ask-log", ASKED)).await.status(), 503);
    let table = [
        ("response.flags", "UC"),
        ("response.code_details", "upstream_reset_before_response_started{connection_termination}"),
        ("upstream.ip", "127.0.0.1"),
        ("upstream.transport_failure_reason", ""),
    ];
    expect(&proxy, &table).await;
}

#[inproxy_test::test]
async fn an_upstream_that_breaks_off(proxy: Proxy<ByPhase>) {
    let proxy = proxy.upstream(|_| Response::new(200).with_body("abc").cut_off()).start().await;
    proxy.open(&Request::get("/").with_header("ask-log", ASKED)).await.response_or_end().await;
    let details = "upstream_reset_after_response_started{protocol_error}";
    expect(&proxy, &[("response.flags", "UPE"), ("response.code_details", details), ("response.code", "200")]).await;
}

#[inproxy_test::test]
async fn an_upstream_that_takes_too_long(proxy: Proxy<ByPhase>) {
    let proxy = proxy.route_timeout(Duration::from_millis(200)).upstream(|_| Response::new(200).after(Duration::from_secs(5))).start().await;
    let response = proxy.send(Request::get("/").with_header("ask-log", ASKED)).await;
    assert_eq!((response.status(), response.text()), (504, "upstream request timeout"));
    expect(&proxy, &[("response.flags", "UT"), ("response.code_details", "response_timeout"), ("upstream.ip", "127.0.0.1")]).await;
}

#[inproxy_test::test]
async fn a_client_that_leaves(proxy: Proxy<ByPhase>) {
    let proxy = proxy.start().await;
    proxy.open(&Request::post("/").with_header("ask-log", ASKED).with_body("never sent")).await.leave().await;
    let table = [("response.flags", "DC"), ("response.code_details", "downstream_remote_disconnect"), ("response.code", "missing")];
    expect(&proxy, &table).await;
}

#[inproxy_test::test]
async fn an_upstream_with_a_certificate_that_is_not_trusted(proxy: Proxy<ByPhase>) {
    let stranger = Tls::new(&Certificate::new().dns("up.example").of_another_authority());
    let proxy = proxy.upstream_tls(stranger, Client::new()).start().await;
    let response = proxy.send(Request::get("/").with_header("ask-log", format!("{ASKED} upstream.tls_version upstream.peer.dns_san"))).await;
    assert_eq!(response.status(), 503);
    assert_eq!(response.text(), "upstream connect error or disconnect/reset before headers. reset reason: remote connection failure");
    let reason = "TLS_error:|268435581:SSL routines:OPENSSL_internal:CERTIFICATE_VERIFY_FAILED:verify cert failed: X509_verify_cert: \
        certificate verification error at depth 0: unable to get local issuer certificate:TLS_error_end";
    let details = format!("upstream_reset_before_response_started{{remote_connection_failure|{}}}", reason.replace(' ', "_"));
    let table = [
        ("response.flags", "UF"),
        ("response.code_details", details.as_str()),
        ("upstream.transport_failure_reason", reason),
        ("upstream.tls_version", "missing"),
        ("upstream.peer.dns_san", "missing"),
    ];
    expect(&proxy, &table).await;
    assert!(proxy.upstream().requests().is_empty());
}

#[inproxy_test::test]
async fn an_upstream_that_asks_the_proxy_for_a_certificate_which_it_has_not(proxy: Proxy<ByPhase>) {
    let server = Tls::new(&Certificate::new().dns("up.example")).require_client_certificate();
    let proxy = proxy.upstream_tls(server, Client::new()).start().await;
    assert_eq!(proxy.send(Request::get("/").with_header("ask-log", ASKED)).await.status(), 503);
    let reason = "TLS_error:|268436572:SSL routines:OPENSSL_internal:TLSV1_ALERT_CERTIFICATE_REQUIRED:TLS_error_end";
    expect(&proxy, &[("response.flags", "UF"), ("upstream.transport_failure_reason", reason)]).await;
}
