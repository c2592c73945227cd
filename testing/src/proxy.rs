use std::{cell::RefCell, collections::BTreeMap, fmt, marker::PhantomData, rc::Rc, sync::Arc, time::Duration};

use inproxy::{__private::Registered, abi::Status};
use serde_json::Value;

use crate::{
    HostKind,
    envoy::{EnvoyExchange, EnvoyProxy},
    message::{Request, Response},
    model::{Handler, Model, PluginSetup, Refused, Setup, UPSTREAM},
    vm::{Module, NativeVm, WasmVm},
};

/// A proxy that a test describes: the filter `F`, its configuration, and the servers around it.
pub struct Proxy<F> {
    host: HostKind,
    plan: Plan,
    filter: PhantomData<F>,
}

/// What is asked of a host.
pub(crate) struct Plan {
    pub(crate) name: &'static str,
    pub(crate) filters: Vec<Filter>,
    /// By name; `None` is a cluster without endpoints.
    pub(crate) clusters: BTreeMap<String, Option<Handler>>,
    pub(crate) hold_headers: bool,
    pub(crate) buffer_limit: u32,
    pub(crate) refusals: Vec<Refused>,
}

/// One filter of the chain.
pub(crate) struct Filter {
    pub(crate) root_id: &'static str,
    pub(crate) manifest_dir: &'static str,
    pub(crate) configuration: String,
}

/// A proxy at work.
pub struct Running(Backend);

enum Backend {
    Model(Rc<RefCell<Model>>),
    Envoy(Box<EnvoyProxy>),
}

/// A proxy that refused a configuration.
#[derive(Debug)]
pub struct Refusal {
    log: String,
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
}

/// Why a test fails whose filter changed a body and left `content-length` as it was.
pub(crate) const STALE_REQUEST: &str = "a filter sent on a request whose content-length is not the length of its body: the upstream takes the rest for another request. \
    Remove content-length in the headers callback, or let the SDK replace the body.";
pub(crate) const STALE_RESPONSE: &str = "a filter sent the client a response whose content-length is not the length of its body: the client takes the rest for another \
    response. Remove content-length in the headers callback, or let the SDK replace the body.";

// === impl Proxy ===

impl<F: Registered> Proxy<F> {
    /// A proxy with the filter, not configured, in front of an upstream that answers 200 with an empty body. A test gets one as its argument.
    pub fn on(host: HostKind, name: &'static str) -> Self {
        let plan = Plan { name, filters: Vec::new(), clusters: BTreeMap::new(), hold_headers: false, buffer_limit: 1 << 20, refusals: Vec::new() };
        let proxy = Self { host, plan, filter: PhantomData };
        proxy.with_filter::<F>(String::new()).upstream(|_| Response::new(200))
    }

    /// Where the test runs, and its name: for [`on`](Self::on), when one test describes several proxies.
    pub fn host(&self) -> (HostKind, &'static str) {
        (self.host, self.plan.name)
    }

    /// Sets the configuration of the filter.
    #[must_use]
    pub fn configure(self, configuration: Value) -> Self {
        self.configure_text(&configuration.to_string())
    }

    /// Sets the configuration of the filter, byte by byte.
    #[must_use]
    pub fn configure_text(mut self, configuration: &str) -> Self {
        if let Some(filter) = self.plan.filters.first_mut() {
            filter.configuration = configuration.to_owned();
        }
        self
    }

    /// Adds another filter behind those that are there.
    #[must_use]
    pub fn then<G: Registered>(self, configuration: Value) -> Self {
        self.with_filter::<G>(configuration.to_string())
    }

    fn with_filter<G: Registered>(mut self, configuration: String) -> Self {
        self.plan.filters.push(Filter { root_id: G::ROOT_ID, manifest_dir: G::MANIFEST_DIR, configuration });
        self
    }

    /// Sets what the server behind the proxy answers.
    #[must_use]
    pub fn upstream(self, handler: impl Fn(&Request) -> Response + Send + Sync + 'static) -> Self {
        self.cluster(UPSTREAM, handler)
    }

    /// Adds a cluster that filters can call, with what its server answers.
    #[must_use]
    pub fn cluster(mut self, name: &str, handler: impl Fn(&Request) -> Response + Send + Sync + 'static) -> Self {
        self.plan.clusters.insert(name.to_owned(), Some(Arc::new(handler)));
        self
    }

    /// Adds a cluster that has no endpoint.
    #[must_use]
    pub fn cluster_without_endpoints(mut self, name: &str) -> Self {
        self.plan.clusters.insert(name.to_owned(), None);
        self
    }

    /// Has bodies delivered while headers are held (`allow_on_headers_stop_iteration`).
    #[must_use]
    pub fn hold_headers(mut self) -> Self {
        self.plan.hold_headers = true;
        self
    }

    /// Sets how many bytes of a direction the proxy buffers; 1 MiB unless set.
    #[must_use]
    pub fn buffer_limit(mut self, bytes: u32) -> Self {
        self.plan.buffer_limit = bytes;
        self
    }

    /// Has every call of a host function refused with this status; by its name in the
    /// [ABI](https://github.com/proxy-wasm/spec/tree/main/abi-versions/v0.2.1), such as `proxy_get_header_map_value`. Not in the real Envoy.
    #[must_use]
    pub fn refuse(self, call: &str, status: Status) -> Self {
        self.refuse_if(call, None, status)
    }

    /// Has the n-th call of a host function refused, counted from 1 since the start, in all filters together.
    #[must_use]
    pub fn refuse_nth(self, call: &str, nth: u64, status: Status) -> Self {
        self.refuse_if(call, Some(nth), status)
    }

