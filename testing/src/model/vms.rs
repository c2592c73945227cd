//! The VMs of the proxy's threads, and the root contexts in them.

use std::time::Duration;

use inproxy::__private::Kind;
use inproxy_envoy::FailurePolicy;

use super::{
    Calls, Event, Model, PluginSetup, StartVm,
    chain::{REQUEST, RESPONSE},
    state::{Deferred, Root, Thread, VmState},
};
use crate::{
    running::LogLevel,
    vm::{Callback, Vm},
};

/// How long Envoy waits until it makes a new VM, under [`FailurePolicy::Reload`].
const RELOAD_AFTER: Duration = Duration::from_secs(1);

/// How long a listener drains that has got a new configuration: `--drain-time-s`.
const DRAIN: Duration = Duration::from_secs(1);

/// One filter of the chain, or what is beside it.
pub(super) struct Plugin {
    pub(super) kind: Kind,
    /// The first VM of its module: the canary; behind it the main thread's and the workers'.
    vms: usize,
    pub(super) configuration: Vec<u8>,
    root_id: String,
}

/// A place for a VM on one thread.
pub(super) struct VmSlot {
    thread: Thread,
    start: StartVm,
    vm: Option<Box<dyn Vm>>,
    /// When it died.
    dead: Option<Duration>,
    pub(super) generation: u32,
    next_context: u32,
    /// The root context of new streams, for each filter that has one here.
    roots: Vec<(usize, u32)>,
}

// === impl VmSlot ===

impl VmSlot {
    pub(super) fn memory(&self) -> u64 {
        self.vm.as_ref().map_or(0, |vm| vm.memory())
    }

    pub(super) fn is_worker(&self) -> bool {
        matches!(self.thread, Thread::Worker(_))
    }

    fn root(&self, plugin: usize) -> Option<u32> {
        self.roots.iter().find(|(of, _)| *of == plugin).map(|(_, root)| *root)
    }
}

impl Model {
    /// Makes places for the VMs of all modules.
    pub(super) fn place(&mut self, plugins: Vec<PluginSetup>) {
        let mut modules: Vec<(&str, usize)> = Vec::new();
        for PluginSetup { kind, root_id, module, configuration, start } in plugins {
            let placed = modules.iter().find(|(other, _)| *other == module).map(|(_, vms)| *vms);
            let vms = placed.unwrap_or_else(|| {
                let vms = self.vms.len();
                modules.push((module, vms));
                let threads = [Thread::Canary, Thread::Main].into_iter().chain((0..self.workers as u32).map(Thread::Worker));
                for thread in threads {
                    let start = start.clone();
                    self.vms.push(VmSlot { thread, start, vm: None, dead: None, generation: 0, next_context: 1, roots: Vec::new() });
                    self.shared.with(|state| state.vms.push(VmState::new(thread, 0)));
                }
                vms
            });
            self.plugins.push(Plugin { kind, vms, configuration, root_id });
        }
    }

    /// The VM in which a worker runs a filter.
    pub(super) fn vm_of(&self, filter: usize, worker: usize) -> usize {
        self.plugins[filter].vms + 2 + worker
    }

    /// Has a filter take a configuration: first a canary, then the main thread's VM and the workers'. A service is on the main thread only.
    pub(super) fn configure(&mut self, plugin: usize, configuration: &[u8]) -> Result<(), String> {
        let first = self.plugins[plugin].vms;
        self.restart(first);
        let tried = self.add_root(first, plugin, configuration);
        self.vms[first].vm = None;
        self.shared.with(|state| state.vms[first].roots.clear());
        tried?;
        let workers = if self.plugins[plugin].kind == Kind::Service { 0 } else { self.workers };
        for vm in first + 1..first + 2 + workers {
            if self.vms[vm].vm.is_none() {
                self.restart(vm);
            }
            self.add_root(vm, plugin, configuration)?;
        }
        Ok(())
    }

    /// Puts a new VM in a place.
    fn restart(&mut self, vm: usize) {
        let slot = &mut self.vms[vm];
        let again = slot.vm.is_some() || slot.dead.is_some() || slot.thread == Thread::Canary;
        slot.generation += u32::from(again);
        slot.dead = None;
        slot.next_context = 1;
        slot.roots.clear();
        // It may still ask what it has left.
        slot.vm = None;
        let fresh = VmState::new(slot.thread, slot.generation);
        self.shared.with(|state| state.vms[vm] = fresh);
        let calls = Calls::new(self.shared.clone(), vm);
        self.vms[vm].vm = Some((self.vms[vm].start)(calls));
        self.call(vm, Callback::Initialize);
    }

