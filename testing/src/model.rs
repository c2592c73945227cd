//! A model of Envoy, for the native and the wasm host.
//!
//! It follows what Envoy 1.40 does with an HTTP filter: which headers and bodies a callback can reach, what `Pause` stops with and without
//! `allow_on_headers_stop_iteration`, how a stream goes on, local replies and their way back through the filter, buffer limits, call-outs with the answers that Envoy makes up, log → done → delete,
//! ticks, configuration updates in a live VM, and a VM that dies and is made anew after a second.
//!
//! It has one worker and one VM for each filter of the chain. It does not have: shared data and queues, gRPC, metrics other than counters and gauges, properties other than the plugin's
//! own, foreign functions. A filter that asks for those gets the status with which Envoy says "not found" or "failed"; test it in the real Envoy.

mod calls;
mod chain;
mod state;

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap},
    sync::Arc,
    time::Duration,
};

pub(crate) use self::{calls::Calls, state::Refused};
use self::{
    chain::Stream,
    state::{Deferred, Headers, PluginState, Root, Shared},
};
use crate::{
    message::{Message, Request, Response},
    vm::{Callback, Vm},
};

/// What a server of the test answers.
pub(crate) type Handler = Arc<dyn Fn(&Request) -> Response + Send + Sync>;

/// How Envoy waits until it makes a new VM.
const RELOAD_AFTER: Duration = Duration::from_secs(1);

/// How long a request may take to pass the filters.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// What a model is made of.
pub(crate) struct Setup {
    pub(crate) plugins: Vec<PluginSetup>,
    /// By name; `None` is a cluster without endpoints.
    pub(crate) clusters: BTreeMap<String, Option<Handler>>,
    pub(crate) hold_headers: bool,
    pub(crate) buffer_limit: usize,
    pub(crate) refusals: Vec<Refused>,
}

/// One filter of the chain.
pub(crate) struct PluginSetup {
    pub(crate) root_id: String,
    pub(crate) configuration: Vec<u8>,
    pub(crate) start: Box<dyn Fn(Calls) -> Box<dyn Vm>>,
}

/// The cluster behind the filters.
pub(crate) const UPSTREAM: &str = "upstream";

/// Envoy, its clock, and the servers around it.
pub(crate) struct Model {
    shared: Shared,
    plugins: Vec<Plugin>,
    clusters: BTreeMap<String, Option<Handler>>,
    streams: Vec<Stream>,
    events: BinaryHeap<Reverse<(Duration, u64, Event)>>,
    scheduled: u64,
    hold_headers: bool,
    buffer_limit: usize,
}

struct Plugin {
    setup: PluginSetup,
    vm: Box<dyn Vm>,
    /// When it died.
    dead: Option<Duration>,
    /// How many VMs it has had: a stream of an earlier one is no stream of this one.
    generation: u32,
    /// The root context of new streams.
    root: u32,
    next_context: u32,
}

/// What will happen at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    /// The upstream answers a stream.
    Upstream { stream: usize },
    /// A call-out is answered, or times out.
    Call { call: usize },
    /// The tick of a plugin, if its period is still the same.
    Tick { plugin: usize, root: u32, period: u32 },
    /// A request has taken too long.
    RequestTimeout { stream: usize },
}

// === impl Model ===

impl Model {
    /// Starts and configures all filters.
    ///
    /// # Errors
    ///
    /// If one refuses its configuration; why is in the log.
    pub(crate) fn start(setup: Setup) -> (Self, Result<(), String>) {
        let Setup { plugins, clusters, hold_headers, buffer_limit, refusals } = setup;
        let shared = Shared::default();
        let states = plugins.iter().map(|plugin| PluginState::new(&plugin.root_id, hold_headers, 0));
        shared.with(|state| {
            state.plugins = states.collect();
            state.refusals = refusals;
            state.clusters = clusters.iter().map(|(name, handler)| (name.clone(), handler.is_some())).collect();
        });
        let plugins = plugins.into_iter().enumerate().map(|(at, setup)| {
            let vm = (setup.start)(Calls::new(shared.clone(), at));
            Plugin { setup, vm, dead: None, generation: 0, root: 0, next_context: 1 }
        });
        let plugins = plugins.collect();
        let mut model = Self { shared, plugins, clusters, streams: Vec::new(), events: BinaryHeap::new(), scheduled: 0, hold_headers, buffer_limit };
        let configured = (0..model.plugins.len()).try_for_each(|plugin| model.configure(plugin));
        (model, configured)
    }

