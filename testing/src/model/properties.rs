//! Attributes: what `proxy_get_property` and expressions find.
//!
//! [Envoy's list](https://www.envoyproxy.io/docs/envoy/v1.40.0/intro/arch_overview/advanced/attributes).

use std::net::{Ipv4Addr, SocketAddr};

use inproxy::abi::Status;

use super::{
    UPSTREAM,
    calls::START,
    chain::{REQUEST, RESPONSE, grpc_status},
    routes,
    state::{State, StreamState},
    structs,
    value::Value,
};
use crate::tls::{Certificate, Session};

/// The attribute at a path whose segments are separated by NUL.
pub(crate) fn get(state: &State, vm: usize, path: &[u8]) -> Result<Vec<u8>, Status> {
    if path.is_empty() {
        return Err(Status::SERIALIZATION_FAILURE);
    }
    let text = String::from_utf8_lossy(path);
    let mut segments = text.split('\0');
    let Some(mut value) = attribute(state, vm, segments.next().unwrap_or_default()) else {
        // What was set is found under a path of one segment.
        let set = stream(state, vm).filter(|_| !path.contains(&0)).and_then(|(stream, _)| stream.filter_state.get(path));
        return set.cloned().ok_or(Status::NOT_FOUND);
    };
    for segment in segments.filter(|segment| !segment.is_empty()) {
        value = value.get(segment).ok_or(Status::NOT_FOUND)?.clone();
    }
    value.encode()
}

/// The stream that calls act on, and the filter that calls.
fn stream(state: &State, vm: usize) -> Option<(&StreamState, usize)> {
    let vm = &state.vms[vm];
    let context = vm.contexts.get(&vm.effective)?;
    Some((&state.streams[context.stream], context.filter))
}

/// A whole attribute, by its first segment.
pub(crate) fn attribute(state: &State, vm: usize, name: &str) -> Option<Value> {
    let one = &state.vms[vm];
    let root_id = || one.filter_of(one.effective).map(|filter| Value::text(&state.root_ids[filter]));
    match name {
        "plugin_name" | "plugin_root_id" => return root_id(),
        "plugin_vm_id" => return Some(Value::text(&state.around.vm_id)),
        "xds" => return Some(xds(state, stream(state, vm).map(|(stream, _)| stream))),
        _ => {}
    }
    let (stream, filter) = stream(state, vm)?;
    if stream.tcp.is_some()
        && let Some(entries) = of_a_connection(stream, name)
    {
        return Some(Value::Wrapper(entries));
    }
    match name {
        "request" => Some(request(stream, filter)),
        "response" => Some(response(stream, filter)),
        "source" => Some(peer(match stream.forwarded_for {
            None => SocketAddr::from((Ipv4Addr::LOCALHOST, 40_000)),
            Some(client) => SocketAddr::new(client, 0),
        })),
        "destination" => Some(peer(SocketAddr::from((Ipv4Addr::LOCALHOST, 10_000)))),
        "connection" => Some(connection(stream.tls[REQUEST].as_ref())),
        "connection_id" => Some(Value::Uint(0)),
        "upstream" => Some(upstream(stream)),
        "metadata" => Some(Value::Wrapper(vec![("filter_metadata".to_owned(), Value::from(&state.around.dynamic_metadata))])),
        "upstream_filter_state" => Some(Value::Wrapper(if stream.upstream { left_before(state).collect() } else { Vec::new() })),
        "filter_state" => {
            let own = stream.filter_state.iter().map(|(key, value)| {
                let value = stream.structs.get(key).cloned().unwrap_or_else(|| Value::Bytes(value.clone()));
                (format!("wasm.{}", String::from_utf8_lossy(key)), value)
            });
            let envoys = stream.envoy_state.iter().map(|(key, (value, _))| (key.clone(), value.clone()));
            Some(Value::Wrapper(own.chain(envoys).chain(left_before(state)).collect()))
        }
        _ => None,
    }
}

