use std::{cell::RefCell, collections::BTreeMap, fmt, marker::PhantomData, rc::Rc, sync::Arc, time::Duration};

use inproxy::{
    __private::{Kind, Registered},
    abi::Status,
};
use inproxy_envoy::{FailurePolicy, Route, RouteMatch, StatsConfig};
use serde_json::{Value, json};

use crate::{
    HostKind,
    envoy::EnvoyProxy,
    grpc::{GrpcCall, GrpcHandler, GrpcReply},
    message::{Request, Response},
    model::{Broken, Faults, Model, PluginSetup, Refused, Setup, UPSTREAM},
    running::{Backend, Refusal, Running},
    tcp::TcpServer,
    tls::{Client, Tls},
    vm::{HereVm, Module, NativeVm, WasmVm},
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
    pub(crate) clusters: BTreeMap<String, Serve>,
    pub(crate) hold_headers: bool,
    pub(crate) buffer_limit: u32,
    pub(crate) faults: Faults,
    pub(crate) around: Around,
    /// The VMs of the native host are in the test's own thread.
    pub(crate) in_one_thread: bool,
}

/// What is around the filters, and they can ask for.
#[derive(Clone)]
pub(crate) struct Around {
    pub(crate) workers: u32,
    pub(crate) vm_id: String,
    pub(crate) environment: Vec<(String, String)>,
    pub(crate) failure_policy: FailurePolicy,
    pub(crate) node_metadata: Value,
    pub(crate) routes: Vec<Route>,
    pub(crate) route: String,
    pub(crate) route_metadata: Value,
    pub(crate) cluster_metadata: Value,
    pub(crate) request_timeout: Duration,
    pub(crate) stats: StatsConfig,
    pub(crate) route_timeout: Duration,
    pub(crate) dynamic_metadata: Value,
    pub(crate) filter_state: Vec<(String, String)>,
    pub(crate) tls: Option<Tls>,
    /// At the server behind the proxy, and the proxy as its client.
    pub(crate) upstream_tls: Option<(Tls, Client)>,
    /// Every call in both directions is kept.
    pub(crate) traced: bool,
    pub(crate) broken: Option<Broken>,
}

/// What is behind a cluster.
#[derive(Clone)]
pub(crate) enum Serve {
    Http(Handler),
    Grpc(GrpcHandler),
    Tcp(TcpServer),
    /// No endpoint at all.
    Nothing,
    /// An endpoint where nobody listens.
    Nobody,
}

/// What a server of the test answers.
pub(crate) type Handler = Arc<dyn Fn(&Request) -> Response + Send + Sync>;

/// A filter of the chain, or what is beside it.
pub(crate) struct Filter {
    pub(crate) kind: Kind,
    pub(crate) root_id: &'static str,
    pub(crate) manifest_dir: &'static str,
    pub(crate) configuration: String,
}

/// Why a test fails whose filter changed a body and left `content-length` as it was.
pub(crate) const STALE_REQUEST: &str = "a filter sent on a request whose content-length is not the length of its body: the upstream takes the rest for another request. \
    Remove content-length in the headers callback, or let the SDK replace the body.";
pub(crate) const STALE_RESPONSE: &str = "a filter sent the client a response whose content-length is not the length of its body: the client takes the rest for another \
    response. Remove content-length in the headers callback, or let the SDK replace the body.";

// === impl Proxy ===

impl<F: Registered> Proxy<F> {
    /// A proxy with the filter, not configured, in front of an upstream that answers 200 with an empty body; with a network filter, in front of one that answers with what comes to it. A test gets one as its argument.
    pub fn on(host: HostKind, name: &'static str) -> Self {
        let plan = Plan {
            name,
            filters: Vec::new(),
            clusters: BTreeMap::new(),
            hold_headers: false,
            buffer_limit: 1 << 20,
            faults: Faults::default(),
            around: Around::default(),
            in_one_thread: false,
        };
        let proxy = Self { host, plan, filter: PhantomData };
        let proxy = proxy.with_filter::<F>(String::new());
        if F::KIND == Kind::Network { proxy.tcp_upstream(TcpServer::echo()) } else { proxy.upstream(|_| Response::new(200)) }
    }

