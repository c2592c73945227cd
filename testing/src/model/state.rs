//! What host calls read and change.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use inproxy::abi::Status;

use crate::message::{Request, Response};

pub(crate) type Headers = Vec<(Vec<u8>, Vec<u8>)>;

/// The state, shared by the model and the threads of native VMs. Only one of them acts at a time.
#[derive(Clone, Default)]
pub(crate) struct Shared(Arc<Mutex<State>>);

#[derive(Default)]
pub(crate) struct State {
    pub(crate) now: Duration,
    pub(crate) plugins: Vec<PluginState>,
    pub(crate) streams: Vec<StreamState>,
    pub(crate) log: Vec<String>,
    /// Names and kinds of metrics, by id.
    pub(crate) metrics: Vec<(u32, String)>,
    pub(crate) values: BTreeMap<String, u64>,
    /// Whether a cluster has endpoints.
    pub(crate) clusters: BTreeMap<String, bool>,
    pub(crate) calls: Vec<Call>,
    pub(crate) new_calls: Vec<usize>,
    pub(crate) seen: BTreeMap<String, Vec<Request>>,
    /// How often each host function was called, by its name in the ABI.
    pub(crate) host_calls: BTreeMap<&'static str, u64>,
    /// The last of them, the oldest first.
    pub(crate) recent_calls: VecDeque<&'static str>,
    /// How often a VM was entered.
    pub(crate) vm_entries: u64,
    /// How many instructions modules have run, as the engine counts them.
    pub(crate) fuel: u64,
    pub(crate) refusals: Vec<Refused>,
}

/// A host function that the test has refused.
#[derive(Clone, Debug)]
pub(crate) struct Refused {
    pub(crate) call: String,
    /// Its n-th call since the start, or each.
    pub(crate) nth: Option<u64>,
    pub(crate) status: Status,
}

/// One VM with its root context.
#[derive(Default)]
pub(crate) struct PluginState {
    pub(crate) root_id: String,
    /// The root contexts, each with its configuration and the period of its tick in milliseconds.
    pub(crate) roots: BTreeMap<u32, Root>,
    pub(crate) hold_headers: bool,
    /// How many VMs there were before this one.
    pub(crate) generation: u32,
    /// The context whose callback runs, and the one that calls act on.
    pub(crate) current: u32,
    pub(crate) effective: u32,
    /// The streams, by context id, each with its root context.
    pub(crate) contexts: BTreeMap<u32, (usize, u32)>,
    pub(crate) deferred: Vec<Deferred>,
    /// Headers and body of the call-out that is being answered.
    pub(crate) answer: Option<(Headers, Vec<u8>)>,
    pub(crate) tokens: u32,
    pub(crate) panic: Option<String>,
}

/// One configuration of a plugin.
#[derive(Clone, Default)]
pub(crate) struct Root {
    pub(crate) configuration: Vec<u8>,
    pub(crate) tick: u32,
}

/// What a filter asked for in a callback, and is done when that has returned.
pub(crate) enum Deferred {
    Continue { stream: usize, direction: usize },
    Reply { stream: usize, response: Response },
    Close { stream: usize },
}

/// A call-out.
pub(crate) struct Call {
    pub(crate) plugin: usize,
    /// The generation of the VM that sent it, and the root context that it belongs to.
    pub(crate) vm: u32,
    pub(crate) root: u32,
    pub(crate) token: u32,
    pub(crate) cluster: String,
    pub(crate) request: Request,
    pub(crate) timeout: Duration,
    pub(crate) answer: Option<Response>,
}

/// A stream, as host calls see it. Directions are 0 for the request, 1 for the response.
#[derive(Default)]
pub(crate) struct StreamState {
    pub(crate) headers: [Headers; 2],
    pub(crate) trailers: [Headers; 2],
    /// What each filter can reach, by its place in the chain.
    pub(crate) reach: Vec<[Reach; 2]>,
    /// All is over: headers can be read once more.
    pub(crate) logging: bool,
}

/// What a filter can reach of one direction now.
#[derive(Default)]
pub(crate) struct Reach {
    pub(crate) headers: bool,
    pub(crate) trailers: bool,
    pub(crate) body: bool,
    /// The part of the body that waits at this filter.
    pub(crate) buffer: Vec<u8>,
}

// === impl Shared ===

impl Shared {
    pub(crate) fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

// === impl PluginState ===

impl PluginState {
    pub(crate) fn new(root_id: &str, hold_headers: bool, generation: u32) -> Self {
        Self { root_id: root_id.to_owned(), hold_headers, generation, ..Self::default() }
    }

    /// The root context that a context belongs to; itself, if it is one.
    pub(crate) fn root_of(&self, context: u32) -> u32 {
        self.contexts.get(&context).map_or(context, |(_, root)| *root)
    }

    /// A callback of this context begins.
    pub(crate) fn enter(&mut self, context: u32) {
        self.current = context;
        self.effective = context;
    }
}
