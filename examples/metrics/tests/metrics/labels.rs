//! Series by their labels, of which a test names those that matter.

use inproxy_test::{Proxy, Request, Running, Series};

/// Istio's labels.
pub const ISTIO: [&str; 25] = [
    "reporter",
    "source_workload",
    "source_workload_namespace",
    "source_principal",
    "source_app",
    "source_version",
    "source_canonical_service",
    "source_canonical_revision",
    "source_cluster",
    "destination_workload",
    "destination_workload_namespace",
    "destination_principal",
    "destination_app",
    "destination_version",
    "destination_service",
    "destination_service_name",
    "destination_service_namespace",
    "destination_canonical_service",
    "destination_canonical_revision",
    "destination_cluster",
    "request_protocol",
    "response_flags",
    "connection_security_policy",
    "response_code",
    "grpc_response_status",
];

/// A proxy that knows Istio's labels, beside a workload that they are read from.
pub fn mesh<F: inproxy::__private::Registered>(proxy: Proxy<F>) -> Proxy<F> {
    let node = inproxy_test::json!({
        "WORKLOAD_NAME": "cart-v1", "NAMESPACE": "shop", "CLUSTER_ID": "c1", "NAME": "cart-v1-abc", "OWNER": "kubernetes://apis/apps/v1/namespaces/shop/deployments/cart-v1", "MESH_ID": "mesh",
        "LABELS": { "app": "cart", "version": "v1", "service.istio.io/canonical-name": "cart", "service.istio.io/canonical-revision": "r1" },
    });
    proxy.metric_labels(ISTIO).node_metadata(node)
}

/// The series of a metric that requests were counted in.
pub async fn counted(proxy: &Running, name: &str) -> Vec<Series> {
    proxy.all_series(name).await.into_iter().filter(|series| series.labels.values().all(|value| value != "__overflow__")).collect()
}

/// The series of a metric, once they are `enough`, or after two seconds: what is over is counted a little later.
pub async fn once(proxy: &Running, name: &str, enough: impl Fn(&[Series]) -> bool) -> Vec<Series> {
    for _ in 0..100 {
        let series = counted(proxy, name).await;
        if enough(&series) {
            return series;
        }
        proxy.advance(std::time::Duration::from_millis(20)).await;
    }
    counted(proxy, name).await
}

/// The one series of a metric.
pub async fn only(proxy: &Running, name: &str) -> Series {
    let mut series = counted(proxy, name).await;
    assert_eq!(series.len(), 1, "{name}: {series:#?}");
    series.remove(0)
}

/// Fails unless a series has these labels.
pub fn expect<const N: usize>(series: &Series, labels: [(&str, &str); N]) {
    for (label, value) in labels {
        assert_eq!(series.labels.get(label).map(String::as_str), Some(value), "{label} of {series:#?}");
    }
}

/// Sends a request, which must be answered with this status.
pub async fn send(proxy: &Running, request: Request, status: u16) {
    assert_eq!(proxy.send(request).await.status(), status);
}