    /// Makes the VM ready, and configures its plugin.
    fn configure(&mut self, plugin: usize) -> Result<(), String> {
        let configuration = self.plugins[plugin].setup.configuration.clone();
        if self.call(plugin, Callback::Initialize).is_none() {
            return Err("the module cannot be initialized".to_owned());
        }
        self.configure_root(plugin, configuration)
    }

    /// Makes a root context with a configuration. Streams that there are keep theirs.
    fn configure_root(&mut self, plugin: usize, configuration: Vec<u8>) -> Result<(), String> {
        let root = self.plugins[plugin].next_context;
        self.plugins[plugin].next_context += 1;
        let size = configuration.len() as u32;
        self.shared.with(|state| state.plugins[plugin].roots.insert(root, Root { configuration, tick: 0 }));
        let accepted = self.call(plugin, Callback::ContextCreate { context: root, parent: 0 }).is_some()
            && self.call(plugin, Callback::VmStart { root }) == Some(1)
            && self.call(plugin, Callback::Configure { root, size }) == Some(1);
        if accepted {
            self.plugins[plugin].root = root;
        }
        self.retire(plugin);
        if accepted { Ok(()) } else { Err(format!("the filter {:?} refused its configuration", self.plugins[plugin].setup.root_id)) }
    }

    /// Gives the first filter another configuration.
    pub(crate) fn update(&mut self, configuration: &str) -> Result<(), String> {
        let configuration = configuration.as_bytes().to_vec();
        self.configure_root(0, configuration.clone())?;
        self.plugins[0].setup.configuration = configuration;
        Ok(())
    }

    /// Ends the root contexts that are neither for new streams nor have streams left.
    fn retire(&mut self, plugin: usize) {
        let current = self.plugins[plugin].root;
        let idle: Vec<_> = self.shared.with(|state| {
            let plugin = &state.plugins[plugin];
            let used = |root: u32| plugin.contexts.values().any(|(_, of)| *of == root);
            plugin.roots.keys().copied().filter(|root| *root != current && !used(*root)).collect()
        });
        for root in idle {
            self.call(plugin, Callback::Done { context: root });
            self.call(plugin, Callback::Delete { context: root });
            self.shared.with(|state| state.plugins[plugin].roots.remove(&root));
        }
    }

    /// Calls a plugin, then does what it asked for meanwhile. `None` if its VM is dead, or has just died.
    fn call(&mut self, plugin: usize, callback: Callback) -> Option<u32> {
        let one = &mut self.plugins[plugin];
        if one.dead.is_some() {
            return None;
        }
        self.shared.with(|state| {
            state.vm_entries += 1;
            state.plugins[plugin].enter(callback.context());
        });
        let result = one.vm.call(callback);
        if let Err(trap) = &result {
            let now = self.shared.with(|state| {
                let calls = state.recent_calls.iter().copied().collect::<Vec<_>>().join(", ");
                state.log.push(format!("the filter panicked in {}: {} (after the host calls: {calls})", callback.export().0, trap.0));
                state.now
            });
            one.dead = Some(now);
            self.shared.with(|state| std::mem::take(&mut state.plugins[plugin].deferred));
            return None;
        }
        let (deferred, calls, ticks) = self.shared.with(|state| {
            let plugin = &mut state.plugins[plugin];
            let ticks: Vec<_> = plugin.roots.iter().map(|(root, one)| (*root, one.tick)).collect();
            (std::mem::take(&mut plugin.deferred), std::mem::take(&mut state.new_calls), ticks)
        });
        for call in calls {
            self.send(call);
        }
        for (root, period) in ticks.into_iter().filter(|(_, period)| *period > 0) {
            let armed = |event: &Event| matches!(event, Event::Tick { plugin: of, root: other, period: same } if (*of, *other, *same) == (plugin, root, period));
            if !self.events.iter().any(|Reverse((_, _, event))| armed(event)) {
                self.schedule(Duration::from_millis(period.into()), Event::Tick { plugin, root, period });
            }
        }
        for action in deferred {
            self.perform(plugin, action);
        }
        result.ok()
    }

    fn perform(&mut self, plugin: usize, action: Deferred) {
        match action {
            Deferred::Continue { stream, direction } => self.continue_stream(stream, plugin, direction),
            Deferred::Reply { stream, response } => self.local_reply(stream, response),
            Deferred::Close { stream } => self.reset(stream),
        }
    }

    /// Makes a new VM in the place of a dead one, if it has been dead for long enough.
    fn revive(&mut self, plugin: usize) {
        let now = self.now();
        let one = &mut self.plugins[plugin];
        if one.dead.is_none_or(|died| now < died + RELOAD_AFTER) {
            return;
        }
        one.vm = (one.setup.start)(Calls::new(self.shared.clone(), plugin));
        one.dead = None;
        one.generation += 1;
        let fresh = PluginState::new(&one.setup.root_id, self.hold_headers, one.generation);
        self.shared.with(|state| state.plugins[plugin] = fresh);
        if self.configure(plugin).is_err() {
            self.plugins[plugin].dead = Some(now);
        }
    }

