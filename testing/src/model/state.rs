//! What host calls read and change.

use std::{
    collections::{BTreeMap, VecDeque},
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use super::{
    broken::Broken,
    calls::Refusing,
    grpc::GrpcEvent,
    shared::{Queues, SharedData},
    value::Value,
};
use crate::{
    grpc::GrpcCall,
    message::{Request, Response},
    proxy::Around,
    running::{Access, Costs, LogLevel, LogLine},
    tls::Session,
    trace::Recordings,
    vm::Callback,
};

pub(crate) type Headers = Vec<(Vec<u8>, Vec<u8>)>;

/// The state, shared by the model and the threads of native VMs. Only one of them acts at a time.
#[derive(Clone)]
pub(crate) struct Shared(Arc<Mutex<State>>);

#[derive(Default)]
pub(crate) struct State {
    /// How often random numbers were asked for.
    pub(crate) random: u64,
    pub(crate) now: Duration,
    pub(crate) around: Around,
    pub(crate) hold_headers: bool,
    /// The root id of each filter of the chain.
    pub(crate) root_ids: Vec<String>,
    pub(crate) vms: Vec<VmState>,
    pub(crate) streams: Vec<StreamState>,
    pub(crate) log: Vec<LogLine>,
    /// Which uses of `proxy_set_effective_context` on workers were the dispatcher's.
    pub(crate) routed: Vec<u64>,
    /// Names and kinds of metrics, by id.
    pub(crate) metrics: Vec<(u32, String)>,
    /// The values of counters and gauges, by kind and name.
    pub(crate) values: BTreeMap<(u32, String), u64>,
    pub(crate) samples: BTreeMap<String, Vec<u64>>,
    /// Whether a cluster has endpoints.
    pub(crate) clusters: BTreeMap<String, bool>,
    pub(crate) calls: Vec<Call>,
    pub(crate) new_calls: Vec<usize>,
    pub(crate) grpc: Vec<GrpcState>,
    /// What VMs have sent on gRPC calls, and the model has not delivered.
    pub(crate) grpc_sent: Vec<GrpcSent>,
    pub(crate) seen: BTreeMap<String, Vec<Request>>,
    pub(crate) grpc_seen: BTreeMap<String, Vec<usize>>,
    pub(crate) shared_data: SharedData,
    pub(crate) queues: Queues,
    /// Who is to hear of which queue.
    pub(crate) queued: Vec<((usize, u32), u32)>,
    /// Callbacks that Envoy makes within a host call.
    pub(crate) reentrant: Vec<Callback>,
    pub(crate) access_log: Vec<Access>,
    pub(crate) costs: Costs,
    /// What workers and modules have called of each other, if it is kept.
    pub(crate) recordings: Recordings,
    pub(crate) refusing: Refusing,
    /// Why the real Envoy would have crashed, if it would.
    pub(crate) crash: Option<String>,
}

/// On which thread of the proxy a VM runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Thread {
    /// Made to try a configuration, and thrown away.
    #[default]
    Canary,
    /// The main thread: it has no streams.
    Main,
    /// A worker.
    Worker(u32),
}

/// One VM with its root contexts.
#[derive(Default)]
pub(crate) struct VmState {
    pub(crate) thread: Thread,
    /// The root contexts: one for each configuration of each filter that it has.
    pub(crate) roots: BTreeMap<u32, Root>,
    /// How many VMs there were in this place before this one.
    pub(crate) generation: u32,
    /// The context whose callback runs, the one that calls act on, and the callback's name.
    pub(crate) current: u32,
    pub(crate) effective: u32,
    pub(crate) callback: &'static str,
    /// The last host calls, the oldest first.
    pub(crate) recent_calls: VecDeque<&'static str>,
    /// The contexts of streams.
    pub(crate) contexts: BTreeMap<u32, ContextState>,
    pub(crate) deferred: Vec<Deferred>,
    /// A callback has just begun that the dispatcher routes to the context that waits for it.
    pub(crate) routes: bool,
    /// A tick was ever set.
    pub(crate) ticks: bool,
    /// Headers, body and trailers of the call-out that is being answered.
    pub(crate) answer: Option<(Headers, Vec<u8>, Headers)>,
    /// What the gRPC event brings that is being delivered.
    pub(crate) grpc_metadata: [Option<Headers>; 2],
    pub(crate) grpc_message: Option<Vec<u8>>,
    /// The last tokens of HTTP calls, gRPC calls and gRPC streams.
    pub(crate) tokens: [u32; 3],
    /// By root context.
    pub(crate) expressions: BTreeMap<u32, Vec<Option<String>>>,
    /// What was declared of properties, by the context that has.
    pub(crate) declared: BTreeMap<(u32, Vec<u8>), Declared>,
    pub(crate) panic: Option<String>,
}

