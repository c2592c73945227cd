//! `reference` 4.33, attributegen: attributes that are made of others.

use inproxy_test::{Proxy, Request, Response, json};
use metrics::Metrics;

use super::labels::counted;

#[inproxy_test::test]
async fn requests_and_answers_have_their_class_4_33(proxy: Proxy<Metrics>) {
    let attributes = json!([
        {
            "output_attribute": "istio_operationId",
            "match": [
                { "value": "GetStatus", "condition": "request.url_path.startsWith('/status')" },
                { "value": "ListBooks", "condition": "request.url_path == '/books' && request.method == 'GET'" },
                { "value": "GetBook", "condition": "request.url_path.matches('^/shelves/[[:alnum:]]+/books/[[:alnum:]]+$')" },
                { "value": "NoCondition", "condition": "request.url_path" },
            ],
        },
        {
            "output_attribute": "response_class",
            "match": [
                { "value": "2xx", "condition": "response.code >= 200 && response.code <= 299" },
                { "value": "other" },
            ],
        },
    ]);
    let labels = json!({ "operation": " istio_operationId ", "class": "response_class", "literal": "'istio_operationId'" });
    let metric = json!({ "namespace": "", "name": "operations", "kind": "COUNTER", "labels": labels });
    let proxy = proxy.metric_labels(["operation", "class", "literal"]).configure(json!({ "attributes": attributes, "metrics": [metric] }));
    let proxy = proxy.upstream(|request| Response::new(if request.path() == "/status/207" { 207 } else { 404 })).start().await;
    for (request, operation, class) in [
        (Request::get("/status/207"), "GetStatus", "2xx"),
        (Request::get("/books"), "ListBooks", "other"),
        (Request::post("/books"), "unknown", "other"),
        (Request::get("/shelves/a101/books/b1122"), "GetBook", "other"),
        (Request::get("/shelves/-----/books/b1122"), "unknown", "other"),
    ] {
        let before = value(&proxy, operation, class).await;
        proxy.send(request).await;
        assert_eq!(value(&proxy, operation, class).await, before + 1.0, "{operation} {class}");
    }
    assert!(counted(&proxy, "operations").await.iter().all(|series| series.labels["literal"] == "istio_operationId"));
}

async fn value(proxy: &inproxy_test::Running, operation: &str, class: &str) -> f64 {
    proxy.series("operations", [("operation", operation), ("class", class), ("literal", "istio_operationId")]).await
}
