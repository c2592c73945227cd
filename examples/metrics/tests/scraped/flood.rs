//! Clients that choose the values of labels: each request has a path and a user that no other has.
//!
//! `FLOOD` says how many; 20 000 unless set. `FLOOD=1000000 cargo test --release -p metrics --test scraped flood` takes a few minutes.

use std::net::SocketAddr;

use inproxy_envoy::{Admin, Envoy, Listener, Module, Options, Source, StatsConfig};
use inproxy_test::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
};

/// How many label sets a metric may have.
const LABEL_SETS: u64 = 1000;

const CONNECTIONS: u64 = 8;

fn requests() -> u64 {
    std::env::var("FLOOD").ok().and_then(|requests| requests.parse().ok()).unwrap_or(20_000)
}

#[tokio::test]
async fn series_and_memory_stay_within_their_bounds_in_a_flood() {
    let labels = json!({ "path": "request.path", "user": "request.headers['x-user']" });
    let configuration = json!({
        "metrics": [{ "namespace": "flood", "name": "requests", "kind": "COUNTER", "labels": labels }],
        "istio": { "metrics": [{ "dimensions": labels }] },
        "label_sets": LABEL_SETS,
    });
    let module = Module {
        root_id: "metrics".to_owned(),
        configuration: Some(configuration.to_string()),
        ..Module::new(inproxy_test::built_module(env!("CARGO_MANIFEST_DIR")))
    };
    let binary = inproxy_envoy::find(None, |_| {}).expect("an Envoy");
    let stats = StatsConfig::default().with_labels(["path", "user"]);
    let envoy = Envoy::start(&Options { workers: 2, stats, ..Options::new(binary) }).await.expect("Envoy starts");
    let mut listener = Listener::new("http", "none");
    (listener.filters, listener.balanced, listener.direct_response) = (vec![Source::Inline(module)], true, true);
    let address = envoy.put_listener(&listener).await.expect("the listener");
    let admin = envoy.admin();
    let all = requests();
    let first = all / 10;
    flood(address, 0, first).await;
    let early = envoy.resident_memory().expect("its memory");
    flood(address, first, all).await;
    let late = envoy.resident_memory().expect("its memory");

    // Own, and four of Istio's: of histograms too. Each has one for what finds no room.
    for metric in ["flood_requests", "istio_requests_total"] {
        let values = values(&admin, metric).await;
        let (overflow, own): (Vec<_>, Vec<_>) = values.into_iter().partition(|(name, _)| name.contains("path=.=__overflow__"));
        assert_eq!((own.len() as u64, overflow.len()), (LABEL_SETS, 1), "{metric}");
        assert_eq!(own.iter().map(|(_, value)| value).sum::<u64>(), LABEL_SETS, "{metric}: each of these was one request");
        assert_eq!(overflow.iter().map(|(_, value)| value).sum::<u64>(), all - LABEL_SETS, "{metric}");
    }
    println!("{all} requests: Envoy has {early} bytes after a tenth, and {late} after all");
    assert!(late < early + 16 * 1024 * 1024, "after {first} requests Envoy had {early} bytes, and {late} after {all}");
}

/// Sends the requests of these numbers, over some connections.
async fn flood(address: SocketAddr, from: u64, to: u64) {
    let mut connections = JoinSet::new();
    for connection in 0..CONNECTIONS {
        connections.spawn(async move {
            let mut stream = TcpStream::connect(address).await.expect("a connection");
            let mut buffer = vec![0; 4096];
            for nth in (from..to).filter(|nth| nth % CONNECTIONS == connection) {
                let request = format!("GET /paths/{nth} HTTP/1.1\r\nhost: a\r\nx-user: user-{nth}\r\n\r\n");
                stream.write_all(request.as_bytes()).await.expect("a request");
                let mut read = 0;
                while !buffer[..read].ends_with(b"\r\n\r\n") {
                    let more = stream.read(&mut buffer[read..]).await.expect("an answer");
                    assert!(more > 0, "the proxy has closed the connection");
                    read += more;
                }
                assert!(buffer.starts_with(b"HTTP/1.1 200"));
            }
        });
    }
    while let Some(done) = connections.join_next().await {
        done.expect("requests are answered");
    }
}

/// The values of a counter's series.
async fn values(admin: &Admin, metric: &str) -> Vec<(String, u64)> {
    let stats = admin.stats("wasmcustom.").await.expect("an answer");
    stats.into_iter().filter(|(name, _)| name.ends_with(metric)).collect()
}