/// Filter state that a filter before those of the test has left, and that the upstream's connection shares.
fn left_before(state: &State) -> impl Iterator<Item = (String, Value)> {
    state.around.filter_state.iter().map(|(key, value)| (key.clone(), Value::text(value)))
}

fn connection(session: Option<&Session>) -> Value {
    let client = session.and_then(|session| session.client.as_ref());
    let mut entries = vec![
        ("id".to_owned(), Value::Uint(0)),
        ("mtls".to_owned(), Value::Bool(client.is_some())),
        // Envoy does not remember it for sessions that are resumed.
        (
            "peer_certificate_valid".to_owned(),
            Value::Bool(client.is_some_and(Certificate::is_trusted) && session.is_some_and(|session| !session.resumed)),
        ),
        ("requested_server_name".to_owned(), Value::text(session.map_or("", |session| &session.server_name))),
    ];
    if let Some(session) = session {
        entries.extend(certificates(session, Some(&session.server), client));
    }
    Value::Wrapper(entries)
}

/// What is told of a TLS connection: of several names the first.
fn certificates(session: &Session, local: Option<&Certificate>, peer: Option<&Certificate>) -> Vec<(String, Value)> {
    let mut entries = vec![("tls_version".to_owned(), Value::text(session.version))];
    for (whose, certificate) in [("local", local), ("peer", peer)] {
        entries.push((format!("subject_{whose}_certificate"), Value::text(certificate.map(Certificate::subject).unwrap_or_default())));
        let dns = certificate.and_then(Certificate::first_dns).map(|name| (format!("dns_san_{whose}_certificate"), Value::text(name)));
        let uri = certificate.and_then(Certificate::first_uri).map(|uri| (format!("uri_san_{whose}_certificate"), Value::text(uri)));
        entries.extend(dns.into_iter().chain(uri));
    }
    if let Some(peer) = peer {
        entries.push(("sha256_peer_certificate_digest".to_owned(), Value::text(peer.sha256())));
        entries.push(("peer_certificate".to_owned(), Value::text(peer.pem())));
    }
    entries
}

/// What there is of a request and a response on a TCP connection, which has neither.
fn of_a_connection(stream: &StreamState, name: &str) -> Option<Vec<(String, Value)>> {
    let sizes = |direction: usize| ["size", "total_size"].map(|name| (name.to_owned(), Value::Int(stream.size[direction] as i64)));
    match name {
        "request" => {
            let time = ("time".to_owned(), Value::Timestamp((START + stream.started).as_nanos() as i64));
            Some([time].into_iter().chain(sizes(REQUEST)).collect())
        }
        "response" => Some([("flags".to_owned(), Value::Int(0))].into_iter().chain(sizes(RESPONSE)).collect()),
        "upstream" if !stream.upstream => Some(Vec::new()),
        _ => None,
    }
}

fn peer(address: SocketAddr) -> Value {
    Value::Wrapper(vec![("address".to_owned(), Value::text(address.to_string())), ("port".to_owned(), Value::Int(address.port().into()))])
}

/// One that nobody has set.
fn locality() -> Value {
    Value::Map(["region", "zone", "sub_zone"].map(|part| (part.to_owned(), Value::text(""))).into())
}

/// Once there is a cluster; and more of it once it was asked.
fn upstream(stream: &StreamState) -> Value {
    let asked = stream.upstream;
    let mut entries = vec![("request_attempt_count".to_owned(), Value::Uint(asked.into())), ("num_endpoints".to_owned(), Value::Uint(1))];
    if asked {
        entries.push(("address".to_owned(), Value::text("127.0.0.1:20000")));
        entries.push(("port".to_owned(), Value::Int(20_000)));
        entries.push(("transport_failure_reason".to_owned(), Value::text(stream.transport_failure)));
        if stream.transport_failure.is_empty() {
            entries.push(("local_address".to_owned(), Value::text("127.0.0.1:30000")));
        }
        entries.push(("cx_pool_ready_duration".to_owned(), Value::Duration(0)));
        entries.push(("locality".to_owned(), locality()));
    }
    if let Some(session) = &stream.tls[RESPONSE] {
        entries.extend(certificates(session, session.client.as_ref(), Some(&session.server)));
    }
    Value::Wrapper(entries)
}

