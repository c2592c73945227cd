//! A model of Envoy, for the native and the wasm host.
//!
//! It follows what Envoy 1.40 does with an HTTP filter: which headers and bodies a callback can reach, what `Pause` stops with and without
//! `allow_on_headers_stop_iteration`, how a stream goes on, local replies and their way back through the filter, buffer limits, call-outs over HTTP and gRPC with the answers that Envoy makes up, log →
//! done → delete, ticks, configuration updates in a live VM, a VM on the main thread and one for each worker beside a canary that tries a configuration first, shared data, queues, metrics, attributes, foreign
//! functions, access loggers, services of the bootstrap, and what becomes of requests when a VM has died.
//!
//! For a network filter it has TCP connections, to one server, through one filter: when what is shown, held and lost, and the callbacks at the end.
//!
//! What would crash the real Envoy fails the test, and says so. It does not have: chains of network filters, times in expressions, properties that are protobuf messages, and of signatures SHA-224 and what `ring` cannot sign or verify.

mod broken;
mod callouts;
mod calls;
mod chain;
mod connection;
mod foreign;
mod grpc;
mod joined;
mod properties;
mod routes;
mod shared;
mod state;
mod stats;
mod structs;
mod value;
mod vms;

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, BinaryHeap},
    rc::Rc,
    time::Duration,
};

use inproxy::__private::Kind;

pub use self::broken::Broken;
use self::callouts::UNREACHABLE;
pub(crate) use self::calls::{Calls, Faults, Refused};
use self::{
    calls::Refusing,
    chain::Stream,
    connection::Connection,
    grpc::GrpcEvent,
    state::{Headers, Shared, State},
    vms::{Plugin, VmSlot},
};
use crate::{
    grpc::GrpcCall,
    message::{Message, Request, Response},
    proxy::{Around, Serve},
    running::{Access, Costs, LogLine},
    tcp::TcpSeen,
    tls::Sessions,
    trace::Trace,
    vm::{Callback, Vm},
};

/// How long a stream may be idle.
const IDLE_TIMEOUT: Duration = Duration::from_secs(60);

/// What a model is made of.
pub(crate) struct Setup {
    pub(crate) plugins: Vec<PluginSetup>,
    pub(crate) clusters: BTreeMap<String, Serve>,
    pub(crate) hold_headers: bool,
    pub(crate) buffer_limit: usize,
    pub(crate) faults: Faults,
    pub(crate) around: Around,
}

/// One filter of the chain, or what is beside it.
pub(crate) struct PluginSetup {
    pub(crate) kind: Kind,
    pub(crate) root_id: String,
    /// Filters of one module share its VMs.
    pub(crate) module: &'static str,
    pub(crate) configuration: Vec<u8>,
    pub(crate) start: StartVm,
}

pub(crate) type StartVm = Rc<dyn Fn(Calls) -> Box<dyn Vm>>;

/// The cluster behind the filters.
pub(crate) const UPSTREAM: &str = "upstream";

/// Envoy, its clock, and the servers around it.
pub(crate) struct Model {
    shared: Shared,
    /// First the filters of the chain, then what is beside it.
    plugins: Vec<Plugin>,
    /// How many filters the chain has.
    chain: usize,
    /// The plugin that the test is about.
    first: usize,
    /// For each module a canary, one on the main thread, and one for each worker.
    vms: Vec<VmSlot>,
    workers: usize,
    clusters: BTreeMap<String, Serve>,
    streams: Vec<Stream>,
    connections: Vec<Connection>,
    tcp_seen: Vec<TcpSeen>,
    /// How many of them, the oldest, have left nothing behind.
    forgotten: usize,
    events: BinaryHeap<Reverse<(Duration, u64, Event)>>,
    /// The ticks among them.
    ticks: BTreeSet<Event>,
    grpc_events: Vec<GrpcEvent>,
    scheduled: u64,
    hold_headers: bool,
    buffer_limit: usize,
    /// What clients with TLS have been let in.
    sessions: Vec<Sessions>,
}

/// What will happen at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    /// The upstream answers a stream.
    Upstream { stream: usize },
    /// The upstream sends the rest of a body.
    UpstreamGoesOn { stream: usize },
    /// The server of a TCP connection says something.
    Server { connection: usize },
    /// A call-out is answered, or times out.
    Call { call: usize },
    /// Something comes of a gRPC call.
    Grpc { call: usize, event: usize },
    /// A unary gRPC call has taken too long.
    GrpcTimeout { call: usize },
    /// A message is in a queue of this root context.
    Queue { vm: usize, generation: u32, root: u32, queue: u32 },
    /// The tick of a root context, if its period was not set again.
    Tick { vm: usize, generation: u32, root: u32, set: u32 },
    /// The listener of a root context's former configuration has drained.
    Drained { vm: usize, generation: u32 },
    /// A request has taken too long.
    RequestTimeout { stream: usize },
    /// A stream may have been idle for too long.
    IdleTimeout { stream: usize },
}

