//! TCP connections on their way through the network filter, before the TCP proxy.
//!
//! What was measured of Envoy 1.40: a connection whose filter pauses at its beginning is not read from, and has no upstream. Else the TCP proxy connects first, and what the client has sent is shown after that. What is
//! paused of it stays in the buffer, which is shown whole with each part that comes, and is not read into beyond its limit. What the server sends and the filter pauses stays in its own buffer, which nothing but more of it
//! moves on; at the server's end it is lost. The callbacks at the end are close, done, log and delete.

use std::collections::VecDeque;

use inproxy_envoy::FailurePolicy;

use super::{
    Event, Model, UPSTREAM,
    chain::Stream,
    state::{ContextState, StreamState, Tcp},
};
use crate::{
    proxy::Serve,
    running::Access,
    tcp::{TcpSeen, TcpServer},
    vm::Callback,
};

/// How much is read at once.
const SLICE: usize = 16 * 1024;

/// Who has closed.
const LOCAL: u32 = 1;
const REMOTE: u32 = 2;

/// What the model itself knows of a connection; what filters can reach is in [`Tcp`].
pub(super) struct Connection {
    stream: usize,
    vm: usize,
    generation: u32,
    context: u32,
    /// The filter is not asked: its VM is dead, and that does not matter.
    bypassed: bool,
    /// The TCP proxy has it, and has connected to the server.
    open: bool,
    /// What the client has sent, and was not read.
    sent: Vec<u8>,
    finished: bool,
    /// The end of the client has come to the server.
    client_ended: bool,
    /// What the server has to say, and whether it ends with that.
    said: VecDeque<(Vec<u8>, bool)>,
    answers: usize,
    /// What has come to the client.
    received: Vec<u8>,
    /// Nothing more comes to the client.
    ended: bool,
    over: bool,
    seen: Option<usize>,
}

impl Model {
    /// A client connects.
    pub(crate) fn connect(&mut self) -> usize {
        let (stream, number) = (self.streams.len(), self.connections.len());
        let started = self.now();
        let reach = (0..self.plugins.len()).map(|_| Default::default()).collect();
        self.shared.with(|state| state.streams.push(StreamState { started, reach, tcp: Some(Tcp::default()), ..StreamState::default() }));
        // It is none of the HTTP streams.
        let mut none = Stream::default();
        none.over = true;
        self.streams.push(none);
        let vm = self.vm_of(0, number % self.workers);
        self.revive(vm);
        let context = self.new_context(vm);
        let dead = self.is_dead(vm);
        let bypassed = dead && self.shared.with(|state| state.around.failure_policy) == FailurePolicy::Open;
        self.connections.push(Connection {
            stream,
            vm,
            generation: self.generation(vm),
            context,
            bypassed,
            open: false,
            sent: Vec::new(),
            finished: false,
            client_ended: false,
            said: VecDeque::new(),
            answers: 0,
            received: Vec::new(),
            ended: false,
            over: false,
            seen: None,
        });
        if bypassed {
            self.open_connection(number);
        } else if let (false, Some(root)) = (dead, self.root(vm, 0)) {
            self.shared.with(|state| state.vms[vm].contexts.insert(context, ContextState { stream, root, filter: 0 }));
            self.call(vm, Callback::ContextCreate { context, parent: root });
            if self.ask_about(number, |context| Callback::NewConnection { context }) == Some(false) {
                self.open_connection(number);
            }
        } else {
            self.end_connection(number, LOCAL);
        }
        self.settle();
        number
    }

    pub(crate) fn client_sends(&mut self, number: usize, bytes: &[u8]) {
        self.connections[number].sent.extend(bytes);
        self.read_client(number);
        self.settle();
    }

    pub(crate) fn client_finishes(&mut self, number: usize) {
        self.connections[number].finished = true;
        self.read_client(number);
        self.settle();
    }

    pub(crate) fn client_leaves(&mut self, number: usize) {
        // Who does not read does not notice.
        if self.reads(number) {
            self.end_connection(number, REMOTE);
        }
        self.settle();
    }

    pub(crate) fn client_reads(&mut self, number: usize, size: usize) -> Vec<u8> {
        self.run_until("bytes from the server", |model| {
            let one = &model.connections[number];
            assert!(one.received.len() >= size || !one.ended, "{size} bytes were to come; what came: {:?}", String::from_utf8_lossy(&one.received));
            one.received.len() >= size
        });
        self.connections[number].received.drain(..size).collect()
    }