    /// Makes a root context with a configuration. Streams that there are keep theirs.
    fn add_root(&mut self, vm: usize, plugin: usize, configuration: &[u8]) -> Result<(), String> {
        let root = self.new_context(vm);
        let size = configuration.len() as u32;
        let state = Root { filter: plugin, configuration: configuration.to_vec(), ..Root::default() };
        self.shared.with(|shared| shared.vms[vm].roots.insert(root, state));
        let accepted = self.call(vm, Callback::ContextCreate { context: root, parent: 0 }).is_some()
            && self.call(vm, Callback::VmStart { root }).is_some_and(|accepted| accepted != 0)
            && self.call(vm, Callback::Configure { root, size }).is_some_and(|accepted| accepted != 0);
        if !accepted {
            if self.vms[vm].thread != Thread::Canary {
                self.shared.with(|state| state.vms[vm].roots.remove(&root));
            }
            return Err(format!("the filter {:?} refused its configuration", self.plugins[plugin].root_id));
        }
        let slot = &mut self.vms[vm];
        let before = slot.root(plugin);
        slot.roots.retain(|(of, _)| *of != plugin);
        slot.roots.push((plugin, root));
        if let Some(before) = before {
            let drained = self.now() + DRAIN;
            self.shared.with(|state| {
                if let Some(root) = state.vms[vm].roots.get_mut(&before) {
                    root.drained = Some(drained);
                }
            });
            self.schedule(DRAIN, Event::Drained { vm, generation: self.generation(vm) });
        }
        Ok(())
    }

    /// The id of a context that is to be made.
    pub(super) fn new_context(&mut self, vm: usize) -> u32 {
        let slot = &mut self.vms[vm];
        slot.next_context += 1;
        slot.next_context - 1
    }

    /// The root context of new streams of a filter.
    pub(super) fn root(&self, vm: usize, plugin: usize) -> Option<u32> {
        self.vms[vm].root(plugin)
    }

    /// Whether a VM is the one of that generation, lives, and has this root context.
    pub(super) fn has_root(&self, vm: usize, generation: u32, root: u32) -> bool {
        let slot = &self.vms[vm];
        slot.vm.is_some() && slot.dead.is_none() && slot.generation == generation && self.shared.with(|state| state.vms[vm].roots.contains_key(&root))
    }

    pub(super) fn is_dead(&self, vm: usize) -> bool {
        self.vms[vm].dead.is_some()
    }

    pub(super) fn generation(&self, vm: usize) -> u32 {
        self.vms[vm].generation
    }

    /// Ends the root contexts that are not for new streams, whose listener has drained, and that have no streams left.
    pub(super) fn retire(&mut self, vm: usize) {
        let now = self.now();
        let idle: Vec<_> = self.shared.with(|state| {
            let vm = &state.vms[vm];
            let used = |root: u32| vm.contexts.values().any(|context| context.root == root);
            let idle = vm.roots.iter().filter(|(root, one)| !one.ending && one.drained.is_some_and(|drained| drained <= now) && !used(**root));
            idle.map(|(root, _)| *root).collect()
        });
        for root in idle {
            match self.call(vm, Callback::Done { context: root }) {
                Some(0) if self.vms[vm].vm.as_ref().is_some_and(|one| one.has(Callback::Done { context: root })) => self.shared.with(|state| {
                    if let Some(root) = state.vms[vm].roots.get_mut(&root) {
                        root.ending = true;
                    }
                }),
                _ => self.delete_root(vm, root),
            }
        }
    }

    fn delete_root(&mut self, vm: usize, root: u32) {
        self.call(vm, Callback::Delete { context: root });
        self.shared.with(|state| state.vms[vm].roots.remove(&root));
    }

    /// Calls a VM, then does what it asked for meanwhile. `None` if it is dead, or has just died.
    pub(super) fn call(&mut self, vm: usize, callback: Callback) -> Option<u32> {
        if self.vms[vm].dead.is_some() {
            return None;
        }
        let (export, _) = callback.export();
        let entered = self.vms[vm].vm.as_ref().is_some_and(|vm| vm.has(callback));
        self.shared.with(|state| {
            if entered && matches!(state.vms[vm].thread, Thread::Worker(_)) {
                state.costs.vm_entries += 1;
            }
            state.vms[vm].enter(callback.context(), export);
        });
        let result = self.vms[vm].vm.as_mut()?.call(callback);
        if let Ok(action) = result {
            self.twice(vm, callback, action);
        }
        if let Some(crash) = self.shared.with(|state| state.crash.take()) {
            self.would_crash(&crash);
        }
        if let Err(trap) = &result {
            let now = self.shared.with(|state| {
                let calls = state.vms[vm].recent_calls.iter().copied().collect::<Vec<_>>().join(", ");
                state.log(LogLevel::Critical, format!("the filter panicked in {export}: {} (after the host calls: {calls})", trap.0));
                state.vms[vm].deferred.clear();
                state.now
            });
            self.vms[vm].dead = Some(now);
            self.cancel_calls();
            return None;
        }
        let (deferred, ticks) = self.shared.with(|state| {
            let vm = &mut state.vms[vm];
            let ticking = vm.roots.iter().filter(|(_, one)| one.tick.0 > 0).map(|(root, one)| (*root, one.tick));
            let ticks: Vec<_> = if vm.ticks { ticking.collect() } else { Vec::new() };
            (std::mem::take(&mut vm.deferred), ticks)
        });
        if self.vms[vm].thread == Thread::Canary {
            self.cancel_calls();
            return result.ok();
        }
        self.send_all();
        let generation = self.vms[vm].generation;
        for (root, (period, set)) in ticks {
            let tick = Event::Tick { vm, generation, root, set };
            if self.ticks.insert(tick) {
                self.schedule(Duration::from_millis(period.into()), tick);
            }
        }
        for action in in_order(deferred) {
            self.perform(vm, action);
        }
        result.ok()
    }