// === impl Model ===

impl Model {
    /// Starts and configures all filters.
    ///
    /// # Errors
    ///
    /// If one refuses its configuration; why is in the log.
    pub(crate) fn start(setup: Setup) -> (Self, Result<(), String>) {
        let Setup { mut plugins, clusters, hold_headers, buffer_limit, faults, around } = setup;
        let in_chain = |plugin: &PluginSetup| plugin.kind == Kind::Http;
        let chain = plugins.iter().filter(|plugin| in_chain(plugin)).count();
        let first = if plugins.first().is_some_and(in_chain) { 0 } else { chain };
        plugins.sort_by_key(|plugin| !in_chain(plugin));
        let workers = around.workers as usize;
        let endpoints = clusters.iter().map(|(name, serve)| (name.clone(), !matches!(serve, Serve::Nothing)));
        let shared = Shared::new(State {
            around,
            hold_headers,
            root_ids: plugins.iter().map(|plugin| plugin.root_id.clone()).collect(),
            clusters: endpoints.collect(),
            refusing: Refusing::new(faults),
            ..State::default()
        });
        let mut model = Self {
            shared,
            plugins: Vec::new(),
            chain,
            first,
            vms: Vec::new(),
            workers,
            clusters,
            streams: Vec::new(),
            connections: Vec::new(),
            tcp_seen: Vec::new(),
            forgotten: 0,
            events: BinaryHeap::new(),
            ticks: BTreeSet::new(),
            grpc_events: Vec::new(),
            scheduled: 0,
            hold_headers,
            buffer_limit,
            sessions: Vec::new(),
        };
        model.place(plugins);
        let configured = (0..model.plugins.len()).try_for_each(|plugin| {
            let configuration = model.plugins[plugin].configuration.clone();
            model.configure(plugin, &configuration)
        });
        (model, configured)
    }

    /// Gives the plugin that the test is about another configuration.
    pub(crate) fn update(&mut self, configuration: &str) -> Result<(), String> {
        let configuration = configuration.as_bytes().to_vec();
        self.configure(self.first, &configuration)?;
        let first = self.first;
        self.plugins[first].configuration = configuration;
        Ok(())
    }

    fn schedule(&mut self, after: Duration, event: Event) {
        self.scheduled += 1;
        self.events.push(Reverse((self.now() + after, self.scheduled, event)));
    }

    /// Lets time pass until `done`, without waiting for it.
    pub(crate) fn run_until(&mut self, what: &str, done: impl Fn(&Self) -> bool) {
        while !done(self) {
            let Some(Reverse((time, _, event))) = self.events.pop() else {
                panic!("{what}: it never comes, and nothing else will happen\nthe log:\n{}", self.log_text());
            };
            self.shared.with(|state| state.now = state.now.max(time));
            self.happen(event);
        }
    }