    /// Where the test runs, and its name: for [`on`](Self::on), when one test describes several proxies.
    pub fn host(&self) -> (HostKind, &'static str) {
        (self.host, self.plan.name)
    }

    /// Sets the configuration of the filter, access logger or service.
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

    /// Adds another filter behind those that are there; an access logger or a service beside them. A service is a singleton, and in the real Envoy such a test has an Envoy of its own.
    #[must_use]
    pub fn then<G: Registered>(self, configuration: Value) -> Self {
        self.with_filter::<G>(configuration.to_string())
    }

    fn with_filter<G: Registered>(mut self, configuration: String) -> Self {
        self.plan.filters.push(Filter { kind: G::KIND, root_id: G::ROOT_ID, manifest_dir: G::MANIFEST_DIR, configuration });
        self
    }

    /// Sets what the server behind the proxy answers.
    #[must_use]
    pub fn upstream(self, handler: impl Fn(&Request) -> Response + Send + Sync + 'static) -> Self {
        self.cluster(UPSTREAM, handler)
    }

    /// Sets the server behind a network filter.
    #[must_use]
    pub fn tcp_upstream(mut self, server: TcpServer) -> Self {
        self.plan.clusters.insert(UPSTREAM.to_owned(), Serve::Tcp(server));
        self
    }

    /// Adds a cluster that filters can call, with what its server answers.
    #[must_use]
    pub fn cluster(mut self, name: &str, handler: impl Fn(&Request) -> Response + Send + Sync + 'static) -> Self {
        self.plan.clusters.insert(name.to_owned(), Serve::Http(Arc::new(handler)));
        self
    }

    /// Adds a cluster with a gRPC service that is asked once for each call, when the client has sent all.
    #[must_use]
    pub fn grpc(self, name: &str, handler: impl Fn(&GrpcCall) -> GrpcReply + Send + Sync + 'static) -> Self {
        self.grpc_service(name, GrpcHandler::new(false, handler))
    }

    /// Adds a cluster with a gRPC service that is asked at each message, and at the client's end.
    #[must_use]
    pub fn grpc_stream(self, name: &str, handler: impl Fn(&GrpcCall) -> GrpcReply + Send + Sync + 'static) -> Self {
        self.grpc_service(name, GrpcHandler::new(true, handler))
    }

    fn grpc_service(mut self, name: &str, handler: GrpcHandler) -> Self {
        self.plan.clusters.insert(name.to_owned(), Serve::Grpc(handler));
        self
    }

    /// Adds a cluster that has no endpoint.
    #[must_use]
    pub fn cluster_without_endpoints(mut self, name: &str) -> Self {
        self.plan.clusters.insert(name.to_owned(), Serve::Nothing);
        self
    }

    /// Adds a cluster that nobody listens at: connections are refused.
    #[must_use]
    pub fn cluster_refusing(mut self, name: &str) -> Self {
        self.plan.clusters.insert(name.to_owned(), Serve::Nobody);
        self
    }

    /// How long a request may take to pass the filters and to arrive: the listener's `request_timeout`, 30 seconds unless set.
    #[must_use]
    pub fn request_timeout(mut self, timeout: Duration) -> Self {
        self.plan.around.request_timeout = timeout;
        self
    }

    /// How long the server behind the proxy may take for its response once it has the request: the route's `timeout`, 15 seconds unless set.
    #[must_use]
    pub fn route_timeout(mut self, timeout: Duration) -> Self {
        self.plan.around.route_timeout = timeout;
        self
    }

    /// Has a filter before all others write dynamic metadata, an object of objects by namespace, into each stream: Envoy's `envoy.filters.http.set_metadata`.
    #[must_use]
    pub fn dynamic_metadata(mut self, metadata: Value) -> Self {
        self.plan.around.dynamic_metadata = metadata;
        self
    }

    /// Has a filter before all others leave a text in the filter state of each stream, which the connection to the server behind the proxy shares: Envoy's `envoy.filters.http.set_filter_state`.
    #[must_use]
    pub fn filter_state(mut self, key: &str, value: &str) -> Self {
        self.plan.around.filter_state.push((key.to_owned(), value.to_owned()));
        self
    }