    fn refuse_if(mut self, call: &str, nth: Option<u64>, status: Status) -> Self {
        assert!(
            self.host != HostKind::Envoy,
            "the real Envoy does not refuse calls on demand: write #[inproxy_test::test(only(native, wasm), because = \"…\")]"
        );
        self.plan.refusals.push(Refused { call: call.to_owned(), nth, status });
        self
    }

    /// Starts it.
    ///
    /// # Panics
    ///
    /// If a filter refuses its configuration, or the host is missing: with what to do about it.
    pub async fn start(self) -> Running {
        match self.open().await {
            Ok(running) => running,
            Err((reason, log)) => panic!("{reason}\nthe log:\n{log}"),
        }
    }

    /// Starts it, and expects that a filter refuses its configuration.
    ///
    /// # Panics
    ///
    /// If none does.
    pub async fn refused(self) -> Refusal {
        match self.open().await {
            Ok(_) => panic!("the configuration was accepted"),
            Err((_, log)) => Refusal { log },
        }
    }

    async fn open(self) -> Result<Running, (String, String)> {
        if self.host == HostKind::Envoy {
            return EnvoyProxy::start(self.plan).await.map(|proxy| Running(Backend::Envoy(Box::new(proxy))));
        }
        let (model, configured) = Model::start(setup(self.host, self.plan));
        match configured {
            Ok(()) => Ok(Running(Backend::Model(Rc::new(RefCell::new(model))))),
            Err(reason) => Err((reason, model.log().join("\n"))),
        }
    }
}

fn setup(host: HostKind, plan: Plan) -> Setup {
    let plugins = plan.filters.into_iter().map(|filter| PluginSetup {
        root_id: filter.root_id.to_owned(),
        configuration: filter.configuration.into_bytes(),
        start: if host == HostKind::Native {
            Box::new(|calls| Box::new(NativeVm::start(calls)))
        } else {
            let module = Module::of(filter.manifest_dir);
            Box::new(move |calls| Box::new(WasmVm::start(&module, calls)))
        },
    });
    Setup {
        plugins: plugins.collect(),
        clusters: plan.clusters,
        hold_headers: plan.hold_headers,
        buffer_limit: plan.buffer_limit as usize,
        refusals: plan.refusals,
    }
}

// === impl Running ===

impl Running {
    /// Sends a request, and waits for its response.
    pub async fn send(&self, request: Request) -> Response {
        let mut exchange = self.open(&request).await;
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
        Exchange(match &self.0 {
            Backend::Model(model) => {
                let mut head = request.clone();
                let length = head.message.body.len();
                if length > 0 && head.message.trailers.is_empty() {
                    head.message.headers.push(("content-length".to_owned(), length.to_string().into_bytes()));
                }
                let stream = model.borrow_mut().open(&head, !has_body(request));
                Step::Model(Rc::clone(model), stream)
            }
            Backend::Envoy(proxy) => Step::Envoy(proxy.open(request).await),
        })
    }

    /// Gives the first filter another configuration, while it runs. Streams that are under way keep theirs.
    ///
    /// # Errors
    ///
    /// [`Refusal`] if the filter does not take it; it then goes on with the one it has.
    pub async fn update(&mut self, configuration: Value) -> Result<(), Refusal> {
        let configuration = configuration.to_string();
        match &mut self.0 {
            Backend::Model(model) => {
                let mut model = model.borrow_mut();
                model.update(&configuration).map_err(|_| Refusal { log: model.log().join("\n") })
            }
            Backend::Envoy(proxy) => proxy.update(configuration).await.map_err(|log| Refusal { log }),
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

    /// How often VMs were entered since the start. `None` in the real Envoy.
    pub fn vm_entries(&self) -> Option<u64> {
        match &self.0 {
            Backend::Model(model) => Some(model.borrow().counts().0),
            Backend::Envoy(_) => None,
        }
    }

    /// How many instructions the modules have run since the start, as the wasm engine counts them. `None` on the other hosts.
    pub fn fuel(&self) -> Option<u64> {
        match &self.0 {
            Backend::Model(model) => Some(model.borrow().fuel()).filter(|fuel| *fuel > 0),
            Backend::Envoy(_) => None,
        }
    }

    /// How often each host function was called since the start, by its name in the ABI. `None` in the real Envoy.
    pub fn host_calls(&self) -> Option<BTreeMap<&'static str, u64>> {
        match &self.0 {
            Backend::Model(model) => Some(model.borrow().counts().1),
            Backend::Envoy(_) => None,
        }
    }

    /// Fails unless the filters have logged a line with this text.
    pub async fn expect_log(&self, text: &str) {
        let log = match &self.0 {
            Backend::Model(model) => model.borrow().log().join("\n"),
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
        }
    }

    /// Ends the request.
    pub async fn end(&mut self) {
        match &mut self.0 {
            Step::Model(model, stream) => model.borrow_mut().send_body(*stream, &[], true),
            Step::Envoy(exchange) => exchange.end(&[]).await,
        }
    }

    /// Ends the request with trailers.
    pub async fn trailers(&mut self, trailers: &[(String, Vec<u8>)]) {
        match &mut self.0 {
            Step::Model(model, stream) => model.borrow_mut().send_trailers(*stream, trailers),
            Step::Envoy(exchange) => exchange.end(trailers).await,
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
        }
    }

    /// The client closes its connection.
    pub async fn leave(self) {
        match self.0 {
            Step::Model(model, stream) => model.borrow_mut().leave(stream),
            Step::Envoy(exchange) => exchange.leave().await,
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
    /// Fails unless the reason that was logged has this text.
    pub fn expect_log(&self, text: &str) {
        assert!(self.log.contains(text), "not logged: {text}\nthe log:\n{}", self.log);
    }
}

impl<F> fmt::Debug for Proxy<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxy").field("name", &self.plan.name).field("host", &self.host).finish_non_exhaustive()
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
