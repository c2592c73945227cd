//! A proxy at work, and what can be seen of it.

use std::{cell::RefCell, collections::BTreeMap, fmt, rc::Rc, time::Duration};

use serde_json::Value;

use crate::{
    envoy::{EnvoyExchange, EnvoyProxy},
    grpc::GrpcCall,
    message::{Request, Response},
    model::{Model, UPSTREAM},
    prometheus::{self, Series},
    tcp::{Step as TcpStep, TcpExchange, TcpSeen},
    tls::Client,
    trace::Trace,
};

/// A proxy at work.
pub struct Running(pub(crate) Backend);

pub(crate) enum Backend {
    Model(Rc<RefCell<Model>>),
    Envoy(Box<EnvoyProxy>),
}

/// A proxy that refused a configuration.
#[derive(Debug)]
pub struct Refusal {
    pub(crate) log: String,
}

/// What a server of the test saw.
#[derive(Debug)]
pub struct Service {
    name: String,
    requests: Vec<Request>,
}

/// A request that is sent step by step.
pub struct Exchange(Step);

enum Step {
    Model(Rc<RefCell<Model>>, usize),
    Envoy(EnvoyExchange),
    /// The client was not let in.
    Refused,
}

/// What requests have cost: numbers that are the same in each run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Costs {
    /// How often VMs were entered.
    pub vm_entries: u64,
    /// How often each host function was called, by its name in the ABI.
    pub host_calls: BTreeMap<&'static str, u64>,
    /// How many instructions the modules have run, as the wasm engine counts them; 0 natively.
    pub fuel: u64,
    /// How many bytes of memory the modules have; 0 natively.
    pub memory: u64,
    /// How often memory was allocated inside the filters' code, natively and with [`CountingAllocator`](crate::CountingAllocator) as the global allocator; else 0. What host functions return is
    /// not counted.
    pub allocations: u64,
}

/// How a request ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Access {
    /// The status of the response that had come when it ended, whether it was passed on or not; 0 if none had.
    pub status: u16,
    /// Why: Envoy's [response code details](https://www.envoyproxy.io/docs/envoy/v1.40.0/configuration/http/http_conn_man/response_code_details), among them those that a local reply gives.
    pub details: String,
}

/// One line of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogLine {
    /// How grave it is.
    pub level: LogLevel,
    /// What was logged.
    pub text: String,
}

/// The levels of the log, the least grave first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "they are the ABI's levels")]
pub enum LogLevel {
    Trace,
    Debug,
    Info,
    Warn,
    Error,
    Critical,
}

// === impl Running ===

impl Running {
    /// Sends a request, and waits for its response.
    pub async fn send(&self, request: Request) -> Response {
        self.send_over(self.open(&request).await, request).await
    }

    /// As [`send`](Self::send), from a client of a proxy with [`tls`](crate::Proxy::tls).
    pub async fn send_from(&self, client: &Client, request: Request) -> Response {
        self.send_over(self.open_from(client, &request).await, request).await
    }

    async fn send_over(&self, mut exchange: Exchange, request: Request) -> Response {
        if !request.message.trailers.is_empty() {
            exchange.body(&request.message.body).await;
            exchange.trailers(&request.message.trailers).await;
        } else if has_body(&request) {
            exchange.body(&request.message.body).await;
            exchange.end().await;
        }
        exchange.response().await
    }

    /// Begins a request: sends its head. If it has a body or trailers, they are not sent, but announced: see [`Exchange`].
    pub async fn open(&self, request: &Request) -> Exchange {
        let client = self.has_tls().then(Client::new);
        self.open_over(client.as_ref(), request).await
    }

    /// As [`open`](Self::open), from a client of a proxy with [`tls`](crate::Proxy::tls). One that is not let in gets no [`response`](Exchange::response_or_end).
    ///
    /// # Panics
    ///
    /// If the proxy has no TLS.
    pub async fn open_from(&self, client: &Client, request: &Request) -> Exchange {
        assert!(self.has_tls(), "the proxy has no TLS: describe it with Proxy::tls");
        self.open_over(Some(client), request).await
    }

    fn has_tls(&self) -> bool {
        match &self.0 {
            Backend::Model(model) => model.borrow().has_tls(),
            Backend::Envoy(proxy) => proxy.has_tls(),
        }
    }