    /// Has clients connect over TLS. [`Running::send`] then sends from a client without a certificate, [`Running::send_from`] from any.
    #[must_use]
    pub fn tls(mut self, tls: Tls) -> Self {
        self.plan.around.tls = Some(tls);
        self
    }

    /// Has the server behind the proxy take TLS only, and the proxy connect to it as this client.
    #[must_use]
    pub fn upstream_tls(mut self, server: Tls, proxy: Client) -> Self {
        self.plan.around.upstream_tls = Some((server, proxy));
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

    /// How many workers the proxy has, each with a VM of its own; one unless set. A request goes to the worker that has the fewest.
    #[must_use]
    pub fn workers(mut self, workers: u32) -> Self {
        self.plan.around.workers = workers.max(1);
        self
    }

    /// Sets the `vm_id`, by which shared data and queues are told apart; empty unless set. In the real Envoy such a test has an Envoy of its own, so that it finds only its own data.
    #[must_use]
    pub fn vm_id(mut self, id: &str) -> Self {
        self.plan.around.vm_id = id.to_owned();
        self
    }

    /// Sets a variable of the VM's environment.
    #[must_use]
    pub fn environment(mut self, name: &str, value: &str) -> Self {
        self.plan.around.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// What becomes of requests after a VM has died; [`FailurePolicy::Reload`] unless set.
    #[must_use]
    pub fn failure_policy(mut self, policy: FailurePolicy) -> Self {
        self.plan.around.failure_policy = policy;
        self
    }

    /// Sets the metadata of the node, an object. In the real Envoy such a test has an Envoy of its own.
    #[must_use]
    pub fn node_metadata(mut self, metadata: Value) -> Self {
        self.plan.around.node_metadata = metadata;
        self
    }

    /// Adds a route of this name to a cluster, for the requests that it matches; the first that matches is taken.
    #[must_use]
    pub fn route_to(mut self, name: &str, matches: RouteMatch, cluster: &str) -> Self {
        self.plan.around.routes.push(Route { name: name.to_owned(), matches, cluster: cluster.to_owned() });
        self
    }

    /// Names the route that all other requests take, and sets its metadata, an object by namespace.
    #[must_use]
    pub fn route(mut self, name: &str, metadata: Value) -> Self {
        self.plan.around.route = name.to_owned();
        self.plan.around.route_metadata = metadata;
        self
    }

    /// Sets the metadata of the cluster behind the proxy, an object by namespace.
    #[must_use]
    pub fn cluster_metadata(mut self, metadata: Value) -> Self {
        self.plan.around.cluster_metadata = metadata;
        self
    }

    /// Has Envoy take labels of these names out of the names of statistics, as `cargo inproxy stats` would have it: see [`Running::series`]. In the real Envoy such a test has an Envoy of its own.
    #[must_use]
    pub fn metric_labels<const N: usize>(mut self, labels: [&str; N]) -> Self {
        self.plan.around.stats = self.plan.around.stats.with_labels(labels);
        self
    }

    /// Sets the buckets of a histogram, by their upper bounds. In the real Envoy such a test has an Envoy of its own.
    #[must_use]
    pub fn histogram_buckets(mut self, metric: &str, bounds: &[u64]) -> Self {
        self.plan.around.stats = self.plan.around.stats.with_buckets(metric, bounds);
        self
    }

    /// Has every call between proxy and module kept, for [`Running::trace`]. In the real Envoy such a test has an Envoy of its own.
    #[must_use]
    pub fn traced(mut self) -> Self {
        self.plan.around.traced = true;
        self
    }

    /// Has all VMs of the native host run in the test's own thread, for a fuzz target: it starts, and calls, several times faster. Otherwise each has a thread of its own, and with it its own of all thread locals; so only
    /// the SDK's are each VM's own, and not those of the filter. On the other hosts it changes nothing.
    #[must_use]
    pub fn in_one_thread(mut self) -> Self {
        self.plan.in_one_thread = true;
        self
    }

    /// Has the model break a rule of Envoy on purpose: for the tests of the model itself.
    #[doc(hidden)]
    #[must_use]
    pub fn broken(mut self, rule: Option<Broken>) -> Self {
        self.plan.around.broken = rule;
        self
    }

    /// Has one in so many calls of host functions refused, with any status: which, follows from the seed, so that a test that fails once fails again.
    #[must_use]
    pub fn refuse_at_random(mut self, seed: u64, one_in: u32) -> Self {
        self.only_on_the_model();
        self.plan.faults.chance = Some((seed, one_in.max(1)));
        self
    }

    /// Has every call of a host function refused with this status; by its name in the
    /// [ABI](https://github.com/proxy-wasm/spec/tree/main/abi-versions/v0.2.1), such as `proxy_get_header_map_value`. Not in the real Envoy.
    #[must_use]
    pub fn refuse(self, call: &str, status: Status) -> Self {
        self.refuse_if(call, None, status)
    }

    /// Has the n-th call of a host function refused, counted from 1 since the start, in all filters and workers together. What the proxy's main thread calls is
    /// not counted.
    #[must_use]
    pub fn refuse_nth(self, call: &str, nth: u64, status: Status) -> Self {
        self.refuse_if(call, Some(nth), status)
    }

    fn refuse_if(mut self, call: &str, nth: Option<u64>, status: Status) -> Self {
        self.only_on_the_model();
        self.plan.faults.refusals.push(Refused { call: call.to_owned(), nth, status });
        self
    }

    fn only_on_the_model(&self) {
        assert!(
            self.host != HostKind::Envoy,
            "the real Envoy does not refuse calls on demand: write #[inproxy_test::test(only(native, wasm), because = \"…\")]"
        );
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

    /// Starts it, if the filters take their configurations.
    ///
    /// # Errors
    ///
    /// [`Refusal`] if one does not.
    pub async fn try_start(self) -> Result<Running, Refusal> {
        self.open().await.map_err(|(_, log)| Refusal { log })
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
            Err(reason) => Err((reason, model.log_text())),
        }
    }
}

fn setup(host: HostKind, plan: Plan) -> Setup {
    let plugins = plan.filters.into_iter().map(|filter| PluginSetup {
        kind: filter.kind,
        root_id: filter.root_id.to_owned(),
        module: filter.manifest_dir,
        configuration: filter.configuration.into_bytes(),
        start: if host == HostKind::Native && plan.in_one_thread {
            Rc::new(|calls| Box::new(HereVm::start(calls)))
        } else if host == HostKind::Native {
            Rc::new(|calls| Box::new(NativeVm::start(calls)))
        } else {
            let module = Module::of(filter.manifest_dir);
            Rc::new(move |calls| Box::new(WasmVm::start(&module, calls)))
        },
    });
    Setup {
        plugins: plugins.collect(),
        clusters: plan.clusters,
        hold_headers: plan.hold_headers,
        buffer_limit: plan.buffer_limit as usize,
        faults: plan.faults,
        around: plan.around,
    }
}

// === impl Around ===

impl Default for Around {
    fn default() -> Self {
        Self {
            workers: 1,
            vm_id: String::new(),
            environment: Vec::new(),
            failure_policy: FailurePolicy::Reload,
            node_metadata: json!({}),
            routes: Vec::new(),
            route: String::new(),
            route_metadata: json!({}),
            cluster_metadata: json!({}),
            request_timeout: Duration::from_secs(30),
            stats: StatsConfig::default(),
            route_timeout: Duration::from_secs(15),
            dynamic_metadata: json!({}),
            filter_state: Vec::new(),
            tls: None,
            upstream_tls: None,
            traced: false,
            broken: None,
        }
    }
}

impl Around {
    /// Whether another test could see or change what this one has.
    pub(crate) fn is_shared(&self) -> bool {
        self.workers == 1
            && self.vm_id.is_empty()
            && self.node_metadata == json!({})
            && self.failure_policy == FailurePolicy::Reload
            && self.stats == StatsConfig::default()
            && !self.traced
    }
}

impl<F> fmt::Debug for Proxy<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxy").field("name", &self.plan.name).field("host", &self.host).finish_non_exhaustive()
    }
}
