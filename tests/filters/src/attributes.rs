//! Filters that tell what the proxy knows of a stream.

use std::{
    net::IpAddr,
    time::{Duration, SystemTime},
};

use inproxy::{
    attributes::{AttributeError, Attributes as Of, Certificate, IstioPeer, Optional, Peer, Value},
    hooks::{Action, Finished, HttpHooks, RequestBody, RequestHeaders, ResponseBody, ResponseHeaders},
    prelude::*,
    time,
};

/// Tells the attributes that `ask-request` and `ask-response` name, each as `request/name` or `response/name` in the response's headers. With `x-wait` it waits first, so that it is a tick in which it asks.
#[filter(root_id = "attributes")]
#[config]
pub struct Attributes {}

/// Tells the attributes that `ask-body` and `ask-log` name in the log.
#[filter(hooks, root_id = "attributes_by_phase")]
pub struct ByPhase;

impl Configure for ByPhase {
    type Config = Nothing;

    fn configure(_: Nothing, plugin: &mut Plugin) -> Result<Self> {
        log::info!("configured on {} for {}", plugin.node().id()?, show(plugin.node().metadata().text("team")));
        Ok(Self)
    }
}

/// No configuration.
#[config]
#[derive(Debug)]
pub struct Nothing {}

/// Keeps who the tenant is in filter state, as its headers say, and tells what is there.
#[filter(root_id = "attributes_kept")]
#[config]
pub struct Kept {}

/// Tells of workloads what there is: of one that a module before it has left as `wasm.downstream_peer`, of those that Istio has, and of the proxy's own.
#[filter(root_id = "istio_peers")]
#[config]
pub struct Peers {}

impl HttpFilter for Peers {
    async fn handle(&self, request: Request, next: Next) -> Result<Response> {
        let attributes = request.attributes();
        let peer = IstioPeer::from(attributes.filter_state().fields("wasm.downstream_peer"));
        let peer = [peer.workload(), peer.label("role"), peer.namespace()].map(show).join(" ");
        let istio = attributes.istio();
        let peers = [istio.downstream_peer().workload(), istio.upstream_peer().workload()].map(show).join(" ");
        let own = istio.workload();
        let own = [own.name(), own.workload(), own.namespace(), own.owner(), own.cluster(), own.mesh(), own.service_account(), own.label("app")];
        let own = own.map(show).join(" ");
        let mut response = next.run(request).await;
        for (name, value) in [("x-peer", peer), ("x-istio", peers), ("x-own", own)] {
            response.headers_mut().insert(name, value)?;
        }
        Ok(response)
    }
}

// ANCHOR: client
/// Lets only these clients pass.
#[filter(root_id = "cookbook_client")]
#[config]
pub struct Clients {
    allowed: Vec<IpAddr>,
}

impl HttpFilter for Clients {
    async fn handle(&self, request: Request, next: Next) -> Result<Response> {
        let client = request.source().address()?.ip();
        if !self.allowed.contains(&client) {
            log::info!("refused {client}");
            return Ok(Response::new(StatusCode::FORBIDDEN));
        }
        Ok(next.run(request).await)
    }
}
// ANCHOR_END: client

// ANCHOR: mtls
/// Lets only workloads of a trust domain pass, and tells the upstream which it is.
#[filter(root_id = "cookbook_mtls")]
#[config]
pub struct Workloads {
    trust_domain: String,
}

impl HttpFilter for Workloads {
    async fn handle(&self, mut request: Request, next: Next) -> Result<Response> {
        let workload = match request.connection().mtls()? {
            true => request.connection().peer_certificate().uri_san().optional()?,
            false => None,
        };
        let Some(workload) = workload.filter(|id| self.has(id)) else { return Ok(Response::new(StatusCode::FORBIDDEN)) };
        request.headers_mut().insert("x-workload", workload)?;
        Ok(next.run(request).await)
    }
}

impl Workloads {
    /// `spiffe://cluster.local/ns/shop/sa/cart` is of the trust domain `cluster.local`.
    fn has(&self, id: &str) -> bool {
        id.strip_prefix("spiffe://").and_then(|id| id.split_once('/')).is_some_and(|(domain, _)| domain == self.trust_domain)
    }
}
// ANCHOR_END: mtls

// ANCHOR: route
/// Asks for a key on the routes whose metadata say so: `metadata: { filter_metadata: { keys: { required: true, header: x-key } } }`.
#[filter(root_id = "cookbook_route")]
#[config]
pub struct KeyByRoute {}