/// What a property was declared to be.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Declared {
    pub(crate) readonly: bool,
    /// A protobuf `Struct`, whose fields can be read.
    pub(crate) has_fields: bool,
}

/// The context of a stream at a filter.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ContextState {
    pub(crate) stream: usize,
    pub(crate) root: u32,
    pub(crate) filter: usize,
}

/// One configuration of a filter.
#[derive(Clone, Default)]
pub(crate) struct Root {
    pub(crate) filter: usize,
    pub(crate) configuration: Vec<u8>,
    /// The period of its tick in milliseconds, and how often that was set: each time the timer begins anew.
    pub(crate) tick: (u32, u32),
    /// What `proxy_get_status` says.
    pub(crate) status: (u32, Vec<u8>),
    /// When its listener has drained, once it is not for new streams.
    pub(crate) drained: Option<Duration>,
    /// It answered `on_done` with "not yet".
    pub(crate) ending: bool,
}

/// What a filter asked for in a callback, and is done when that has returned.
pub(crate) enum Deferred {
    Continue { stream: usize, filter: usize, direction: usize },
    Reply { stream: usize, response: Response },
    Close { stream: usize },
    Resume { connection: usize },
    CloseConnection { connection: usize },
    Done { root: u32 },
}

/// An HTTP call-out.
pub(crate) struct Call {
    pub(crate) from: Caller,
    pub(crate) cluster: String,
    pub(crate) request: Request,
    pub(crate) timeout: Duration,
    pub(crate) answer: Option<Response>,
}

/// Who made a call-out, and gets what comes of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Caller {
    pub(crate) vm: usize,
    /// Which of the VMs that were in this place.
    pub(crate) generation: u32,
    pub(crate) root: u32,
    pub(crate) token: u32,
}

/// A gRPC call or stream.
pub(crate) struct GrpcState {
    pub(crate) from: Caller,
    pub(crate) unary: bool,
    pub(crate) cluster: String,
    pub(crate) call: GrpcCall,
    pub(crate) timeout: Option<Duration>,
    /// Nothing comes of it any more.
    pub(crate) closed: bool,
    /// The service has sent its initial metadata.
    pub(crate) opened: bool,
}

/// What a VM has done with a gRPC call.
pub(crate) enum GrpcSent {
    Open(usize),
    Message {
        call: usize,
        message: Vec<u8>,
        end: bool,
    },
    End(usize),
    /// It never was: this comes of it all the same.
    Failed {
        call: usize,
        event: GrpcEvent,
    },
}

