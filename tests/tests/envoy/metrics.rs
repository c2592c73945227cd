use inproxy_envoy::StatsConfig;
use inproxy_tests::{Connection, Proxy, Server, throw_away_showing};
use serde_json::json;

use crate::get;

#[tokio::test]
async fn what_istio_makes_of_the_names_of_labels_reads_them_too() {
    let envoy = throw_away_showing(StatsConfig::default().with_labels(["code", "status_code", "tank"]).as_istio()).await;
    let upstream = Server::saying("hello").await;
    let sets = [[&b";.;code=.=404;.;"[..], b"a.b."], [b"", b"status_code=.=1"], [b"\xff", b"=."], [b"\"", b""]];
    let address = Proxy::before(&upstream).filter("metrics_of_each_kind", json!({ "sets": sets })).open_in(&envoy).await.unwrap();
    let mut connection = Connection::open(address).await;
    connection.send(get("/sets/1/level/3", "")).await;
    assert_eq!(connection.response().await.status(), 200);
    let text = envoy.admin().get("/stats/prometheus").await.unwrap().unwrap();
    let text = String::from_utf8(text.to_vec()).unwrap();
    let mut seen: Vec<_> = text.lines().filter(|line| line.starts_with("metrics_requests_total{") && line.ends_with(" 1")).collect();
    seen.sort_unstable();
    assert_eq!(
        seen,
        [
            r#"metrics_requests_total{code="",status_code="\""} 1"#,
            r#"metrics_requests_total{code="=%2E",status_code="%FF"} 1"#,
            r#"metrics_requests_total{code="a.b%2E",status_code="%3B.%3Bcode%3D.=404%3B.%3B"} 1"#,
            r#"metrics_requests_total{code="status_code%3D.=1",status_code=""} 1"#,
        ]
    );
    assert!(text.contains(r#"metrics_level{tank="a.b"} 3"#), "{text}");
}