impl HttpFilter for KeyByRoute {
    async fn handle(&self, request: Request, next: Next) -> Result<Response> {
        let settings = request.attributes().xds().route_metadata("keys");
        let required = settings.boolean("required").optional()?.unwrap_or(false);
        let header = settings.text("header").optional()?.unwrap_or_else(|| "x-api-key".to_owned());
        if required && !request.headers().contains(&*header) {
            return Ok(Response::new(StatusCode::UNAUTHORIZED).with_body(format!("{header} is missing\n")));
        }
        Ok(next.run(request).await)
    }
}
// ANCHOR_END: route

impl HttpFilter for Attributes {
    async fn handle(&self, request: Request, next: Next) -> Result<Response> {
        let asked = |name: &str| -> Vec<String> {
            let names = request.headers().get(name).and_then(|names| names.to_str().map(str::to_owned));
            names.unwrap_or_default().split_whitespace().map(str::to_owned).collect()
        };
        let (of_request, of_response) = (asked("ask-request"), asked("ask-response"));
        let waits = request.headers().contains("x-wait");
        if waits {
            time::sleep(Duration::from_millis(5)).await;
        }
        let told: Vec<_> = of_request.into_iter().map(|name| (format!("request/{name}"), tell(request.attributes(), &name))).collect();
        let mut response = if request.headers().contains("x-hold") {
            let mut request = request.collect(1024).await?;
            let held = tell(request.attributes(), "request.path") + " " + &show(request.source().address().map(|address| address.ip()));
            request.headers_mut().insert("x-held", held)?;
            let response = next.run(request).await.collect(1024).await?;
            let held = tell(response.attributes(), "response.code") + " " + &show(response.upstream().address().map(|address| address.ip()));
            let mut response = Response::from(response);
            response.headers_mut().insert("x-held", held)?;
            response
        } else {
            next.run(request).await
        };
        if waits {
            time::sleep(Duration::from_millis(5)).await;
        }
        let more: Vec<_> = of_response.into_iter().map(|name| (format!("response/{name}"), tell(response.attributes(), &name))).collect();
        for (name, value) in told.into_iter().chain(more) {
            response.headers_mut().append(name.replace('/', "-").as_str(), value)?;
        }
        Ok(response)
    }
}

impl HttpHooks for ByPhase {
    type Stream = (Vec<String>, Vec<String>);

    fn on_request_headers(&self, (body, log): &mut Self::Stream, request: RequestHeaders<'_>) -> Action {
        for (name, list) in [("ask-body", body), ("ask-log", log)] {
            let names = request.headers().get(name).and_then(|names| names.to_str().map(str::to_owned)).unwrap_or_default();
            list.extend(names.split_whitespace().map(str::to_owned));
        }
        Action::Continue
    }

    fn on_request_body(&self, (asked, _): &mut Self::Stream, body: RequestBody<'_>) -> Action {
        if body.end_of_stream() {
            asked.iter().for_each(|name| log::info!("request body: {name} is {}", tell(body.attributes(), name)));
        }
        Action::Continue
    }

    fn on_response_headers(&self, (asked, _): &mut Self::Stream, response: ResponseHeaders<'_>) -> Action {
        asked.iter().for_each(|name| log::info!("response headers: {name} is {}", tell(response.attributes(), name)));
        Action::Continue
    }

    fn on_response_body(&self, (asked, _): &mut Self::Stream, body: ResponseBody<'_>) -> Action {
        if body.end_of_stream() {
            asked.iter().for_each(|name| log::info!("response body: {name} is {}", tell(body.attributes(), name)));
        }
        Action::Continue
    }

    fn on_log(&self, (_, asked): &mut Self::Stream, finished: Finished<'_>) {
        asked.iter().for_each(|name| log::info!("log: {name} is {}", tell(finished.attributes(), name)));
    }
}

impl HttpFilter for Kept {
    async fn handle(&self, request: Request, next: Next) -> Result<Response> {
        let tenant = request.headers().get("x-tenant");
        let state = request.attributes().filter_state();
        let before = show(state.own("tenant").map(|bytes| format!("{:?}", bytes.escape_ascii().to_string())));
        if let Some(tenant) = &tenant {
            state.set("tenant", tenant)?;
            // The name of an attribute is one like others.
            state.set("request", tenant)?;
        }
        let refused = [state.set("", "x"), state.set("a\0b", "x"), state.own("a\0b").map(drop), state.get("").map(drop)];
        let refused = refused.iter().filter(|outcome| matches!(outcome, Err(AttributeError::Segment))).count();
        let mut response = next.run(request).await;
        let state = response.attributes().filter_state();
        let told = [state.own("tenant"), state.get("wasm.tenant"), state.own("request"), response.attributes().raw("tenant")];
        let told = told.map(|bytes| show(bytes.map(|bytes| bytes.escape_ascii().to_string()))).join(" ");
        let headers = &mut response.headers_mut();
        headers.append("x-before", before)?;
        headers.append("x-told", told)?;
        headers.append("x-refused", refused.to_string())?;
        Ok(response)
    }
}

