//! `reference` §3.2, §3.3 and 4.33: Istio's metrics, labels and customization.

use std::collections::BTreeMap;

use super::*;

fn labels(groups: &[Group], metric: &str) -> Option<Vec<String>> {
    let group = groups.iter().find(|group| group.metrics.iter().any(|known| known.name == metric))?;
    Some(group.labels.iter().map(|(name, _)| name.clone()).collect())
}

fn source(groups: &[Group], metric: &str, label: &str) -> Option<Source> {
    let group = groups.iter().find(|group| group.metrics.iter().any(|known| known.name == metric))?;
    group.labels.iter().find(|(name, _)| name == label).map(|(_, source)| *source)
}

fn with(customs: &[Custom]) -> Vec<Group> {
    grouped(customized(standard(), Vec::new(), customs))
}

fn dimensions<const N: usize>(dimensions: [(&str, Option<usize>); N]) -> BTreeMap<String, Option<usize>> {
    dimensions.map(|(name, number)| (name.to_owned(), number)).into()
}

#[test]
fn the_metrics_and_their_labels_3_2() {
    let groups = with(&[]);
    let table: Vec<_> =
        groups.iter().flat_map(|group| group.metrics.iter().map(|metric| (metric.name.as_str(), metric.kind, group.labels.len()))).collect();
    assert_eq!(
        table,
        [
            ("requests_total", Kind::Counter, 25),
            ("request_duration_milliseconds", Kind::Histogram, 25),
            ("request_bytes", Kind::Histogram, 25),
            ("response_bytes", Kind::Histogram, 25),
            ("request_messages_total", Kind::Counter, 20),
            ("response_messages_total", Kind::Counter, 20),
            ("tcp_sent_bytes_total", Kind::Counter, 23),
            ("tcp_received_bytes_total", Kind::Counter, 23),
            ("tcp_connections_opened_total", Kind::Counter, 23),
            ("tcp_connections_closed_total", Kind::Counter, 23),
        ]
    );
    assert_eq!(groups.len(), 3, "metrics with the same labels are looked up once");
    let messages = labels(&groups, "request_messages_total").unwrap();
    assert_eq!((messages.first().unwrap().as_str(), messages.last().unwrap().as_str()), ("reporter", "destination_cluster"));
    assert_eq!(labels(&groups, "tcp_sent_bytes_total").unwrap().last().unwrap(), "connection_security_policy");
}

#[test]
fn a_definition_takes_the_place_of_a_metric_of_its_name_3_3() {
    let defined = |name: &str, at| Metric { name: name.to_owned(), kind: Kind::Counter, applies: Applies::Request, value: Value::Defined(at) };
    let groups = grouped(customized(standard(), vec![defined("requests_total", 0), defined("custom", 1), defined("tcp_sent_bytes_total", 2)], &[]));
    let of = |name: &str| groups.iter().flat_map(|group| &group.metrics).find(|metric| metric.name == name).unwrap();
    assert_eq!(of("requests_total").value, Value::Defined(0));
    assert_eq!(of("custom").value, Value::Defined(1));
    assert_eq!(of("tcp_sent_bytes_total").applies, Applies::Request, "definitions are of requests");
    assert_eq!(groups.iter().flat_map(|group| &group.metrics).count(), 11);
}

#[test]
fn labels_are_removed_before_others_come_and_in_order_3_3() {
    let groups = with(&[
        Custom {
            tags_to_remove: vec!["source_app".to_owned()],
            dimensions: dimensions([("source_app", Some(7)), ("z", Some(8)), ("b", Some(9))]),
            ..Custom::default()
        },
        Custom { name: "request_bytes".to_owned(), tags_to_remove: vec!["z".to_owned(), "reporter".to_owned()], ..Custom::default() },
    ]);
    let requests = labels(&groups, "requests_total").unwrap();
    assert_eq!(requests.len(), 27);
    assert_eq!(requests[24..], ["b", "source_app", "z"]);
    assert_eq!(source(&groups, "requests_total", "source_app"), Some(Source::Expression(7)));
    assert_eq!(labels(&groups, "tcp_sent_bytes_total").unwrap().len(), 25, "without a name it is for all");
    let bytes = labels(&groups, "request_bytes").unwrap();
    assert_eq!((bytes.len(), bytes.contains(&"z".to_owned()), bytes.contains(&"reporter".to_owned())), (25, false, false));
}

#[test]
fn a_label_keeps_its_place_when_it_is_set_otherwise_3_3() {
    let groups = with(&[Custom { dimensions: dimensions([("reporter", Some(0))]), ..Custom::default() }]);
    assert_eq!(labels(&groups, "requests_total").unwrap()[0], "reporter");
    assert_eq!(source(&groups, "requests_total", "reporter"), Some(Source::Expression(0)));
}