    /// Fails the test.
    pub(super) fn would_crash(&self, why: &str) -> ! {
        panic!("the real Envoy 1.40 would have crashed, or done worse: {why}\nthe log:\n{}", self.log_text());
    }

    /// A callback steers its own stream by what it returns. By a call as well, or instead, does harm.
    fn twice(&self, vm: usize, callback: Callback, action: u32) {
        let (direction, context) = match callback {
            Callback::RequestHeaders { context, .. } => (REQUEST, context),
            Callback::ResponseHeaders { context, .. } | Callback::ResponseTrailers { context, .. } => (RESPONSE, context),
            _ => return,
        };
        let trailers = matches!(callback, Callback::ResponseTrailers { .. });
        let ends = matches!(callback, Callback::RequestHeaders { end_of_stream: true, .. } | Callback::ResponseHeaders { end_of_stream: true, .. });
        self.shared.with(|state| {
            let one = &state.vms[vm];
            let Some(stream) = one.contexts.get(&context).map(|context| context.stream) else { return };
            let callback = one.callback;
            let harm = one.deferred.iter().find_map(|deferred| match deferred {
                Deferred::Continue { stream: of, direction: to, .. } if (*of, *to) == (stream, direction) => match (action, trailers) {
                    (0, false) => Some(format!("proxy_continue_stream in {callback}, which then returned Continue: what it shows goes on twice")),
                    (0, true) => Some(format!("proxy_continue_stream in {callback}, which then returned Continue: Envoy dies of SIGSEGV")),
                    (_, false) if !ends => {
                        Some(format!("proxy_continue_stream in {callback}, which then returned Pause: the body is lost, and the stream hangs"))
                    }
                    _ => None,
                },
                Deferred::Close { stream: of } if *of == stream && trailers && action == 0 => {
                    Some(format!("proxy_close_stream in {callback}, which then returned Continue: Envoy dies of SIGSEGV"))
                }
                _ => None,
            });
            if harm.is_some() {
                state.crash = harm;
            }
        });
    }

    fn perform(&mut self, vm: usize, action: Deferred) {
        match action {
            Deferred::Continue { stream, filter, direction } => self.continue_stream(stream, filter, direction),
            Deferred::Reply { stream, response } => self.local_reply(stream, response),
            Deferred::Resume { connection } => self.resume_connection(connection),
            Deferred::CloseConnection { connection } => self.close_connection(connection),
            Deferred::Close { stream } => {
                // What a response has said of itself stays.
                let details = self.shared.with(|state| state.streams[stream].details.clone());
                self.reset(stream, if details.is_empty() { "wasm_close_stream" } else { &details });
            }
            Deferred::Done { root } => self.delete_root(vm, root),
        }
    }

    /// Makes a new VM in the place of a dead one, if the policy says so and it has been dead for long enough.
    pub(super) fn revive(&mut self, vm: usize) {
        let (now, policy) = self.shared.with(|state| (state.now, state.around.failure_policy));
        let late = self.vms[vm].dead.is_some_and(|died| now >= died + RELOAD_AFTER);
        if !late || policy != FailurePolicy::Reload {
            return;
        }
        let plugins: Vec<_> = self.vms[vm].roots.iter().map(|(plugin, _)| *plugin).collect();
        self.restart(vm);
        for plugin in plugins {
            let configuration = self.plugins[plugin].configuration.clone();
            if self.add_root(vm, plugin, &configuration).is_err() {
                self.vms[vm].dead = Some(now);
                self.vms[vm].roots.push((plugin, 0));
            }
        }
    }
}

/// What a callback has asked for. Of several replies the first is sent, with the details of the last.
fn in_order(mut deferred: Vec<Deferred>) -> Vec<Deferred> {
    let details = |action: &Deferred| if let Deferred::Reply { response, .. } = action { Some(response.details.clone()) } else { None };
    if let Some(last) = deferred.iter().rev().find_map(details)
        && let Some(Deferred::Reply { response, .. }) = deferred.iter_mut().find(|action| matches!(action, Deferred::Reply { .. }))
    {
        response.details = last;
    }
    deferred
}