fn show<T: ToString>(outcome: Result<T, AttributeError>) -> String {
    match outcome {
        Ok(value) => value.to_string(),
        Err(AttributeError::Missing { .. }) => "missing".to_owned(),
        Err(error) => format!("error: {error}"),
    }
}

/// An attribute by its path, read as what it is.
fn tell(of: Of<'_>, name: &str) -> String {
    let (group, rest) = name.split_once('.').unwrap_or((name, ""));
    match group {
        "request" if !rest.is_empty() => of_request(of, rest),
        "response" => of_response(of, rest),
        "source" => of_peer(of.source(), rest),
        "destination" => of_peer(of.destination(), rest),
        "connection" => of_connection(of, rest),
        "upstream" => of_upstream(of, rest),
        "xds" => of_xds(of, rest),
        "plugin_name" => show(of.plugin().name()),
        "plugin_root_id" => show(of.plugin().root_id()),
        "plugin_vm_id" => show(of.plugin().vm_id()),
        // `metadata.ns.key`
        "metadata" => {
            let (namespace, key) = rest.split_once('.').unwrap_or((rest, ""));
            show(of.metadata(namespace).text(key))
        }
        "upstream_filter_state" => show(of.filter_state().of_the_upstream(rest).map(|bytes| bytes.escape_ascii().to_string())),
        "filter_state" => show(of.filter_state().get(rest).map(|bytes| bytes.escape_ascii().to_string())),
        _ => show(of.raw(&name.split('.').collect::<Vec<_>>()[..]).map(|bytes| bytes.escape_ascii().to_string())),
    }
}

fn of_request(of: Of<'_>, name: &str) -> String {
    let request = of.request();
    match name {
        "path" => show(request.path()),
        "url_path" => show(request.url_path()),
        "query" => show(request.query()),
        "host" => show(request.host()),
        "scheme" => show(request.scheme()),
        "method" => show(request.method()),
        "referer" => show(request.referer()),
        "useragent" => show(request.useragent()),
        "id" => show(request.id()),
        "protocol" => show(request.protocol()),
        "headers_bytes" => show(request.headers_bytes().map(|size| request.total_size().is_ok_and(|total| size <= total))),
        "size" => show(request.size()),
        "total_size" => show(request.total_size()),
        // Whether it is within a minute of the proxy's clock.
        "time" => show(request.time().map(is_recent)),
        "duration" => show(request.duration().map(|duration| duration < Duration::from_secs(60))),
        _ => show(request.header(name.strip_prefix("headers.").unwrap_or(name))),
    }
}

fn is_recent(at: SystemTime) -> bool {
    time::now().ok().and_then(|now| now.duration_since(at).ok()).is_some_and(|passed| passed < Duration::from_secs(60))
}

fn of_response(of: Of<'_>, name: &str) -> String {
    let response = of.response();
    match name {
        "code" => show(response.code()),
        "code_details" => show(response.code_details()),
        "flags" => show(response.flags()),
        "grpc_status" => show(response.grpc_status()),
        "headers_bytes" => show(response.headers_bytes().map(|size| size > 0)),
        "size" => show(response.size()),
        "total_size" => show(response.total_size().map(|size| size > 0)),
        "backend_latency" => show(response.backend_latency().map(|latency| latency < Duration::from_secs(60))),
        _ => match name.strip_prefix("trailers.") {
            Some(name) => show(response.trailer(name)),
            None => show(response.header(name.strip_prefix("headers.").unwrap_or(name))),
        },
    }
}

fn of_peer(peer: Peer<'_>, name: &str) -> String {
    match name {
        "port" => show(peer.port().map(|port| peer.address().is_ok_and(|address| address.port() == port))),
        "ip" => show(peer.address().map(|address| address.ip())),
        "text" => show(peer.address_text().map(|text| peer.address().is_ok_and(|address| address.to_string() == text))),
        _ => show(peer.address()),
    }
}

fn of_certificate(certificate: Certificate<'_>, name: &str) -> String {
    match name {
        "subject" => show(certificate.subject()),
        "dns_san" => show(certificate.dns_san()),
        _ => show(certificate.uri_san()),
    }
}

