//! The real Envoy as a host. A test has one for itself while it runs, so that its log and its counters are that test's alone, and hands it on to the next: a module is compiled once for
//! each Envoy, not for each test.

use std::{
    collections::BTreeMap,
    fs,
    net::SocketAddr,
    path::PathBuf,
    sync::{Mutex, PoisonError},
    thread,
    time::Duration,
};

use inproxy::__private::Kind;
use inproxy_envoy::{ClientTls, Cluster, Envoy, Listener, Module, Options, ServerTls, Source, StartError, TcpListener, find};
use serde_json::json;

use crate::{
    grpc::{GrpcCall, server::GrpcServer},
    message::{Message, Request, Response},
    model::UPSTREAM,
    proxy::{Around, Filter, Plan, STALE_REQUEST, STALE_RESPONSE, Serve},
    running::{Access, LogLevel, LogLine, has_body},
    tcp::{TcpSeen, wire as tcp},
    tls::{Authority, Certificate, Client, Clients, Tls},
    trace::{self, Trace},
    vm,
    wire::{self, Connection, Seen, Server},
};

pub(crate) struct EnvoyProxy {
    envoy: Lease,
    address: SocketAddr,
    listener: Listening,
    servers: BTreeMap<String, Server>,
    services: BTreeMap<String, GrpcServer>,
    tcp: Option<tcp::Server>,
    access_log: PathBuf,
    /// What the counters were when the test began.
    before: BTreeMap<String, u64>,
}

/// What the filters are in.
#[derive(Clone)]
enum Listening {
    Http(Listener),
    Tcp(TcpListener),
}

/// An Envoy for one test.
struct Lease {
    envoy: Option<Envoy>,
    /// How long its log was when the test began.
    log: usize,
    /// How many tests it has had.
    tests: usize,
    /// Whether another test can have it.
    shared: bool,
}

/// Those that no test has now, and how many tests each has had. They end with the process.
static IDLE: Mutex<Vec<(Envoy, usize)>> = Mutex::new(Vec::new());

/// How often it sums up histograms.
const FLUSH: Duration = Duration::from_millis(100);

/// How many tests one has: each leaves a listener behind.
const TESTS: usize = 40;

pub(crate) struct EnvoyExchange {
    connection: Connection,
    upstream: Option<Seen>,
    chunked: bool,
}

// === impl EnvoyProxy ===

