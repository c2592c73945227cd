//! Requests and messages of gRPC.

use inproxy_test::{Proxy, Request, Response, json};
use metrics::Metrics;

use super::labels::{counted, expect, mesh, only, send};

/// Messages of these lengths.
fn messages<const N: usize>(lengths: [usize; N]) -> Vec<u8> {
    lengths.iter().flat_map(|length| [&[0][..], &(*length as u32).to_be_bytes(), &vec![b'm'; *length]].concat()).collect()
}

fn call() -> Request {
    Request::post("/acme.Cart/Add").with_header("content-type", "application/grpc").with_header("te", "trailers").with_authority("cart.shop")
}

#[inproxy_test::test]
async fn a_call_has_its_status_and_its_messages_4_33(proxy: Proxy<Metrics>) {
    let answer = |_: &Request| {
        Response::new(200).with_header("content-type", "application/grpc").with_body(messages([3, 0, 70_000])).with_trailer("grpc-status", "7")
    };
    let proxy = mesh(proxy).configure(json!({ "istio": {} })).upstream(answer).start().await;
    send(&proxy, call().with_body(messages([1, 2])), 200).await;
    let series = only(&proxy, "istio_requests_total").await;
    expect(&series, [("request_protocol", "grpc"), ("grpc_response_status", "7"), ("response_code", "200")]);
    let (sent, received) = (only(&proxy, "istio_request_messages_total").await, only(&proxy, "istio_response_messages_total").await);
    assert_eq!((sent.value, received.value), (2.0, 3.0));
    expect(&sent, [("destination_service", "cart.shop"), ("destination_workload", "cart-v1"), ("reporter", "destination")]);
    assert_eq!(sent.labels.len(), 20);
}

#[inproxy_test::test]
async fn a_call_without_a_status_has_that_of_its_http_status_3_2(proxy: Proxy<Metrics>) {
    let (host, name) = proxy.host();
    // Envoy has one for some of HTTP's; for others it is "unknown".
    for (http, grpc) in [(503, "14"), (401, "16"), (200, "2"), (418, "2")] {
        let proxy = mesh(Proxy::<Metrics>::on(host, name)).configure(json!({ "istio": {} })).upstream(move |_| Response::new(http)).start().await;
        proxy.send(call().with_body(messages([1]))).await;
        let series = only(&proxy, "istio_requests_total").await;
        expect(&series, [("request_protocol", "grpc"), ("grpc_response_status", grpc), ("response_code", &http.to_string())]);
    }
}

#[inproxy_test::test]
async fn messages_are_counted_as_they_go_by_4_33(proxy: Proxy<Metrics>) {
    let answer = |_: &Request| {
        Response::new(200).with_header("content-type", "application/grpc").with_body(messages([5; 13])).with_trailer("grpc-status", "0")
    };
    let proxy = mesh(proxy).configure(json!({ "istio": {} })).upstream(answer).start().await;
    let body = messages([1, 1, 1, 1]);
    let mut exchange = proxy.open(&call().with_body(body.clone())).await;
    for piece in [&body[..18], &body[18..21], &body[21..]] {
        exchange.body(piece).await;
    }
    exchange.end().await;
    assert_eq!(exchange.response().await.status(), 200);
    assert_eq!(only(&proxy, "istio_request_messages_total").await.value, 4.0);
    assert_eq!(only(&proxy, "istio_response_messages_total").await.value, 13.0);
}

#[inproxy_test::test]
async fn a_long_answer_is_counted_before_it_is_over_4_33(proxy: Proxy<Metrics>) {
    let answer = |_: &Request| {
        let response =
            Response::new(200).with_header("content-type", "application/grpc").with_header("grpc-status", "0").with_body(messages([5; 13]));
        response.and_later(std::time::Duration::from_secs(3), messages([5; 14]))
    };
    let proxy = mesh(proxy).configure(json!({ "istio": {} })).upstream(answer).start().await;
    let mut exchange = proxy.open(&call().with_body(messages([1; 3]))).await;
    exchange.body(&messages([1; 3])).await;
    exchange.end().await;
    proxy.advance(std::time::Duration::from_millis(300)).await;
    assert_eq!(only(&proxy, "istio_request_messages_total").await.value, 3.0);
    assert_eq!(only(&proxy, "istio_response_messages_total").await.value, 13.0);
    assert_eq!(exchange.response().await.status(), 200);
    assert_eq!(only(&proxy, "istio_response_messages_total").await.value, 27.0);
}

#[inproxy_test::test]
async fn what_is_no_call_has_no_messages(proxy: Proxy<Metrics>) {
    let proxy = mesh(proxy).configure(json!({ "istio": {} })).start().await;
    for content_type in ["application/json", "application/grpc-web", "application/grpcx"] {
        send(&proxy, Request::post("/").with_header("content-type", content_type).with_body(messages([1, 2])), 200).await;
    }
    let probe = call().with_header("user-agent", "kube-probe/1").with_body(messages([1]));
    send(&proxy, probe, 200).await;
    assert_eq!(counted(&proxy, "istio_request_messages_total").await, []);
    assert_eq!(only(&proxy, "istio_requests_total").await.value, 3.0);
}