    async fn open_over(&self, client: Option<&Client>, request: &Request) -> Exchange {
        Exchange(match &self.0 {
            Backend::Model(model) => {
                let mut head = request.clone();
                let length = head.message.body.len();
                if length > 0 && head.message.trailers.is_empty() {
                    head.message.headers.push(("content-length".to_owned(), length.to_string().into_bytes()));
                }
                let stream = model.borrow_mut().open_from(client, &head, !has_body(request));
                stream.map_or(Step::Refused, |stream| Step::Model(Rc::clone(model), stream))
            }
            Backend::Envoy(proxy) => proxy.open(client, request).await.map_or(Step::Refused, Step::Envoy),
        })
    }

    /// Connects to a proxy with a network filter.
    pub async fn connect(&self) -> TcpExchange {
        TcpExchange(match &self.0 {
            Backend::Model(model) => TcpStep::Model(Rc::clone(model), model.borrow_mut().connect()),
            Backend::Envoy(proxy) => TcpStep::Envoy(proxy.connect().await),
        })
    }

    /// What the TCP server behind the proxy saw, by connection. What was sent just now may not have come to it: see [`expect_tcp_seen`](Self::expect_tcp_seen).
    pub fn tcp_seen(&self) -> Vec<TcpSeen> {
        match &self.0 {
            Backend::Model(model) => model.borrow().tcp_seen(),
            Backend::Envoy(proxy) => proxy.tcp_seen(),
        }
    }

    /// Waits until the TCP server behind the proxy has seen one connection, with these bytes and no others, and whether it has ended.
    ///
    /// # Panics
    ///
    /// If it does not come to that.
    pub async fn expect_tcp_seen(&self, text: &str, ended: bool) {
        let right = |seen: &[TcpSeen]| matches!(seen, [one] if one.bytes == text.as_bytes() && one.ended == ended);
        for _ in 0..200 {
            if right(&self.tcp_seen()) {
                return;
            }
            self.advance(Duration::from_millis(10)).await;
        }
        panic!("the server was to see {text:?}{}; it saw {:?}", if ended { ", and the end" } else { "" }, self.tcp_seen());
    }

    /// Gives the first filter another configuration, while it runs. Streams that are under way keep theirs.
    ///
    /// # Errors
    ///
    /// [`Refusal`] if the filter does not take it; it then goes on with the one it has.
    pub async fn update(&mut self, configuration: Value) -> Result<(), Refusal> {
        self.update_text(&configuration.to_string()).await
    }

    /// As [`update`](Self::update), byte by byte.
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn update_text(&mut self, configuration: &str) -> Result<(), Refusal> {
        match &mut self.0 {
            Backend::Model(model) => {
                let mut model = model.borrow_mut();
                model.update(configuration).map_err(|_| Refusal { log: model.log_text() })
            }
            Backend::Envoy(proxy) => proxy.update(configuration.to_owned()).await.map_err(|log| Refusal { log }),
        }
    }

    /// Forgets what servers saw and what was logged, so that a test with very many requests has memory for them. In Envoy it does nothing.
    pub fn forget(&self) {
        if let Backend::Model(model) = &self.0 {
            model.borrow_mut().forget();
        }
    }

    /// What the server behind the proxy saw.
    pub fn upstream(&self) -> Service {
        self.service(UPSTREAM)
    }

    /// What the server of a cluster saw.
    pub fn service(&self, name: &str) -> Service {
        let requests = match &self.0 {
            Backend::Model(model) => model.borrow().seen(name),
            Backend::Envoy(proxy) => proxy.seen(name),
        };
        Service { name: name.to_owned(), requests }
    }

    /// The value of a counter or gauge of the filters; 0 if there is none.
    pub async fn counter(&self, name: &str) -> u64 {
        match &self.0 {
            Backend::Model(model) => model.borrow().metric(name),
            Backend::Envoy(proxy) => proxy.counter(name).await,
        }
    }

    /// How many values a histogram of the filters has taken.
    pub async fn samples(&self, name: &str) -> u64 {
        match &self.0 {
            Backend::Model(model) => model.borrow().samples(name),
            Backend::Envoy(proxy) => proxy.samples(name).await,
        }
    }

    /// What the proxy shows Prometheus: in the real Envoy all of `/stats/prometheus`, on the model the metrics of the filters. Unless a test has an Envoy of its own, other tests' metrics are among them.
    pub async fn prometheus(&self) -> String {
        match &self.0 {
            Backend::Model(model) => model.borrow().prometheus(),
            Backend::Envoy(proxy) => proxy.prometheus().await,
        }
    }