    /// Lets a time pass, with all that happens in it.
    pub(crate) fn advance(&mut self, time: Duration) {
        let until = self.now() + time;
        while self.events.peek().is_some_and(|Reverse((time, ..))| *time <= until) {
            let Some(Reverse((time, _, event))) = self.events.pop() else { break };
            self.shared.with(|state| state.now = state.now.max(time));
            self.happen(event);
        }
        self.shared.with(|state| state.now = until);
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Upstream { stream } => self.upstream_answers(stream),
            Event::UpstreamGoesOn { stream } => self.upstream_goes_on(stream),
            Event::RequestTimeout { stream } => self.request_timeout(stream),
            Event::IdleTimeout { stream } => self.idle_timeout(stream),
            Event::Server { connection } => self.server_speaks(connection),
            Event::Call { call } => self.answer_call(call),
            Event::Grpc { call, event } => {
                let event = self.grpc_events[event].clone();
                self.deliver_grpc(call, event);
            }
            Event::GrpcTimeout { call } => self.grpc_timeout(call),
            Event::Queue { vm, generation, root, queue } => {
                if self.has_root(vm, generation, root) {
                    self.call(vm, Callback::QueueReady { root, queue });
                }
            }
            Event::Drained { vm, generation } => {
                if !self.is_dead(vm) && self.generation(vm) == generation {
                    self.retire(vm);
                }
            }
            // While its period is not set again, it comes again.
            Event::Tick { vm, generation, root, set } => {
                self.ticks.remove(&event);
                let same = self.has_root(vm, generation, root) && self.shared.with(|state| state.vms[vm].roots[&root].tick.1 == set);
                if same {
                    self.call(vm, Callback::Tick { root });
                }
            }
        }
        self.read_clients();
    }

    /// Forgets what servers saw, what was logged, and what is left of the streams that are over.
    pub(crate) fn forget(&mut self) {
        while let Some(stream) = self.streams.get_mut(self.forgotten).filter(|stream| stream.over) {
            stream.forget();
            let forgotten = self.forgotten;
            self.shared.with(|state| state.streams[forgotten].forget());
            self.forgotten += 1;
        }
        self.shared.with(|state| {
            state.seen.clear();
            state.grpc_seen.clear();
            state.log.clear();
            state.access_log.clear();
        });
    }

    /// Whether a rule is broken on purpose.
    fn breaks(&self, rule: Broken) -> bool {
        self.shared.with(|state| state.breaks(rule))
    }

    fn now(&self) -> Duration {
        self.shared.with(|state| state.now)
    }

    /// What was logged, as text.
    pub(crate) fn log_text(&self) -> String {
        self.shared.with(|state| state.log_text())
    }

    /// What was logged.
    pub(crate) fn log_lines(&self) -> Vec<LogLine> {
        self.shared.with(|state| state.log.clone())
    }

    /// The value of a counter or gauge; zero if there is none.
    pub(crate) fn metric(&self, name: &str) -> u64 {
        self.shared.with(|state| state.values.iter().find(|((_, known), _)| known == name).map_or(0, |(_, value)| *value))
    }

    /// How many values a histogram has taken.
    pub(crate) fn samples(&self, name: &str) -> u64 {
        self.shared.with(|state| state.samples.get(name).map_or(0, Vec::len)) as u64
    }

    /// What `/stats/prometheus` would show.
    pub(crate) fn prometheus(&self) -> String {
        self.shared.with(|state| stats::prometheus(state))
    }

    /// What all has cost.
    pub(crate) fn costs(&self) -> Costs {
        let memory = self.vms.iter().filter(|vm| vm.is_worker()).map(VmSlot::memory).sum();
        Costs { memory, ..self.shared.with(|state| state.costs.clone()) }
    }

    /// What is shared under a key.
    pub(crate) fn shared_data(&self, key: &str) -> Option<Vec<u8>> {
        self.shared.with(|state| state.shared_data.get(key.as_bytes())).ok().map(|(value, _)| value)
    }

    /// How requests ended.
    pub(crate) fn access_log(&self) -> Vec<Access> {
        self.shared.with(|state| state.access_log.clone())
    }

    /// What workers and modules have called of each other.
    pub(crate) fn trace(&self) -> Trace {
        self.shared.with(|state| Trace::of(&state.recordings))
    }

    /// What a cluster's server saw.
    pub(crate) fn seen(&self, cluster: &str) -> Vec<Request> {
        self.shared.with(|state| state.seen.get(cluster).cloned().unwrap_or_default())
    }

    /// What a cluster's gRPC service saw.
    pub(crate) fn grpc_seen(&self, cluster: &str) -> Vec<GrpcCall> {
        self.shared.with(|state| {
            let calls = state.grpc_seen.get(cluster).cloned().unwrap_or_default();
            calls.into_iter().map(|call| state.grpc[call].call.clone()).collect()
        })
    }
}

/// A message out of what the proxy has, without pseudo headers.
fn message(headers: &Headers, body: Vec<u8>, trailers: &Headers) -> Message {
    let text = |headers: &Headers| -> Vec<(String, Vec<u8>)> {
        let plain = headers.iter().filter(|(name, _)| !name.starts_with(b":"));
        plain.map(|(name, value)| (String::from_utf8_lossy(name).into_owned(), value.clone())).collect()
    };
    let mut message = Message { headers: text(headers), body, trailers: text(trailers), broken: false };
    let length = message.all("content-length").next().map(|length| String::from_utf8_lossy(length).into_owned());
    message.broken = length.is_some_and(|length| length.parse() != Ok(message.body.len()));
    message
}

/// The headers of a response, as the proxy has them.
fn answer_headers(answer: &Response) -> Headers {
    let mut headers = vec![(b":status".to_vec(), answer.status.to_string().into_bytes())];
    for (name, value) in in_bytes(&answer.message.headers) {
        joined::push_response(&mut headers, name, &value);
    }
    headers
}

/// Headers or trailers of a message, as the proxy has them.
fn in_bytes(pairs: &[(String, Vec<u8>)]) -> Headers {
    pairs.iter().map(|(name, value)| (name.clone().into_bytes(), value.clone())).collect()
}