    pub(crate) fn client_reads_to_end(&mut self, number: usize) -> Vec<u8> {
        self.run_until("the end of the connection", |model| model.connections[number].ended);
        std::mem::take(&mut self.connections[number].received)
    }

    pub(crate) fn client_hears_nothing(&self, number: usize) -> bool {
        let one = &self.connections[number];
        one.received.is_empty() && !one.ended
    }

    /// What the server saw, by connection.
    pub(crate) fn tcp_seen(&self) -> Vec<TcpSeen> {
        self.tcp_seen.clone()
    }

    /// Lets happen what is due.
    fn settle(&mut self) {
        self.advance(std::time::Duration::ZERO);
    }

    fn tcp<T>(&self, number: usize, act: impl FnOnce(&mut Tcp) -> T) -> T {
        let stream = self.connections[number].stream;
        self.shared.with(|state| act(state.streams[stream].tcp.get_or_insert_default()))
    }

    /// A callback of a connection: whether it paused. `None` if the connection is over then, as it is when the VM has died.
    fn ask_about(&mut self, number: usize, callback: impl FnOnce(u32) -> Callback) -> Option<bool> {
        let one = &self.connections[number];
        let (vm, context, alive) = (one.vm, one.context, one.generation == self.generation(one.vm));
        let paused = if alive { self.call(vm, callback(context)) } else { None };
        match paused {
            Some(action) if !self.connections[number].over => Some(action != 0),
            Some(_) => None,
            None => {
                self.end_connection(number, LOCAL);
                None
            }
        }
    }

    /// The TCP proxy connects to the server.
    fn open_connection(&mut self, number: usize) {
        let one = &mut self.connections[number];
        if one.over || std::mem::replace(&mut one.open, true) {
            return;
        }
        let stream = one.stream;
        let Some(Serve::Tcp(server)) = self.clusters.get(UPSTREAM).cloned() else {
            self.end_connection(number, LOCAL);
            return;
        };
        self.tcp_seen.push(TcpSeen::default());
        self.connections[number].seen = Some(self.tcp_seen.len() - 1);
        self.shared.with(|state| state.streams[stream].upstream = true);
        self.say(number, server.greeting, false);
        self.read_client(number);
    }

    fn server(&self) -> Option<TcpServer> {
        match self.clusters.get(UPSTREAM) {
            Some(Serve::Tcp(server)) => Some(server.clone()),
            _ => None,
        }
    }

    fn say(&mut self, number: usize, bytes: Vec<u8>, end: bool) {
        if !bytes.is_empty() || end {
            self.connections[number].said.push_back((bytes, end));
            self.schedule(std::time::Duration::ZERO, Event::Server { connection: number });
        }
    }

    /// Whether the proxy reads from the client.
    fn reads(&self, number: usize) -> bool {
        let one = &self.connections[number];
        one.open && !one.over && self.tcp(number, |tcp| tcp.buffers[0].len()) < self.buffer_limit
    }

    /// Reads on where a filter has made place.
    pub(super) fn read_clients(&mut self) {
        for number in 0..self.connections.len() {
            self.read_client(number);
        }
    }

    fn read_client(&mut self, number: usize) {
        while self.reads(number) {
            let one = &mut self.connections[number];
            let size = one.sent.len().min(SLICE);
            let bytes: Vec<_> = one.sent.drain(..size).collect();
            let end = one.finished && one.sent.is_empty();
            if (bytes.is_empty() && !end) || self.tcp(number, |tcp| tcp.ended) {
                return;
            }
            let stream = one_stream(&self.connections[number]);
            self.shared.with(|state| state.streams[stream].size[0] += bytes.len() as u64);
            let total = self.tcp(number, |tcp| {
                tcp.buffers[0].extend(bytes);
                tcp.ended = end;
                tcp.reach[0] = true;
                tcp.buffers[0].len() as u32
            });
            if self.connections[number].bypassed {
                self.reach_server(number);
                continue;
            }
            match self.ask_about(number, |context| Callback::DownstreamData { context, size: total, end_of_stream: end }) {
                Some(true) => {}
                Some(false) => {
                    self.tcp(number, |tcp| tcp.reach[0] = false);
                    self.reach_server(number);
                }
                None => return,
            }
        }
    }

