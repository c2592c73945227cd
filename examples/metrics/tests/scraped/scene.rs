//! An Envoy with two workers, in front of an HTTP and a TCP server.

use std::{net::SocketAddr, path::Path, time::Duration};

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::{Request, Response};
use inproxy_envoy::{Cluster, Envoy, Listener, Module, Options, Source, TcpListener, upstream::Upstream};
use inproxy_test::json;

use super::traffic::{self, messages};

/// All of it; it ends when this is dropped.
pub struct Scene {
    envoy: Envoy,
    http: SocketAddr,
    tcp: SocketAddr,
    _upstream: Upstream,
}

// === impl Scene ===

impl Scene {
    /// The filters, configured as `inproxy.toml` has it, and Envoy told of their metrics by what `cargo inproxy stats` says.
    pub async fn start() -> Self {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR"));
        let stats = cargo_inproxy::stats(dir, None).await.expect("the labels and buckets");
        let project = cargo_inproxy::Project::read(dir).expect("inproxy.toml");
        let module = |root_id: &str| Module {
            root_id: root_id.to_owned(),
            configuration: project.configuration(),
            ..Module::new(inproxy_test::built_module(env!("CARGO_MANIFEST_DIR")))
        };
        let node = json!({ "WORKLOAD_NAME": "cart-v1", "NAMESPACE": "shop", "CLUSTER_ID": "c1", "LABELS": { "app": "cart" } });
        let binary = inproxy_envoy::find(None, |_| {}).expect("an Envoy");
        let options = Options { workers: 2, stats, node_metadata: node, stats_flush_interval: Duration::from_millis(200), ..Options::new(binary) };
        let upstream = Upstream::serve(answer).await.expect("a server");
        let echo = traffic::echo().await;
        let envoy = Envoy::start(&options).await.expect("Envoy starts");
        envoy.put_clusters(&[Cluster::new("http", [upstream.address()]), Cluster::new("tcp", [echo])]).await.expect("the clusters");
        let mut listener = Listener::new("http", "http");
        (listener.filters, listener.balanced) = (vec![Source::Inline(module("metrics"))], true);
        let http = envoy.put_listener(&listener).await.expect("the listener");
        let mut listener = TcpListener::new("tcp", "tcp").with_filter(Source::Inline(module("metrics_tcp")));
        listener.balanced = true;
        let tcp = envoy.put_tcp_listener(&listener).await.expect("the listener");
        Self { envoy, http, tcp, _upstream: upstream }
    }

    pub fn admin(&self) -> SocketAddr {
        self.envoy.admin().address()
    }

    /// All of Envoy's statistics, also those that are zero.
    pub async fn statistics(&self) -> String {
        let text = self.envoy.admin().get("/stats/prometheus").await.expect("an answer").expect("statistics");
        String::from_utf8(text.into()).expect("UTF-8")
    }

    /// Everything once: 14 requests that count, one that does not, and a connection.
    pub async fn wave(&self, nth: u32) {
        for _ in 0..8 {
            traffic::get(self.http, "/", "curl").await;
        }
        for _ in 0..2 {
            traffic::get(self.http, "/missing", "curl").await;
        }
        traffic::get(self.http, "/broken", "curl").await;
        traffic::get(self.http, "/", "kube-probe/1.33").await;
        traffic::post(self.http, "/upload", "text/plain", vec![b'x'; 100]).await;
        traffic::post(self.http, "/acme.Cart/Add", "application/grpc", messages(&[20, 20])).await;
        traffic::post(self.http, "/acme.Cart/Drop", "application/grpc+proto", messages(&[30])).await;
        traffic::connection(self.tcp, nth).await;
    }

    /// A client that leaves while it waits.
    pub async fn leave_before_an_answer(&self) {
        traffic::leave(self.http, "/slow").await;
    }

    /// More and less traffic, for a picture.
    pub async fn tide(&self) {
        let mut clock = tokio::time::interval(Duration::from_millis(100));
        for nth in 0..500_u32 {
            clock.tick().await;
            let waves = 1 + (f64::from(nth) / 500.0 * std::f64::consts::TAU * 2.0).sin().mul_add(2.0, 2.0) as u32;
            for at in 0..waves {
                self.wave(nth * 10 + at).await;
            }
        }
    }
}

async fn answer(request: Request<Bytes>) -> Response<Full<Bytes>> {
    let response = Response::builder();
    let grpc = |status: &str| Response::builder().header("content-type", "application/grpc").header("grpc-status", status);
    let response = match request.uri().path() {
        "/missing" => response.status(404).body(Full::default()),
        "/broken" => response.status(503).body(Full::default()),
        "/slow" => {
            tokio::time::sleep(Duration::from_secs(5)).await;
            response.body(Full::default())
        }
        "/acme.Cart/Add" => grpc("0").body(messages(&[1, 2, 3]).into()),
        "/acme.Cart/Drop" => grpc("7").body(Full::default()),
        _ => response.body("hello".into()),
    };
    response.expect("a response")
}