fn xds(state: &State, stream: Option<&StreamState>) -> Value {
    let around = &state.around;
    let node = Value::Map(vec![
        ("id".to_owned(), Value::text("inproxy")),
        ("cluster".to_owned(), Value::text("inproxy")),
        ("metadata".to_owned(), Value::from(&around.node_metadata)),
        ("locality".to_owned(), locality()),
    ]);
    let metadata = |json| Value::Map(vec![("filter_metadata".to_owned(), Value::from(json))]);
    let nothing = serde_json::json!({});
    let mut entries =
        vec![("node".to_owned(), node), ("listener_direction".to_owned(), Value::Int(0)), ("listener_metadata".to_owned(), metadata(&nothing))];
    if let Some(stream) = stream {
        let (route, cluster) = routes::of(around, stream);
        let is_the_last = stream.route == around.routes.len();
        entries.push(("filter_chain_name".to_owned(), Value::text("")));
        if stream.tcp.is_none() {
            entries.push(("route_name".to_owned(), Value::text(route)));
            entries.push(("route_metadata".to_owned(), metadata(if is_the_last { &around.route_metadata } else { &nothing })));
            entries.push(("virtual_host_name".to_owned(), Value::text("all")));
        }
        // A connection has its cluster when it is connected to it.
        if stream.tcp.is_none() || stream.upstream {
            entries.push(("cluster_name".to_owned(), Value::text(cluster)));
            entries.push(("cluster_metadata".to_owned(), metadata(if cluster == UPSTREAM { &around.cluster_metadata } else { &nothing })));
        }
    }
    Value::Wrapper(entries)
}

fn request(stream: &StreamState, filter: usize) -> Value {
    let here = stream.reach[filter][REQUEST].headers || stream.logging;
    let mut entries = vec![
        ("time".to_owned(), Value::Timestamp((START + stream.started).as_nanos() as i64)),
        ("protocol".to_owned(), Value::text("HTTP/1.1")),
        ("total_size".to_owned(), Value::Int((if here { bytes(&stream.headers[REQUEST]) } else { 0 } + stream.size[REQUEST]) as i64)),
    ];
    if let Some(ended) = stream.ended {
        entries.push(("duration".to_owned(), Value::Duration((ended - stream.started).as_nanos() as i64)));
    }
    let headers: &[_] = if here { &stream.headers[REQUEST] } else { &[] };
    let get = |name: &str| joined(headers, name);
    let size = get("content-length").and_then(|length| length.parse().ok()).unwrap_or(stream.size[REQUEST] as i64);
    entries.push(("size".to_owned(), Value::Int(size)));
    entries.push(("headers".to_owned(), map(headers)));
    let named = [
        ("method", ":method"),
        ("host", ":authority"),
        ("scheme", ":scheme"),
        ("path", ":path"),
        ("id", "x-request-id"),
        ("referer", "referer"),
        ("useragent", "user-agent"),
    ];
    entries.extend(named.iter().filter_map(|(name, header)| Some(((*name).to_owned(), Value::String(get(header)?)))));
    entries.push(("headers_bytes".to_owned(), Value::Int(bytes(headers) as i64)));
    if let Some(path) = get(":path") {
        let (path, query) = path.split_once('?').unwrap_or((&path, ""));
        entries.push(("url_path".to_owned(), Value::text(path)));
        entries.push(("query".to_owned(), Value::text(query)));
    }
    Value::Wrapper(entries)
}

