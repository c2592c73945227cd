//! Label values that a client chooses.

use inproxy_test::{Proxy, Request, Response, json};
use metrics::Metrics;

#[inproxy_test::test]
async fn series_stay_within_their_bound_over_all_workers(proxy: Proxy<Metrics>) {
    let metric = json!({ "name": "requests", "kind": "COUNTER", "labels": { "path": "request.path" } });
    let proxy = proxy.workers(2).metric_labels(["path"]).configure(json!({ "metrics": [metric], "label_sets": 20 })).start().await;
    for nth in 0..200 {
        proxy.send(Request::get(&format!("/{nth}"))).await.expect(&Response::new(200));
    }
    let series = proxy.all_series("istio_requests").await;
    assert_eq!(series.len(), 21);
    assert_eq!(series.iter().map(|series| series.value).sum::<f64>(), 200.0);
    assert_eq!(proxy.series("istio_requests", [("path", "__overflow__")]).await, 180.0);
}