fn of_connection(of: Of<'_>, name: &str) -> String {
    let connection = of.connection();
    match name {
        "id" => show(connection.id().map(|id| id < 1 << 40)),
        "mtls" => show(connection.mtls()),
        "requested_server_name" => show(connection.requested_server_name()),
        "tls_version" => show(connection.tls_version()),
        "termination_details" => show(connection.termination_details()),
        "transport_failure_reason" => show(connection.transport_failure_reason()),
        "digest" => show(connection.sha256_peer_certificate_digest()),
        "valid" => show(connection.peer_certificate_valid()),
        "pem" => show(connection.peer_certificate_pem().map(|pem| pem.replace('\n', "|"))),
        _ => match name.strip_prefix("peer.") {
            Some(name) => of_certificate(connection.peer_certificate(), name),
            None => of_certificate(connection.local_certificate(), name.strip_prefix("local.").unwrap_or(name)),
        },
    }
}

fn of_upstream(of: Of<'_>, name: &str) -> String {
    let upstream = of.upstream();
    match name {
        "ip" => show(upstream.address().map(|address| address.ip())),
        "port" => show(upstream.port().map(|port| upstream.address().is_ok_and(|address| address.port() == port))),
        "text" => show(upstream.address_text().map(|text| upstream.address().is_ok_and(|address| address.to_string() == text))),
        "local_ip" => show(upstream.local_address().map(|address| address.ip())),
        "tls_version" => show(upstream.tls_version()),
        "transport_failure_reason" => show(upstream.transport_failure_reason()),
        "request_attempt_count" => show(upstream.request_attempt_count()),
        "cx_pool_ready_duration" => show(upstream.cx_pool_ready_duration().map(|duration| duration < Duration::from_secs(60))),
        "num_endpoints" => show(upstream.num_endpoints()),
        "region" => show(upstream.locality().region()),
        "zone" => show(upstream.locality().zone()),
        "sub_zone" => show(upstream.locality().sub_zone()),
        "digest" => show(upstream.sha256_peer_certificate_digest()),
        "pem" => show(upstream.peer_certificate_pem().map(|pem| pem.replace('\n', "|"))),
        _ => match name.strip_prefix("peer.") {
            Some(name) => of_certificate(upstream.peer_certificate(), name),
            None => of_certificate(upstream.local_certificate(), name.strip_prefix("local.").unwrap_or(name)),
        },
    }
}

fn of_xds(of: Of<'_>, name: &str) -> String {
    let xds = of.xds();
    let node = xds.node().metadata();
    let route = xds.route_metadata("ns");
    match name {
        "node.id" => show(xds.node().id()),
        "node.cluster" => show(xds.node().cluster()),
        "node.region" => show(xds.node().locality().region()),
        "route_name" => show(xds.route_name()),
        "virtual_host_name" => show(xds.virtual_host_name()),
        "cluster_name" => show(xds.cluster_name()),
        "filter_chain_name" => show(xds.filter_chain_name()),
        "listener_direction" => show(xds.listener_direction().map(|direction| format!("{direction:?}"))),
        "listener_metadata" => show(xds.listener_metadata("ns").text("k")),
        "virtual_host_metadata" => show(xds.virtual_host_metadata("ns").text("k")),
        "upstream_host_metadata" => show(xds.upstream_host_metadata("ns").text("k")),
        "upstream_host_locality_metadata" => show(xds.upstream_host_locality_metadata("ns").text("k")),
        "cluster_metadata" => show(xds.cluster_metadata("ns").text("k")),
        "node.name" => show(node.text("name")),
        "node.number" => show(node.number("number")),
        "node.truth" => show(node.boolean("truth")),
        "node.list" => show(node.list("list").map(|list| list.iter().filter_map(Value::text).collect::<Vec<_>>().join("+"))),
        "node.list.1" => show(node.text(["list", "1"])),
        "node.map" => {
            show(node.map("map").map(|map| map.iter().map(|(key, value)| format!("{key}={}", value.text().unwrap_or("?"))).collect::<String>()))
        }
        "node.map.k" => show(node.text(["map", "k"])),
        "node.null" => show(node.get("null").map(|value| value.as_bytes().len())),
        "node.name as number" | "node.name_as_number" => show(node.number("name")),
        "route.k" => show(route.text("k")),
        "route.limit" => show(route.number("limit").optional().map(|limit| format!("{limit:?}"))),
        "route.nothing" => show(route.number("nothing").optional().map(|limit| format!("{limit:?}"))),
        "route.entries" => show(route.entries().map(|entries| {
            let mut names: Vec<_> = entries.into_iter().map(|(name, _)| name).collect();
            names.sort();
            names.join("+")
        })),
        "route.with_null" => show(xds.route_metadata("with-null").entries().map(|entries| entries.len())),
        "route.empty_key" => show(route.text("")),
        "route.nul" => show(route.text("k\0x")),
        _ => "?".to_owned(),
    }
}