fn response(stream: &StreamState, filter: usize) -> Value {
    let here = stream.reach[filter][RESPONSE].headers || stream.logging;
    let headers: &[_] = if here { &stream.headers[RESPONSE] } else { &[] };
    let mut entries = vec![
        ("headers".to_owned(), map(headers)),
        ("trailers".to_owned(), map(if stream.logging || stream.reach[filter][RESPONSE].trailers { &stream.trailers[RESPONSE] } else { &[] })),
        ("flags".to_owned(), Value::Int(flags(&stream.details))),
        ("size".to_owned(), Value::Int(stream.size[RESPONSE] as i64)),
        ("total_size".to_owned(), Value::Int((bytes(headers) + stream.size[RESPONSE]) as i64)),
    ];
    if let Some(status) = stream.status {
        entries.push(("code".to_owned(), Value::Int(status.into())));
        let told = joined(&stream.trailers[RESPONSE], "grpc-status").or_else(|| joined(headers, "grpc-status"));
        let grpc = told.and_then(|status| status.parse().ok()).unwrap_or_else(|| grpc_status(status));
        entries.push(("grpc_status".to_owned(), Value::Int(grpc.into())));
    }
    if stream.received || (stream.logging && stream.upstream) {
        entries.push(("backend_latency".to_owned(), Value::Duration(0)));
    }
    entries.push(("headers_bytes".to_owned(), Value::Int(bytes(headers) as i64)));
    if !stream.details.is_empty() || stream.replied {
        entries.push(("code_details".to_owned(), Value::text(&stream.details)));
    }
    Value::Wrapper(entries)
}

/// The response flags that go with response code details.
fn flags(details: &str) -> i64 {
    match details {
        "no_healthy_upstream" => 1 << 1,
        "response_timeout" => 1 << 2,
        "route_not_found" => 1 << 8,
        "downstream_remote_disconnect" => 1 << 14,
        "stream_idle_timeout" => 1 << 16,
        details if details.contains("{remote_connection_failure") => 1 << 5,
        details if details.contains("{connection_termination") => 1 << 6,
        details if details.contains("{protocol_error") => 1 << 23,
        _ => 0,
    }
}

/// How many bytes names and values have.
pub(crate) fn bytes(headers: &[(Vec<u8>, Vec<u8>)]) -> u64 {
    headers.iter().map(|(name, value)| (name.len() + value.len()) as u64).sum()
}

/// All values of a header, with commas between them.
fn joined(headers: &[(Vec<u8>, Vec<u8>)], name: &str) -> Option<String> {
    let values: Vec<_> = headers.iter().filter(|(other, _)| other == name.as_bytes()).map(|(_, value)| String::from_utf8_lossy(value)).collect();
    (!values.is_empty()).then(|| values.join(","))
}

fn map(headers: &[(Vec<u8>, Vec<u8>)]) -> Value {
    let mut names: Vec<_> = headers.iter().map(|(name, _)| String::from_utf8_lossy(name).into_owned()).collect();
    names.dedup();
    Value::Map(names.into_iter().map(|name| (name.clone(), Value::String(joined(headers, &name).unwrap_or_default()))).collect())
}

/// `proxy_set_property`: a path with several segments can be written, and never read.
pub(crate) fn set(state: &mut State, vm: usize, path: &[u8], value: &[u8]) -> Status {
    let one = &state.vms[vm];
    let Some(context) = one.contexts.get(&one.effective).copied() else { return Status::NOT_FOUND };
    // What a stream has declared is forgotten.
    let declared = one.declared.get(&(context.root, path.to_vec())).copied().unwrap_or_default();
    let stream: &mut StreamState = &mut state.streams[context.stream];
    if declared.readonly && stream.filter_state.contains_key(path) {
        return Status::BAD_ARGUMENT;
    }
    stream.filter_state.insert(path.to_vec(), value.to_vec());
    if declared.has_fields {
        stream.structs.insert(path.to_vec(), structs::decode(value).unwrap_or(Value::Null));
    }
    Status::OK
}