impl EnvoyProxy {
    /// Starts it; why it refused the filters, and its log, if it did.
    pub(crate) async fn start(plan: Plan) -> Result<Self, (String, String)> {
        let binary = find(None, |installing| eprintln!("{installing}")).unwrap_or_else(|error| panic!("{error}"));
        let mut servers = BTreeMap::new();
        let mut clusters = Vec::new();
        let mut services = BTreeMap::new();
        let mut tcp = None;
        for (name, serve) in plan.clusters {
            let mut cluster = match serve {
                Serve::Nothing => Cluster::new(&name, []),
                Serve::Nobody => Cluster::new(&name, [nobody()]),
                Serve::Grpc(handler) => {
                    let service = GrpcServer::start(handler).await;
                    let cluster = Cluster { http2: true, ..Cluster::new(&name, [service.address()]) };
                    services.insert(name.clone(), service);
                    cluster
                }
                Serve::Tcp(server) => {
                    let server = tcp::Server::start(server).await;
                    let cluster = Cluster::new(&name, [server.address()]);
                    tcp = Some(server);
                    cluster
                }
                Serve::Http(handler) => {
                    let tls = plan.around.upstream_tls.as_ref().filter(|_| name == UPSTREAM).map(|(tls, _)| tls.clone());
                    let server = Server::over(tls, move |message| {
                        let response = handler(&request(message));
                        let mut bytes = if response.hung_up { Vec::new() } else { on_the_wire(&response) };
                        let rest = response.pause.map(|(left, time)| (time, Some(bytes.split_off(bytes.len() - left))));
                        [(response.delay, Some(bytes))].into_iter().chain(rest).collect()
                    });
                    let server = server.await;
                    let cluster = Cluster::new(&name, [server.address()]);
                    servers.insert(name.clone(), server);
                    cluster
                }
            };
            if name == UPSTREAM {
                cluster.metadata = plan.around.cluster_metadata.clone();
                cluster.tls = plan.around.upstream_tls.as_ref().map(|(_, client)| client_tls(client));
            }
            clusters.push(cluster);
        }
        let mut options = Options::new(binary);
        options.workers = plan.around.workers;
        options.node_metadata = plan.around.node_metadata.clone();
        options.stats_flush_interval = FLUSH;
        options.stats = plan.around.stats.clone();
        if plan.around.traced {
            options.log = "wasm:trace".to_owned();
        }
        let module = |filter: &Filter| Module {
            root_id: filter.root_id.to_owned(),
            configuration: Some(filter.configuration.clone()),
            hold_headers: plan.hold_headers,
            vm_id: plan.around.vm_id.clone(),
            failure_policy: plan.around.failure_policy,
            environment: plan.around.environment.clone(),
            ..Module::new(vm::built(filter.manifest_dir))
        };
        let of_kind = |kind: Kind| plan.filters.iter().filter(move |filter| filter.kind == kind).map(module);
        options.services = of_kind(Kind::Service).collect();
        let shared = plan.around.is_shared() && options.services.is_empty();
        let lease = Lease::take(&options, shared).await.map_err(|error| (format!("{}: {error}", plan.name), error.to_string()))?;
        let envoy = lease.get();
        envoy.put_clusters(&clusters).await.unwrap_or_else(|error| panic!("{error}\n{}", lease.log()));
        let access_log = envoy.dir().join(format!("access-{}.log", lease.tests));
        let name = format!("test-{}-", lease.tests);
        let listener = if plan.filters.iter().any(|filter| filter.kind == Kind::Network) {
            let mut listener = TcpListener::new(name, UPSTREAM);
            listener.filters = of_kind(Kind::Network).map(Source::Inline).collect();
            listener.access_loggers = of_kind(Kind::AccessLogger).collect();
            listener.buffer_limit = plan.buffer_limit;
            listener.balanced = plan.around.workers > 1;
            listener.access_log = Some(access_log.clone());
            Listening::Tcp(listener)
        } else {
            let mut listener = Listener::new(name, UPSTREAM);
            listener.buffer_limit = plan.buffer_limit;
            listener.request_timeout = plan.around.request_timeout;
            listener.filters = before(&plan.around);
            listener.filters.extend(of_kind(Kind::Http).map(Source::Inline));
            listener.access_loggers = of_kind(Kind::AccessLogger).collect();
            listener.routes = plan.around.routes;
            listener.route = plan.around.route;
            listener.route_metadata = plan.around.route_metadata;
            listener.balanced = plan.around.workers > 1;
            listener.tls = plan.around.tls.as_ref().map(server_tls);
            listener.access_log = Some(access_log.clone());
            listener.route_timeout = plan.around.route_timeout;
            Listening::Http(listener)
        };
        // In an Envoy of its own, a service has counted already.
        let before = if shared { envoy.admin().stats("wasmcustom.").await.unwrap_or_else(|error| panic!("{error}")) } else { BTreeMap::new() };
        match listener.put(envoy).await {
            Ok(address) => Ok(Self { envoy: lease, address, listener, servers, services, tcp, access_log, before }),
            Err(error) => Err((format!("{}: {error}", plan.name), lease.log())),
        }
    }

    /// Changes the configuration of the first filter; the log, if Envoy does not take it.
    pub(crate) async fn update(&mut self, configuration: String) -> Result<(), String> {
        let mut listener = self.listener.clone();
        let (address, filters, access_loggers) = listener.parts();
        *address = self.address;
        let module = filters.iter_mut().find_map(|filter| if let Source::Inline(module) = filter { Some(module) } else { None });
        match module.or_else(|| access_loggers.first_mut()) {
            Some(module) => module.configuration = Some(configuration),
            None => panic!("Envoy's bootstrap, and so the configuration of a service, does not change while Envoy runs"),
        }
        match listener.put(self.envoy.get()).await {
            Ok(_) => {
                self.listener = listener;
                Ok(())
            }
            Err(_) => Err(self.envoy.log()),
        }
    }