    /// What is in the client's buffer goes to the server.
    fn reach_server(&mut self, number: usize) {
        let (bytes, end) = self.tcp(number, |tcp| (std::mem::take(&mut tcp.buffers[0]), tcp.ended));
        let (Some(seen), Some(server)) = (self.connections[number].seen, self.server()) else { return };
        let end = end && !std::mem::replace(&mut self.connections[number].client_ended, end);
        self.tcp_seen[seen].bytes.extend(&bytes);
        self.tcp_seen[seen].ended |= end;
        let one = &mut self.connections[number];
        if !bytes.is_empty() && server.answers.is_none_or(|limit| one.answers < limit) {
            one.answers += 1;
            let last = server.answers == Some(one.answers);
            self.say(number, (server.answer)(&bytes), last);
        }
        if end && server.answers.is_none_or(|limit| self.connections[number].answers < limit) {
            self.say(number, server.farewell, true);
        }
        if end {
            self.end_if_both_have(number);
        }
    }

    /// The server's next word comes to the proxy.
    pub(super) fn server_speaks(&mut self, number: usize) {
        if self.connections[number].over {
            return;
        }
        let Some((bytes, end)) = self.connections[number].said.pop_front() else { return };
        // As two, unless the end is all that there is.
        if !bytes.is_empty() {
            self.show_server(number, bytes, false);
        }
        if end {
            self.show_server(number, Vec::new(), true);
        }
    }

    fn show_server(&mut self, number: usize, bytes: Vec<u8>, end: bool) {
        if self.connections[number].over {
            return;
        }
        let size = self.tcp(number, |tcp| {
            tcp.buffers[1].extend(bytes);
            tcp.reach[1] = true;
            tcp.buffers[1].len() as u32
        });
        let bypassed = self.connections[number].bypassed;
        let paused =
            if bypassed { Some(false) } else { self.ask_about(number, |context| Callback::UpstreamData { context, size, end_of_stream: end }) };
        let Some(paused) = paused else { return };
        if !paused {
            let bytes = self.tcp(number, |tcp| {
                tcp.reach[1] = false;
                std::mem::take(&mut tcp.buffers[1])
            });
            let stream = one_stream(&self.connections[number]);
            self.shared.with(|state| state.streams[stream].size[1] += bytes.len() as u64);
            self.connections[number].received.extend(bytes);
        }
        if end {
            if !bypassed {
                self.ask_about(number, |context| Callback::UpstreamClose { context, peer: 0 });
            }
            self.connections[number].ended = true;
            self.end_if_both_have(number);
        }
    }

    fn end_if_both_have(&mut self, number: usize) {
        let one = &self.connections[number];
        if one.ended && one.client_ended {
            self.end_connection(number, LOCAL);
        }
    }

    /// A filter lets its connection, or what the client has sent, go on.
    pub(super) fn resume_connection(&mut self, stream: usize) {
        let Some(number) = self.connections.iter().position(|one| one.stream == stream && !one.over) else { return };
        if self.connections[number].open {
            self.reach_server(number);
        } else {
            self.open_connection(number);
        }
    }

    /// A filter closes its connection.
    pub(super) fn close_connection(&mut self, stream: usize) {
        if let Some(number) = self.connections.iter().position(|one| one.stream == stream) {
            self.end_connection(number, LOCAL);
        }
    }

    fn end_connection(&mut self, number: usize, peer: u32) {
        let one = &mut self.connections[number];
        if std::mem::replace(&mut one.over, true) {
            return;
        }
        one.ended = true;
        let (stream, vm, context, seen) = (one.stream, one.vm, one.context, one.seen);
        let alive = one.generation == self.generation(vm);
        if let Some(seen) = seen {
            self.tcp_seen[seen].ended = true;
        }
        let known = alive && self.shared.with(|state| state.vms[vm].contexts.contains_key(&context));
        if known {
            self.call(vm, Callback::DownstreamClose { context, peer });
            self.call(vm, Callback::Done { context });
            self.call(vm, Callback::Log { context });
            self.call(vm, Callback::Delete { context });
            self.shared.with(|state| state.vms[vm].contexts.remove(&context));
            self.retire(vm);
        }
        self.tell_loggers(stream);
        self.shared.with(|state| {
            state.streams[stream].ended = Some(state.now);
            state.access_log.push(Access { status: 0, details: String::new() });
        });
    }
}

const fn one_stream(one: &Connection) -> usize {
    one.stream
}
