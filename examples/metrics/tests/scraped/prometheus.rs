//! A Prometheus of the test's own.

use std::{
    collections::BTreeMap,
    net::{SocketAddr, TcpListener},
    process::{Child, Command, Stdio},
    time::Duration,
};

use http_body_util::Full;
use hyper::Request;
use inproxy_envoy::client;
use serde_json::Value;
use tempfile::TempDir;

/// It is stopped when it is dropped.
pub struct Prometheus {
    process: Child,
    address: SocketAddr,
    _folder: TempDir,
}

/// One series of an answer, and its points: Unix time and value.
#[derive(Debug)]
pub struct Series {
    pub labels: BTreeMap<String, String>,
    pub points: Vec<(f64, f64)>,
}

// === impl Prometheus ===

impl Prometheus {
    /// Starts one that asks an Envoy twice each second.
    pub fn start(envoy: SocketAddr) -> Self {
        let address = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a free port");
        let folder = tempfile::tempdir().expect("a folder");
        let config = include_str!("../../deploy/prometheus.yaml").replace("127.0.0.1:9901", &envoy.to_string()).replace("15s", "500ms");
        std::fs::write(folder.path().join("prometheus.yaml"), config).expect("a file");
        let mut prometheus = Command::new("prometheus");
        prometheus.arg(format!("--config.file={}", folder.path().join("prometheus.yaml").display()));
        prometheus.arg(format!("--storage.tsdb.path={}", folder.path().join("data").display())).arg(format!("--web.listen-address={address}"));
        let process = prometheus.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let process = process.expect("prometheus is not here: `cargo xtask test` installs it, or `apt-get install prometheus`");
        Self { process, address, _folder: folder }
    }

    /// The series of a query, as they are now.
    pub async fn query(&self, query: &str) -> Vec<Series> {
        self.ask(&format!("/api/v1/query?query={}", encoded(query))).await.expect("an answer")
    }

    /// The series of a query, over the last seconds.
    pub async fn query_range(&self, query: &str, seconds: f64) -> Vec<Series> {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs_f64();
        let path = format!("/api/v1/query_range?query={}&start={}&end={now}&step=0.5", encoded(query), now - seconds);
        self.ask(&path).await.expect("an answer")
    }

    /// Fails unless a query has exactly this value, before long.
    pub async fn expect(&self, query: &str, expected: f64) {
        let mut last = None;
        for _ in 0..100 {
            last = self.ask(&format!("/api/v1/query?query={}", encoded(query))).await;
            if let Some([Series { points, .. }]) = last.as_deref()
                && points[..] == [(points[0].0, expected)]
            {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("{query} is not {expected}: {last:#?}");
    }

    /// `None` while it does not answer.
    async fn ask(&self, path: &str) -> Option<Vec<Series>> {
        let request = Request::get(format!("http://{}{path}", self.address)).body(Full::default()).unwrap();
        let response = client::send(self.address, request).await.ok()?;
        let answer: Value = serde_json::from_slice(response.body()).ok()?;
        assert_eq!(answer["status"], "success", "{path}: {answer}");
        Some(answer["data"]["result"].as_array()?.iter().map(Series::of).collect())
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

// === impl Series ===

impl Series {
    fn of(result: &Value) -> Self {
        let labels = result["metric"].as_object().unwrap().iter().map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()));
        let point = |point: &Value| (point[0].as_f64().unwrap(), point[1].as_str().unwrap().parse().unwrap());
        let points = match result["values"].as_array() {
            Some(points) => points.iter().map(point).collect(),
            None => vec![point(&result["value"])],
        };
        Self { labels: labels.collect(), points }
    }
}

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}