    /// Begins a request; `None` if the client is refused.
    pub(crate) async fn open(&self, client: Option<&Client>, request: &Request) -> Option<EnvoyExchange> {
        let mut connection = match client {
            None => Connection::open(self.address).await,
            Some(client) => Connection::open_from(self.address, client).await?,
        };
        let chunked = !request.message.trailers.is_empty();
        let mut head = format!("{} {} HTTP/1.1\r\nhost: {}\r\n", request.method, request.path, request.authority).into_bytes();
        write_headers(&mut head, &request.message.headers);
        if chunked {
            head.extend(b"transfer-encoding: chunked\r\n");
        } else if has_body(request) {
            head.extend(format!("content-length: {}\r\n", request.message.body.len()).into_bytes());
        }
        head.extend(b"\r\n");
        connection.send(head).await;
        Some(EnvoyExchange { connection, upstream: self.servers.get(UPSTREAM).map(|server| server.seen().clone()), chunked })
    }

    pub(crate) fn has_tls(&self) -> bool {
        matches!(&self.listener, Listening::Http(listener) if listener.tls.is_some())
    }

    pub(crate) async fn connect(&self) -> tcp::Client {
        tcp::Client::open(self.address).await
    }

    pub(crate) fn tcp_seen(&self) -> Vec<TcpSeen> {
        self.tcp.as_ref().map(tcp::Server::seen).unwrap_or_default()
    }

    pub(crate) fn seen(&self, cluster: &str) -> Vec<Request> {
        let seen = self.servers.get(cluster).map(|server| server.seen().requests()).unwrap_or_default();
        seen.iter().filter(|message| message.whole).map(request).collect()
    }

    pub(crate) async fn counter(&self, name: &str) -> u64 {
        let name = format!("wasmcustom.{name}");
        let now = self.envoy.get().admin().stats(&name).await.unwrap_or_else(|error| panic!("{error}"));
        let value = |stats: &BTreeMap<String, u64>| stats.get(&name).copied().unwrap_or(0);
        value(&now) - value(&self.before)
    }

    pub(crate) async fn samples(&self, name: &str) -> u64 {
        let name = format!("wasmcustom.{name}");
        // Twice, since Envoy may be at it.
        tokio::time::sleep(2 * FLUSH).await;
        self.envoy.get().admin().samples(&name).await.unwrap_or_else(|error| panic!("{error}"))
    }

    pub(crate) async fn prometheus(&self) -> String {
        // As for histograms above.
        tokio::time::sleep(2 * FLUSH).await;
        let text = self.envoy.get().admin().get("/stats/prometheus").await.unwrap_or_else(|error| panic!("{error}"));
        String::from_utf8(text.unwrap_or_default().into()).expect("Prometheus takes only UTF-8")
    }

    pub(crate) fn grpc_seen(&self, cluster: &str) -> Vec<GrpcCall> {
        self.services.get(cluster).map(GrpcServer::seen).unwrap_or_default()
    }

    /// What Envoy has written of the requests that are over; a little later it may have more.
    pub(crate) async fn access_log(&self) -> Vec<Access> {
        // Envoy writes it at intervals, which are shorter than this.
        tokio::time::sleep(Duration::from_millis(60)).await;
        let text = fs::read_to_string(&self.access_log).unwrap_or_default();
        let lines = text.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
        let access = lines.map(|line| Access {
            status: line["status"].as_u64().unwrap_or(0) as u16,
            details: line["details"].as_str().unwrap_or_default().to_owned(),
        });
        access.collect()
    }

    /// What workers and modules have called of each other, as far as Envoy has said it yet.
    pub(crate) fn trace(&self) -> Trace {
        trace::parse(&self.envoy.get().log())
    }

    /// Everything since the test began.
    pub(crate) fn log_text(&self) -> String {
        self.envoy.log()
    }