/// A stream, as host calls see it. Directions are 0 for the request, 1 for the response.
#[derive(Default)]
pub(crate) struct StreamState {
    pub(crate) headers: [Headers; 2],
    pub(crate) trailers: [Headers; 2],
    /// The client's TLS, and that with the upstream, once there is a connection.
    pub(crate) tls: [Option<Session>; 2],
    /// The client, as a proxy before this one says.
    pub(crate) forwarded_for: Option<IpAddr>,
    /// How many bytes of body came from the client, and went to it.
    pub(crate) size: [u64; 2],
    /// What each filter can reach, by its place in the chain.
    pub(crate) reach: Vec<[Reach; 2]>,
    /// All is over: headers can be read once more.
    pub(crate) logging: bool,
    pub(crate) started: Duration,
    pub(crate) ended: Option<Duration>,
    /// The response has begun: its status.
    pub(crate) status: Option<u16>,
    pub(crate) details: String,
    /// They are those of a local reply, which may have none.
    pub(crate) replied: bool,
    pub(crate) upstream: bool,
    /// Why there is no connection to it.
    pub(crate) transport_failure: &'static str,
    /// All of the upstream's response has come.
    pub(crate) received: bool,
    pub(crate) filter_state: BTreeMap<Vec<u8>, Vec<u8>>,
    /// Those whose bytes are a protobuf `Struct`.
    pub(crate) structs: BTreeMap<Vec<u8>, Value>,
    /// Typed filter state that Envoy itself reads, and how long it lives.
    pub(crate) envoy_state: BTreeMap<String, (Value, i32)>,
    /// Its place among the routes.
    pub(crate) route: usize,
    /// A filter has had it forgotten.
    pub(crate) route_cleared: bool,
    /// It is none, but a TCP connection.
    pub(crate) tcp: Option<Tcp>,
}

/// What a network filter can reach of a connection. Directions are 0 for what the client sends, 1 for what the server sends.
#[derive(Default)]
pub(crate) struct Tcp {
    pub(crate) buffers: [Vec<u8>; 2],
    /// Whether the filter has been shown the buffer, and has not let it go.
    pub(crate) reach: [bool; 2],
    /// All of the client's is in the buffer.
    pub(crate) ended: bool,
}

impl StreamState {
    /// What came of it is not asked for any more.
    pub(crate) fn forget(&mut self) {
        *self = Self { ended: self.ended, reach: std::mem::take(&mut self.reach), tcp: self.tcp.take(), ..Self::default() };
    }
}

/// What a filter can reach of one direction now.
#[derive(Default)]
pub(crate) struct Reach {
    pub(crate) headers: bool,
    pub(crate) trailers: bool,
    pub(crate) body: bool,
    /// All of the body has come.
    pub(crate) last: bool,
    /// The part of the body that waits at this filter.
    pub(crate) buffer: Vec<u8>,
}

// === impl Shared ===

impl Shared {
    pub(crate) fn new(state: State) -> Self {
        Self(Arc::new(Mutex::new(state)))
    }

    pub(crate) fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

// === impl State ===

impl State {
    /// Whether a rule is broken on purpose.
    pub(crate) fn breaks(&self, rule: Broken) -> bool {
        self.around.broken == Some(rule)
    }

    pub(crate) fn log(&mut self, level: LogLevel, text: impl Into<String>) {
        self.log.push(LogLine { level, text: text.into() });
    }

    pub(crate) fn log_text(&self) -> String {
        self.log.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    }
}

// === impl VmState ===

impl VmState {
    pub(crate) fn new(thread: Thread, generation: u32) -> Self {
        Self { thread, generation, ..Self::default() }
    }

    /// The root context that a context belongs to; itself, if it is one.
    pub(crate) fn root_of(&self, context: u32) -> u32 {
        self.contexts.get(&context).map_or(context, |context| context.root)
    }

    /// The filter that a context belongs to.
    pub(crate) fn filter_of(&self, context: u32) -> Option<usize> {
        self.roots.get(&self.root_of(context)).map(|root| root.filter)
    }

    /// The root context that is current, or that the current stream belongs to.
    pub(crate) fn caller(&self, vm: usize, token: u32) -> Caller {
        Caller { vm, generation: self.generation, root: self.root_of(self.effective), token }
    }

    /// A new token: 0 for an HTTP call, 1 for a gRPC call, 2 for a gRPC stream. They are told apart by their low bits.
    pub(crate) fn token(&mut self, kind: usize) -> u32 {
        self.tokens[kind] += 4;
        self.tokens[kind] + kind as u32
    }

    /// A callback of this context begins.
    pub(crate) fn enter(&mut self, context: u32, callback: &'static str) {
        self.current = context;
        self.effective = context;
        self.callback = callback;
        self.routes = callback == "proxy_on_http_call_response" || callback.starts_with("proxy_on_grpc_");
    }
}
