//! What Envoy makes of TLS that is configured half.

use inproxy_envoy::ServerTls;
use inproxy_test::{Certificate, Client, wire::Connection};
use inproxy_tests::{Proxy, Server};
use serde_json::json;

/// With `require_client_certificate` and no validation context, no client is asked for a certificate: those without one come in, and what others have is not seen.
#[tokio::test]
async fn a_certificate_that_is_required_without_an_authority_is_not_asked_for() {
    let upstream = Server::saying("ok").await;
    let certificate = Certificate::new().common_name("server");
    let tls = ServerTls { certificate: certificate.key_pair(), trusted: None, accept_untrusted: false, require: true, inspect: false };
    let address = Proxy::before(&upstream).filter("attributes", json!({})).with(|listener| listener.tls = Some(tls)).open().await;
    for client in [Client::new(), Client::new().certificate(&certificate)] {
        let mut connection = Connection::open_from(address, &client).await.expect("it comes in");
        connection.send("GET / HTTP/1.1\r\nhost: a\r\nask-request: connection.mtls connection.peer.subject\r\n\r\n").await;
        let response = connection.response().await;
        assert_eq!(response.header("request-connection.mtls").as_deref(), Some("false"), "{response:?}");
        assert_eq!(response.header("request-connection.peer.subject").as_deref(), Some(""), "{response:?}");
    }
}