    /// What the filters have logged.
    pub(crate) fn log_lines(&self) -> Vec<LogLine> {
        let log = self.envoy.log();
        let mut lines: Vec<LogLine> = Vec::new();
        for line in log.lines() {
            let mark = LogLevel::ALL.iter().find_map(|(level, name)| Some((*level, line.split_once(&format!("[{name}][wasm] "))?.1)));
            // At this level Envoy tells of its own doings too.
            let own = mark.is_some_and(|(level, text)| level <= LogLevel::Debug && !text.contains("wasm log"));
            if own {
                continue;
            }
            match (mark, lines.last_mut()) {
                (Some((level, rest)), _) => {
                    // `wasm log name root_id vm_id: text`, behind the place in Envoy's source.
                    let text = rest.split_once("wasm log").and_then(|(_, rest)| rest.split_once(": "));
                    let text = text.map_or(rest, |(_, text)| text).to_owned();
                    lines.push(LogLine { level, text });
                }
                // What goes on over several lines.
                (None, Some(last)) if !line.starts_with("[20") => {
                    last.text.push('\n');
                    last.text.push_str(line);
                }
                _ => {}
            }
        }
        lines
    }

    /// The log, when it has this text, or when it does not get it.
    pub(crate) async fn log_with(&self, text: &str) -> String {
        self.envoy.get().logs_from(self.envoy.log, text).await;
        self.envoy.log()
    }
}

// === impl Listening ===

impl Listening {
    fn parts(&mut self) -> (&mut SocketAddr, &mut [Source], &mut [Module]) {
        match self {
            Self::Http(listener) => (&mut listener.address, &mut listener.filters, &mut listener.access_loggers),
            Self::Tcp(listener) => (&mut listener.address, &mut listener.filters, &mut listener.access_loggers),
        }
    }

    async fn put(&self, envoy: &Envoy) -> Result<SocketAddr, StartError> {
        match self {
            Self::Http(listener) => envoy.put_listener(listener).await,
            Self::Tcp(listener) => envoy.put_tcp_listener(listener).await,
        }
    }
}

// === impl Lease ===

impl Lease {
    async fn take(options: &Options, shared: bool) -> Result<Self, StartError> {
        let idle = if shared { IDLE.lock().unwrap_or_else(PoisonError::into_inner).pop() } else { None };
        let (envoy, tests) = match idle {
            Some(idle) => idle,
            None => (Envoy::start(options).await?, 0),
        };
        // A service has logged already.
        let log = if shared { envoy.log().len() } else { 0 };
        Ok(Self { envoy: Some(envoy), log, tests, shared })
    }

    fn get(&self) -> &Envoy {
        self.envoy.as_ref().expect("it is given back when this is dropped")
    }

    /// What was logged since the test began.
    fn log(&self) -> String {
        self.get().log().split_off(self.log)
    }
}

impl Drop for Lease {
    /// Hands it on, unless something went wrong in it: a VM that has died would be the next test's too.
    fn drop(&mut self) {
        let log = self.log();
        let Some(envoy) = self.envoy.take() else { return };
        let harmed = thread::panicking() || log.contains("Uncaught") || log.contains("panicked") || envoy.still_running().is_err();
        if self.shared && !harmed && self.tests + 1 < TESTS {
            IDLE.lock().unwrap_or_else(PoisonError::into_inner).push((envoy, self.tests + 1));
        }
    }
}

// === impl EnvoyExchange ===