    /// All series of a metric, as Prometheus sees them. The labels are those that [`Proxy::metric_labels`](crate::Proxy::metric_labels) names; dots and colons of a name are `_`.
    pub async fn all_series(&self, name: &str) -> Vec<Series> {
        prometheus::parse(&self.prometheus().await).into_iter().filter(|series| series.name == name).collect()
    }

    /// The value of the series with exactly these labels, as Prometheus sees it; 0 if there is none. Of a histogram `_bucket` (with a label `le`), `_sum` and `_count` are series.
    pub async fn series<const N: usize>(&self, name: &str, labels: [(&str, &str); N]) -> f64 {
        let labels = labels.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        self.all_series(name).await.into_iter().find(|series| series.labels == labels).map_or(0.0, |series| series.value)
    }

    /// What all has cost since the start, on the workers. `None` in the real Envoy.
    pub fn costs(&self) -> Option<Costs> {
        match &self.0 {
            Backend::Model(model) => Some(model.borrow().costs()),
            Backend::Envoy(_) => None,
        }
    }

    /// What the modules' VMs share under a key. `None` if there is nothing, and always in the real Envoy, which does not show it.
    pub fn shared_data(&self, key: &str) -> Option<Vec<u8>> {
        match &self.0 {
            Backend::Model(model) => model.borrow().shared_data(key),
            Backend::Envoy(_) => None,
        }
    }

    /// How each request ended that is over, in that order.
    pub async fn access_log(&self) -> Vec<Access> {
        match &self.0 {
            Backend::Model(model) => model.borrow().access_log(),
            Backend::Envoy(proxy) => proxy.access_log().await,
        }
    }

    /// What each worker and its modules have called of each other, if the proxy is [`traced`](crate::Proxy::traced). Of the native host it is empty. The real Envoy may write the last of it a
    /// little later.
    pub fn trace(&self) -> Trace {
        match &self.0 {
            Backend::Model(model) => model.borrow().trace(),
            Backend::Envoy(proxy) => proxy.trace(),
        }
    }

    /// What the filters have logged, from all VMs.
    pub fn log(&self) -> Vec<LogLine> {
        match &self.0 {
            Backend::Model(model) => model.borrow().log_lines(),
            Backend::Envoy(proxy) => proxy.log_lines(),
        }
    }

    /// Everything that was logged, as it is; the lines of the real Envoy's own are there too, which are many if the proxy is [`traced`](crate::Proxy::traced).
    pub fn log_text(&self) -> String {
        match &self.0 {
            Backend::Model(model) => model.borrow().log_text(),
            Backend::Envoy(proxy) => proxy.log_text(),
        }
    }

    /// What the gRPC service of a cluster saw.
    pub fn grpc_calls(&self, name: &str) -> Vec<GrpcCall> {
        match &self.0 {
            Backend::Model(model) => model.borrow().grpc_seen(name),
            Backend::Envoy(proxy) => proxy.grpc_seen(name),
        }
    }

    /// Fails unless the filters have logged a line with this text.
    pub async fn expect_log(&self, text: &str) {
        let log = match &self.0 {
            Backend::Model(model) => model.borrow().log_text(),
            Backend::Envoy(proxy) => proxy.log_with(text).await,
        };
        assert!(log.contains(text), "not logged: {text}\nthe log:\n{log}");
    }

    /// Lets time pass: on the model its clock is moved, on Envoy it is waited for.
    pub async fn advance(&self, time: Duration) {
        match &self.0 {
            Backend::Model(model) => model.borrow_mut().advance(time),
            Backend::Envoy(_) => tokio::time::sleep(time).await,
        }
    }
}

pub(crate) fn has_body(request: &Request) -> bool {
    !request.message.body.is_empty() || !request.message.trailers.is_empty()
}

// === impl Exchange ===

impl Exchange {
    /// Sends a part of the body.
    pub async fn body(&mut self, bytes: &[u8]) {
        match &mut self.0 {
            Step::Model(model, stream) => model.borrow_mut().send_body(*stream, bytes, false),
            Step::Envoy(exchange) => exchange.body(bytes).await,
            Step::Refused => {}
        }
    }

    /// Ends the request.
    pub async fn end(&mut self) {
        match &mut self.0 {
            Step::Model(model, stream) => model.borrow_mut().send_body(*stream, &[], true),
            Step::Envoy(exchange) => exchange.end(&[]).await,
            Step::Refused => {}
        }
    }

