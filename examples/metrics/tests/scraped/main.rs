//! What a real Prometheus has of what went through a real Envoy with two workers, and what the dashboard makes of it.
//!
//! `PICTURE=overwrite cargo test -p metrics --test scraped` goes on for a minute, and draws `deploy/dashboard.svg` anew.

#![allow(
    clippy::disallowed_macros,
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "test code"
)]
#![allow(missing_docs, unreachable_pub, reason = "test code")]

mod dashboard;
mod flood;
mod picture;
mod prometheus;
mod scene;
mod traffic;

use std::time::Duration;

use self::{dashboard::Panel, prometheus::Prometheus, scene::Scene};

/// How often everything is sent.
const WAVES: u32 = 8;

#[tokio::test]
async fn prometheus_has_exactly_what_went_through_and_the_dashboard_shows_it() {
    let scene = Scene::start().await;
    let prometheus = Prometheus::start(scene.admin());
    // It takes its time to find what to ask.
    prometheus.expect("up", 1.0).await;
    scene.leave_before_an_answer().await;
    for wave in 0..WAVES {
        scene.wave(wave).await;
        tokio::time::sleep(Duration::from_millis(600)).await;
    }
    numbers(&prometheus).await;
    labels(&prometheus).await;
    names(&scene).await;
    let picture = std::env::var("PICTURE").is_ok_and(|value| value == "overwrite");
    if picture {
        scene.tide().await;
    }
    let mut drawn = Vec::new();
    for panel in Panel::all() {
        drawn.push((panel.title.clone(), panel.unit.clone(), dashboard::shown(&panel, &prometheus).await));
    }
    if picture {
        std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/dashboard.svg"), picture::of(&drawn)).unwrap();
    }
}

/// The numbers are exactly those of the traffic.
async fn numbers(prometheus: &Prometheus) {
    let waves = f64::from(WAVES);
    for (query, expected) in [
        (r#"sum(istio_requests_total{response_code="200"})"#, 11.0 * waves),
        (r#"sum(istio_requests_total{response_code="404"})"#, 2.0 * waves),
        (r#"sum(istio_requests_total{response_code="503"})"#, waves),
        (r#"sum(istio_requests_total{response_code="0",response_flags="DC"})"#, 1.0),
        ("sum(istio_requests_total)", 14.0 * waves + 1.0),
        (r#"sum(istio_requests_total{response_class="2xx"})"#, 11.0 * waves),
        (r#"sum(istio_requests_total{request_protocol="grpc",grpc_response_status="0"})"#, waves),
        (r#"sum(istio_requests_total{request_protocol="grpc",grpc_response_status="7"})"#, waves),
        ("sum(istio_request_messages_total)", 3.0 * waves),
        ("sum(istio_response_messages_total)", 3.0 * waves),
        ("sum(istio_request_duration_milliseconds_count)", 14.0 * waves + 1.0),
        ("sum(istio_tcp_connections_opened_total)", waves),
        ("sum(istio_tcp_connections_closed_total)", waves),
        ("sum(istio_tcp_received_bytes_total)", 60.0 * waves),
        ("sum(istio_tcp_sent_bytes_total)", 62.0 * waves),
        (r#"sum(shop_uploadbytes_bucket{le="10"})"#, 0.0),
        (r#"sum(shop_uploadbytes_bucket{le="100",method="POST"})"#, 3.0 * waves),
        ("count(istio_requests_total)", 6.0),
    ] {
        prometheus.expect(query, expected).await;
    }
}

/// What the dashboard names is there, also what is zero in this run: of these, queries make a zero themselves.
async fn names(scene: &Scene) {
    let statistics = scene.statistics().await;
    let has = |name: &str, label: &str| statistics.lines().any(|line| line.starts_with(&format!("{name}{{")) && line.contains(label));
    for panel in Panel::all() {
        for metric in panel.metrics() {
            assert!(has(metric, ""), "{}: there is no {metric}", panel.title);
        }
    }
    assert!(has("istio_requests_total", r#"reporter="__overflow__""#));
}

/// A series has all of Istio's labels, and that of the configuration.
async fn labels(prometheus: &Prometheus) {
    let series = prometheus.query(r#"istio_requests_total{response_code="404"}"#).await;
    let [series] = series.as_slice() else { panic!("not one: {series:#?}") };
    let labels: Vec<_> = series
        .labels
        .iter()
        .filter(|(name, _)| !matches!(name.as_str(), "__name__" | "instance" | "job"))
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let expected = [
        ("connection_security_policy", "none"),
        ("destination_app", "cart"),
        ("destination_canonical_revision", "latest"),
        ("destination_canonical_service", "cart-v1"),
        ("destination_cluster", "c1"),
        ("destination_principal", "unknown"),
        ("destination_service", "cart.shop"),
        ("destination_service_name", "cart.shop"),
        ("destination_service_namespace", "shop"),
        ("destination_version", "unknown"),
        ("destination_workload", "cart-v1"),
        ("destination_workload_namespace", "shop"),
        ("reporter", "destination"),
        ("request_protocol", "http"),
        ("response_class", "4xx"),
        ("response_code", "404"),
        ("response_flags", "-"),
        ("source_app", "unknown"),
        ("source_canonical_revision", "latest"),
        ("source_canonical_service", "unknown"),
        ("source_cluster", "unknown"),
        ("source_principal", "unknown"),
        ("source_version", "unknown"),
        ("source_workload", "unknown"),
        ("source_workload_namespace", "unknown"),
    ];
    assert_eq!(labels, expected, "an empty label, that of gRPC's status, is none");
}