#[test]
fn what_is_no_expression_removes_the_label_4_33() {
    let groups = with(&[Custom { dimensions: dimensions([("destination_app", None), ("new", None)]), ..Custom::default() }]);
    let labels = labels(&groups, "requests_total").unwrap();
    assert_eq!((labels.len(), labels.contains(&"destination_app".to_owned())), (24, false));
}

#[test]
fn a_metric_that_is_dropped_is_not_there_3_3() {
    let groups = with(&[Custom { name: "request_bytes".to_owned(), drop: true, ..Custom::default() }]);
    assert_eq!((labels(&groups, "request_bytes"), labels(&groups, "response_bytes").map(|labels| labels.len())), (None, Some(25)));
    assert!(with(&[Custom { drop: true, ..Custom::default() }]).is_empty());
}

#[test]
fn the_service_of_a_request_3_2() {
    let told = || Some(["reviews", "reviews.shop.svc.cluster.local", "shop"].map(str::to_owned));
    let of = |host: &str, name: &str, namespace: &str| Service { host: host.to_owned(), name: name.to_owned(), namespace: namespace.to_owned() };
    let host = || "a.example".to_owned();
    assert_eq!(service("default", "outbound|80||reviews", told, host), of("reviews.shop.svc.cluster.local", "reviews", "shop"));
    assert_eq!(service("default", "upstream", || None, host), of("a.example", "a.example", ""));
    assert_eq!(service("default", "upstream", || Some(["reviews".to_owned(), String::new(), String::new()]), host), of("a.example", "reviews", ""));
    assert_eq!(service("block_all", "upstream", told, host), of("a.example", "BlackHoleCluster", ""));
    assert_eq!(service("allow_any", "upstream", told, host), of("a.example", "PassthroughCluster", ""));
    for cluster in ["BlackHoleCluster", "PassthroughCluster", "InboundPassthroughClusterIpv4", "InboundPassthroughClusterIpv6"] {
        assert_eq!(service("default", cluster, told, host).name, cluster);
    }
}

#[test]
fn a_workload_of_an_endpoint_4_33() {
    let of = Workload::of_endpoint("ratings-v1;default;ratings;v1;cluster-1").unwrap();
    assert_eq!(
        (of.name.as_str(), of.namespace.as_str(), of.service.as_str(), of.revision.as_str(), of.cluster.as_str()),
        ("ratings-v1", "default", "ratings", "v1", "cluster-1")
    );
    assert_eq!((of.app.as_str(), of.version.as_str()), ("", ""), "these are not told");
    let of = Workload::of_endpoint("ratings-v1;default;;").unwrap();
    assert_eq!((of.service.as_str(), of.revision.as_str(), of.cluster.as_str()), ("ratings-v1", "latest", ""));
    for text in ["", "a", "a;b;c"] {
        assert_eq!(Workload::of_endpoint(text), None, "{text}");
    }
}

#[test]
fn what_a_workload_tells_is_understood_3_5() {
    let text = |key: &str| match key {
        "WORKLOAD_NAME" => Some("cart-v1".to_owned()),
        "NAMESPACE" => Some("shop".to_owned()),
        "CLUSTER_ID" => Some("c1".to_owned()),
        _ => None,
    };
    let label = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let header = encoded(text, vec![label("version", "v1"), label("app", "cart")]);
    let cart = decoded(header.as_bytes()).unwrap();
    let expected = Workload {
        name: "cart-v1".to_owned(),
        namespace: "shop".to_owned(),
        app: "cart".to_owned(),
        version: "v1".to_owned(),
        service: "cart-v1".to_owned(),
        revision: "latest".to_owned(),
        cluster: "c1".to_owned(),
    };
    assert_eq!(cart, expected);
    assert_eq!(encoded(text, vec![label("app", "cart"), label("version", "v1")]), header, "the same metadata are the same bytes");
    assert_eq!(decoded(header.trim_end_matches('=').as_bytes()), Some(cart));
}

#[test]
fn what_no_workload_tells_is_not_one_3_5() {
    for header in [&b"not base64!"[..], b"\xff", b"/////w=="] {
        assert_eq!(decoded(header), None);
    }
    // A number where a text should be.
    let told = prost_types::Struct { fields: [("WORKLOAD_NAME".to_owned(), 1.0.into())].into() };
    let header = <base64ct::Base64 as base64ct::Encoding>::encode_string(&prost::Message::encode_to_vec(&told));
    assert_eq!(decoded(header.as_bytes()).unwrap().name, "");
}
