//! Connections and their bytes.

use inproxy_test::{Proxy, TcpServer, json};
use metrics::TcpMetrics;

use super::labels::{counted, expect, mesh, once, only};

#[inproxy_test::test]
async fn connections_and_bytes_are_counted_4_33(proxy: Proxy<TcpMetrics>) {
    let proxy = mesh(proxy).configure(json!({ "istio": {} })).tcp_upstream(TcpServer::answering(|_| b"ok".to_vec()).greeting("hi")).start().await;
    let mut client = proxy.connect().await;
    client.expect("hi").await;
    client.send(vec![b'x'; 60]).await;
    client.expect("ok").await;
    assert_eq!(only(&proxy, "istio_tcp_connections_opened_total").await.value, 1.0);
    assert_eq!(only(&proxy, "istio_tcp_received_bytes_total").await.value, 60.0, "while the connection is open");
    assert_eq!(only(&proxy, "istio_tcp_connections_closed_total").await.value, 0.0);
    client.finish().await;
    client.read_to_end().await;
    once(&proxy, "istio_tcp_connections_closed_total", |series| series.iter().any(|series| series.value > 0.0)).await;
    let closed = only(&proxy, "istio_tcp_connections_closed_total").await;
    assert_eq!(closed.value, 1.0);
    assert_eq!(only(&proxy, "istio_tcp_sent_bytes_total").await.value, 4.0);
    assert_eq!(closed.labels.len(), 23);
    expect(
        &closed,
        [
            ("request_protocol", "tcp"),
            ("destination_workload", "cart-v1"),
            ("destination_service", "unknown"),
            ("response_flags", "-"),
            ("connection_security_policy", "none"),
        ],
    );
}

#[inproxy_test::test]
async fn a_connection_that_says_nothing_is_one_too(proxy: Proxy<TcpMetrics>) {
    let proxy = mesh(proxy).configure(json!({ "istio": {} })).start().await;
    proxy.connect().await.leave().await;
    let closed = once(&proxy, "istio_tcp_connections_closed_total", |series| !series.is_empty()).await;
    assert_eq!(closed.iter().map(|series| series.value).sum::<f64>(), 1.0);
    assert_eq!(counted(&proxy, "istio_tcp_connections_opened_total").await.iter().map(|series| series.value).sum::<f64>(), 1.0);
}