    /// Ends the request with trailers.
    pub async fn trailers(&mut self, trailers: &[(String, Vec<u8>)]) {
        match &mut self.0 {
            Step::Model(model, stream) => model.borrow_mut().send_trailers(*stream, trailers),
            Step::Envoy(exchange) => exchange.end(trailers).await,
            Step::Refused => {}
        }
    }

    /// Waits for the whole response.
    ///
    /// # Panics
    ///
    /// If it never comes: with the log.
    pub async fn response(self) -> Response {
        match self.0 {
            Step::Model(model, stream) => {
                let mut model = model.borrow_mut();
                model.run_until("the response", |model| model.response(stream).is_some());
                model.response(stream).expect("it has just come")
            }
            Step::Envoy(exchange) => exchange.response().await,
            Step::Refused => panic!("the proxy has refused the client"),
        }
    }

    /// The response, or `None` if the connection ends without one.
    pub async fn response_or_end(self) -> Option<Response> {
        match self.0 {
            Step::Model(model, stream) => {
                let mut model = model.borrow_mut();
                model.run_until("the end of the request", |model| model.response(stream).is_some());
                model.response(stream).filter(|response| response.status() != 0)
            }
            Step::Envoy(exchange) => exchange.response_or_end().await,
            Step::Refused => None,
        }
    }

    /// As [`leave`](Self::leave), without waiting until the proxy has noticed.
    pub async fn vanish(self) {
        match self.0 {
            Step::Envoy(exchange) => drop(exchange),
            Step::Refused => {}
            step @ Step::Model(..) => Self(step).leave().await,
        }
    }

    /// The client closes its connection.
    pub async fn leave(self) {
        match self.0 {
            Step::Model(model, stream) => model.borrow_mut().leave(stream),
            Step::Envoy(exchange) => exchange.leave().await,
            Step::Refused => {}
        }
    }
}

// === impl Service ===

impl Service {
    /// The requests that it saw whole.
    pub fn requests(&self) -> &[Request] {
        &self.requests
    }

    /// The only request.
    ///
    /// # Panics
    ///
    /// If it saw none, or several.
    pub fn request(&self) -> Request {
        match &self.requests[..] {
            [one] => one.clone(),
            several => panic!("the server of {:?} saw {} requests, not one: {several:#?}", self.name, several.len()),
        }
    }
}

// === impl Refusal ===

impl Refusal {
    /// Everything that was logged, as it is.
    pub fn log_text(&self) -> &str {
        &self.log
    }

    /// Fails unless the reason that was logged has this text.
    pub fn expect_log(&self, text: &str) {
        assert!(self.log.contains(text), "not logged: {text}\nthe log:\n{}", self.log);
    }
}

// === impl Costs ===

impl Costs {
    /// What was added since `before`. Memory is not added up: it is how much more there is.
    #[must_use]
    pub fn since(&self, before: &Self) -> Self {
        let host_calls = self.host_calls.iter().map(|(name, count)| (*name, count - before.host_calls.get(name).unwrap_or(&0)));
        Self {
            vm_entries: self.vm_entries - before.vm_entries,
            host_calls: host_calls.filter(|(_, count)| *count > 0).collect(),
            fuel: self.fuel - before.fuel,
            memory: self.memory.saturating_sub(before.memory),
            allocations: self.allocations - before.allocations,
        }
    }
}

// === impl LogLevel ===

impl LogLevel {
    pub(crate) const ALL: [(Self, &str); 6] = [
        (Self::Trace, "trace"),
        (Self::Debug, "debug"),
        (Self::Info, "info"),
        (Self::Warn, "warning"),
        (Self::Error, "error"),
        (Self::Critical, "critical"),
    ];
}

impl fmt::Display for LogLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = LogLevel::ALL.iter().find(|(level, _)| *level == self.level).map_or("", |(_, name)| name);
        write!(f, "[{name}] {}", self.text)
    }
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Backend::Model(_) => "Running(model)",
            Backend::Envoy(_) => "Running(envoy)",
        })
    }
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Exchange")
    }
}

impl Drop for Running {
    /// A test that fails shows the log of its proxy.
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log: Vec<_> = match &self.0 {
                // Whoever panicked may hold it.
                Backend::Model(model) => model.try_borrow().map(|model| model.log_lines()).unwrap_or_default(),
                Backend::Envoy(proxy) => proxy.log_lines(),
            };
            let log: Vec<_> = log.iter().map(|line| format!("  {line}\n")).collect();
            eprintln!("the log of the proxy:\n{}", if log.is_empty() { "  (nothing)\n".to_owned() } else { log.concat() });
        }
    }
}
