/// To which service a request goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Service {
    /// `destination_service`.
    pub(crate) host: String,
    /// `destination_service_name`.
    pub(crate) name: String,
    /// `destination_service_namespace`, if the cluster tells it.
    pub(crate) namespace: String,
}

/// Clusters of Istio for what goes to no service that it knows.
const NO_SERVICE: [&str; 4] = ["BlackHoleCluster", "PassthroughCluster", "InboundPassthroughClusterIpv4", "InboundPassthroughClusterIpv6"];

/// The service of a request: by the route that blocks or lets all pass, by the cluster, by what the cluster's metadata tell of it, or else by the request's host. `told` are name, host and namespace.
pub(crate) fn service(route: &str, cluster: &str, told: impl FnOnce() -> Option<[String; 3]>, host: impl FnOnce() -> String) -> Service {
    let cluster = match route {
        "block_all" => "BlackHoleCluster",
        "allow_any" => "PassthroughCluster",
        _ => cluster,
    };
    if NO_SERVICE.contains(&cluster) {
        return Service { host: host(), name: cluster.to_owned(), namespace: String::new() };
    }
    if let Some([name, told_host, namespace]) = told() {
        let host = if told_host.is_empty() { host() } else { told_host };
        return Service { host, name, namespace };
    }
    let host = host();
    Service { name: host.clone(), host, namespace: String::new() }
}