impl EnvoyExchange {
    pub(crate) async fn body(&mut self, bytes: &[u8]) {
        if self.chunked && !bytes.is_empty() {
            let chunk = [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat();
            self.connection.send(chunk).await;
        } else {
            self.connection.send(bytes).await;
        }
    }

    pub(crate) async fn end(&mut self, trailers: &[(String, Vec<u8>)]) {
        if self.chunked {
            let mut end = b"0\r\n".to_vec();
            write_headers(&mut end, trailers);
            end.extend(b"\r\n");
            self.connection.send(end).await;
        }
    }

    pub(crate) async fn response(mut self) -> Response {
        let message = self.connection.response().await;
        assert!(self.connection.rest().is_empty(), "{STALE_RESPONSE}\n{message:?}\nbehind it: {}", self.connection.rest().escape_ascii());
        if let Some(stray) = self.upstream.and_then(|seen| seen.stray()) {
            panic!("{STALE_REQUEST}\nthe upstream got behind the request: {}", stray.escape_ascii());
        }
        response(message)
    }

    /// The response, or `None` if the connection ends without one.
    pub(crate) async fn response_or_end(mut self) -> Option<Response> {
        self.connection.response_or_end().await.map(response)
    }

    pub(crate) async fn leave(self) {
        drop(self.connection);
        // Envoy notices when it next looks.
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
}

/// A port where nobody listens.
fn nobody() -> SocketAddr {
    std::net::TcpListener::bind(("127.0.0.1", 0)).and_then(|listener| listener.local_addr()).expect("a free port")
}

/// Envoy's own filters before those of the test.
fn before(around: &Around) -> Vec<Source> {
    let mut filters = Vec::new();
    let mut add = |name: &str, config: serde_json::Value| {
        filters.push(Source::Other(json!({ "name": name, "typed_config": config })));
    };
    let namespaces = around.dynamic_metadata.as_object().into_iter().flatten();
    let metadata: Vec<_> = namespaces.map(|(name, value)| json!({ "metadata_namespace": name, "value": value })).collect();
    if !metadata.is_empty() {
        let config = json!({ "@type": "type.googleapis.com/envoy.extensions.filters.http.set_metadata.v3.Config", "metadata": metadata });
        add("envoy.filters.http.set_metadata", config);
    }
    let objects = around.filter_state.iter().map(|(key, value)| {
        json!({
            "object_key": key,
            "factory_key": "envoy.string",
            "format_string": { "text_format_source": { "inline_string": value } },
            "shared_with_upstream": "ONCE",
        })
    });
    let objects: Vec<_> = objects.collect();
    if !objects.is_empty() {
        let config =
            json!({ "@type": "type.googleapis.com/envoy.extensions.filters.http.set_filter_state.v3.Config", "on_request_headers": objects });
        add("envoy.filters.http.set_filter_state", config);
    }
    filters
}

fn server_tls(tls: &Tls) -> ServerTls {
    ServerTls {
        certificate: tls.certificate.key_pair(),
        trusted: (tls.clients != Clients::Unasked).then(|| Authority::Trusted.pem()),
        accept_untrusted: tls.clients == Clients::Untrusted,
        require: tls.clients == Clients::Required,
        inspect: tls.inspected,
    }
}

fn client_tls(client: &Client) -> ClientTls {
    ClientTls {
        certificate: client.certificate.as_ref().map(Certificate::key_pair),
        trusted: Authority::Trusted.pem(),
        server_name: client.server_name.clone(),
    }
}

fn request(message: &wire::Message) -> Request {
    let mut start = message.start.split(' ');
    let mut next = || start.next().unwrap_or_default().to_owned();
    let (method, path) = (next(), next());
    let (host, headers): (Vec<_>, _) = message.headers.iter().cloned().partition(|(name, _)| name == "host");
    let authority = host.first().map(|(_, value)| String::from_utf8_lossy(value).into_owned()).unwrap_or_default();
    let message = Message { headers, body: message.body.clone(), trailers: message.trailers.clone(), broken: !message.whole };
    Request { method, path, authority, message }
}

fn response(message: wire::Message) -> Response {
    let (status, broken) = (message.status(), !message.whole);
    Response { status, message: Message { headers: message.headers, body: message.body, trailers: message.trailers, broken }, ..Response::new(0) }
}

fn on_the_wire(response: &Response) -> Vec<u8> {
    let message = &response.message;
    let mut bytes = format!("HTTP/1.1 {} X\r\n", response.status).into_bytes();
    write_headers(&mut bytes, &message.headers);
    if !message.trailers.is_empty() {
        bytes.extend(format!("transfer-encoding: chunked\r\n\r\n{:x}\r\n", message.body.len()).into_bytes());
        bytes.extend([&message.body[..], b"\r\n0\r\n"].concat());
        write_headers(&mut bytes, &message.trailers);
        bytes.extend(b"\r\n");
        return bytes;
    }
    let length = message.body.len() + usize::from(response.cut_off);
    if !message.headers.iter().any(|(name, _)| name == "content-length") {
        bytes.extend(format!("content-length: {length}\r\n").into_bytes());
    }
    if response.cut_off {
        bytes.extend(b"connection: close\r\n");
    }
    bytes.extend(b"\r\n");
    bytes.extend(&message.body);
    bytes
}

fn write_headers(bytes: &mut Vec<u8>, headers: &[(String, Vec<u8>)]) {
    for (name, value) in headers {
        bytes.extend([name.as_bytes(), b": ", value, b"\r\n"].concat());
    }
}