    fn schedule(&mut self, after: Duration, event: Event) {
        self.scheduled += 1;
        self.events.push(Reverse((self.now() + after, self.scheduled, event)));
    }

    /// Hands a call-out to its server, and schedules what comes back.
    fn send(&mut self, call: usize) {
        let (cluster, request, timeout) = self.shared.with(|state| {
            let call = &state.calls[call];
            (call.cluster.clone(), call.request.clone(), call.timeout)
        });
        let answer = self.served(&cluster, &request);
        let late = !timeout.is_zero() && answer.delay >= timeout;
        let (after, answer) = if late {
            let text = "upstream request timeout";
            let answer =
                Response::new(504).with_header("content-length", text.len().to_string()).with_header("content-type", "text/plain").with_body(text);
            (timeout, Some(answer))
        } else {
            (answer.delay, (!answer.cut_off).then_some(answer))
        };
        self.shared.with(|state| state.calls[call].answer = answer);
        self.schedule(after, Event::Call { call });
    }

    /// Asks a server, and notes that it was asked.
    fn served(&mut self, cluster: &str, request: &Request) -> Response {
        self.shared.with(|state| state.seen.entry(cluster.to_owned()).or_default().push(request.clone()));
        match self.clusters.get(cluster) {
            Some(Some(handler)) => handler(request),
            _ => Response::new(503).with_body("no healthy upstream"),
        }
    }

    /// Lets time pass until `done`, without waiting for it.
    pub(crate) fn run_until(&mut self, what: &str, done: impl Fn(&Self) -> bool) {
        while !done(self) {
            let Some(Reverse((time, _, event))) = self.events.pop() else {
                panic!("{what}: it never comes, and nothing else will happen\nthe log:\n{}", self.log().join("\n"));
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
            Event::RequestTimeout { stream } => self.request_timeout(stream),
            // While its period is the same, it comes again.
            Event::Tick { plugin, root, period } => {
                let same = self.shared.with(|state| state.plugins[plugin].roots.get(&root).is_some_and(|root| root.tick == period));
                if same && self.plugins[plugin].dead.is_none() {
                    self.call(plugin, Callback::Tick { root });
                }
            }
            Event::Call { call } => {
                let answer = self.shared.with(|state| {
                    let one = &state.calls[call];
                    let answer = one.answer.clone().map(|answer| (answer_headers(&answer), answer.message.body));
                    let (headers, body) = answer.unwrap_or_default();
                    let callback = Callback::CallResponse {
                        root: one.root,
                        token: one.token,
                        headers: headers.len() as u32,
                        body: body.len() as u32,
                        trailers: 0,
                    };
                    let plugin = one.plugin;
                    if one.vm != state.plugins[plugin].generation {
                        return None;
                    }
                    state.plugins[plugin].answer = Some((headers, body));
                    Some((plugin, callback))
                });
                // It was sent by a VM that has died since.
                let Some((plugin, callback)) = answer else { return };
                self.call(plugin, callback);
                self.shared.with(|state| state.plugins[plugin].answer = None);
            }
        }
    }

    fn now(&self) -> Duration {
        self.shared.with(|state| state.now)
    }

    /// What was logged.
    pub(crate) fn log(&self) -> Vec<String> {
        self.shared.with(|state| state.log.clone())
    }

    /// The value of a counter or gauge; zero if there is none.
    pub(crate) fn metric(&self, name: &str) -> u64 {
        self.shared.with(|state| state.values.get(name).copied().unwrap_or(0))
    }

    /// How often VMs were entered, and each host function was called.
    pub(crate) fn counts(&self) -> (u64, BTreeMap<&'static str, u64>) {
        self.shared.with(|state| (state.vm_entries, state.host_calls.clone()))
    }

    /// How many instructions modules have run.
    pub(crate) fn fuel(&self) -> u64 {
        self.shared.with(|state| state.fuel)
    }

    /// What a cluster's server saw.
    pub(crate) fn seen(&self, cluster: &str) -> Vec<Request> {
        self.shared.with(|state| state.seen.get(cluster).cloned().unwrap_or_default())
    }
}

fn answer_headers(answer: &Response) -> Headers {
    let mut headers = vec![(b":status".to_vec(), answer.status.to_string().into_bytes())];
    headers.extend(answer.message.headers.iter().map(|(name, value)| (name.clone().into_bytes(), value.clone())));
    headers
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
