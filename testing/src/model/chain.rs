//! A stream on its way through the filters, in both directions.
//!
//! A direction meets the filters by position: the request from the first to the last, the response from the last to the first. Behind the last position is the router for the
//! one and the client for the other.

mod answers;

use std::time::Duration;

use inproxy_envoy::FailurePolicy;

pub(crate) use self::answers::grpc_status;
use self::answers::local;
pub(super) use self::answers::routed;
use super::{
    Broken, Event, IDLE_TIMEOUT, Model, in_bytes, joined, message, routes,
    state::{ContextState, Headers, Reach, StreamState},
};
use crate::{
    message::{Request, Response},
    tls::{Client, Session},
    vm::Callback,
};

/// What a headers callback returns that lets them by, as Envoy reads it, and what stops only what follows. All else stops everything.
const CONTINUE: u32 = 0;
const STOP: u32 = 1;
const CONTINUE_AND_END: u32 = 2;

/// The two directions, as indices.
pub(crate) const REQUEST: usize = 0;
pub(crate) const RESPONSE: usize = 1;

/// What the model itself knows of a stream; what filters can reach is in [`StreamState`].
#[derive(Default)]
pub(crate) struct Stream {
    worker: usize,
    /// When something of it last came to a filter.
    active: Duration,
    /// Each filter's context, once it has one: the generation of its VM, and its id.
    contexts: Vec<Option<(u32, u32)>>,
    /// The filters that the request passes as if they were not there, since their VMs are dead.
    bypassed: Vec<bool>,
    /// How each filter holds each direction.
    holds: Vec<[Hold; 2]>,
    /// What came through to the router, and to the client.
    out: [Out; 2],
    /// The response is here: the upstream's, or a reply.
    answered: bool,
    /// All of the request has come.
    complete: bool,
    /// Nothing of the request goes on any more.
    aborted: bool,
    pub(crate) over: bool,
    pub(crate) reset: bool,
    /// What the upstream will say.
    answer: Option<Response>,
    /// So many bytes of the answer's body come only after this time.
    pause: Option<(usize, Duration)>,
    /// These.
    rest: Vec<u8>,
}

/// How a filter holds a direction.
#[derive(Clone, Copy, Debug, Default)]
struct Hold {
    stop: Stop,
    /// Headers wait at this filter, and whether they end the direction.
    headers: bool,
    /// The direction's end has come this far.
    end_of_stream: bool,
    trailers: bool,
    /// It is being resumed at its headers: what it holds again meanwhile, and lets go at the trailers, is lost.
    resuming: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stop {
    #[default]
    No,
    /// Later pieces are still shown.
    Single,
    /// Nothing more is shown.
    All,
}

/// The far end of a direction.
#[derive(Clone, Debug, Default)]
struct Out {
    headers: Option<Headers>,
    body: Vec<u8>,
    ended: bool,
    with_trailers: bool,
}

impl Stream {
    /// What came of it is not asked for any more.
    pub(super) fn forget(&mut self) {
        self.out = Default::default();
        self.answer = None;
    }
}

impl Model {
    /// A client connects, and opens a stream with these headers; `None` if it is not let in.
    pub(crate) fn open_from(&mut self, client: Option<&Client>, request: &Request, end_of_stream: bool) -> Option<usize> {
        let mut session = None;
        if let Some(client) = client {
            let resumed = self.sessions.contains(&client.sessions);
            session = Some(Session { resumed, ..self.shared.with(|state| state.around.tls.as_ref()?.session(client))? });
            if !resumed {
                self.sessions.push(client.sessions.clone());
            }
        }
        Some(self.open(session, request, end_of_stream))
    }

    pub(crate) fn has_tls(&self) -> bool {
        self.shared.with(|state| state.around.tls.is_some())
    }

    fn open(&mut self, session: Option<Session>, request: &Request, end_of_stream: bool) -> usize {
        let stream = self.streams.len();
        let filters = self.plugins.len();
        let mut headers: Headers = [(":authority", &request.authority), (":path", &request.path), (":method", &request.method)]
            .map(|(name, value)| (name.as_bytes().to_vec(), value.clone().into_bytes()))
            .into();
        let scheme = if session.is_some() { b"https".to_vec() } else { b"http".to_vec() };
        headers.push((b":scheme".to_vec(), scheme.clone()));
        for (name, value) in in_bytes(&request.message.headers) {
            joined::push_request(&mut headers, name, &value);
        }
        let own = [("x-forwarded-proto", scheme), ("x-request-id", format!("00000000-0000-4000-8000-{stream:012}").into_bytes())];
        for (name, value) in own {
            // What the client has written stays, as with `use_remote_address: false`.
            if !headers.iter().any(|(known, _)| known == name.as_bytes()) {
                headers.push((name.as_bytes().to_vec(), value));
            }
        }
        let started = self.now();
        // As with `use_remote_address: false`, which is Envoy's default: the last of the header.
        let forwarded = request.headers("x-forwarded-for").last().and_then(|all| all.rsplit(',').next()?.trim().parse().ok());
        let state = StreamState {
            started,
            tls: [session, None],
            forwarded_for: forwarded,
            headers: [headers, Headers::new()],
            reach: (0..filters).map(|_| Default::default()).collect(),
            ..StreamState::default()
        };
        let worker = self.least_busy();
        self.shared.with(|shared| {
            shared.streams.push(state);
            routes::choose(shared, stream);
        });
        self.streams.push(Stream {
            worker,
            contexts: vec![None; filters],
            bypassed: vec![false; filters],
            holds: vec![Default::default(); filters],
            complete: end_of_stream,
            ..Stream::default()
        });
        let timeout = self.shared.with(|state| state.around.request_timeout);
        self.schedule(timeout, Event::RequestTimeout { stream });
        self.schedule(IDLE_TIMEOUT, Event::IdleTimeout { stream });
        self.headers(stream, REQUEST, 0, end_of_stream);
        stream
    }

    /// A client sends a part of its body.
    pub(crate) fn send_body(&mut self, stream: usize, bytes: &[u8], end_of_stream: bool) {
        if !self.streams[stream].over {
            self.shared.with(|state| state.streams[stream].size[REQUEST] += bytes.len() as u64);
            self.streams[stream].complete |= end_of_stream;
            self.data(stream, REQUEST, 0, bytes.to_vec(), end_of_stream);
        }
    }

    /// A client sends its trailers, and ends.
    pub(crate) fn send_trailers(&mut self, stream: usize, trailers: &[(String, Vec<u8>)]) {
        if self.streams[stream].over {
            return;
        }
        let trailers = in_bytes(trailers);
        self.streams[stream].complete = true;
        self.shared.with(|state| state.streams[stream].trailers[REQUEST] = trailers);
        self.trailers(stream, REQUEST, 0);
    }

    /// The client leaves.
    pub(crate) fn leave(&mut self, stream: usize) {
        if !self.streams[stream].over {
            self.shared.with(|state| state.streams[stream].details = "downstream_remote_disconnect".to_owned());
        }
        self.finish(stream);
    }

    /// What has come back to the client, once it is over.
    pub(crate) fn response(&self, stream: usize) -> Option<Response> {
        let one = &self.streams[stream];
        if !one.over {
            return None;
        }
        let out = &one.out[RESPONSE];
        let headers = out.headers.clone().unwrap_or_default();
        let status = status_of(&headers).unwrap_or(0);
        let trailers = self.shared.with(|state| state.streams[stream].trailers[RESPONSE].clone());
        let mut message = message(&headers, out.body.clone(), &trailers);
        message.broken |= one.reset || !out.ended;
        Some(Response { message, ..Response::new(status) })
    }

    /// The filter at a position of a direction.
    fn filter_at(&self, direction: usize, position: usize) -> usize {
        if direction == REQUEST { position } else { self.chain - 1 - position }
    }

    /// The filter at a position, if the stream meets it: a request passes those that it bypasses, a response those that have not seen the request, or whose VM has died.
    fn meets(&self, stream: usize, direction: usize, position: usize) -> Option<usize> {
        let filter = self.filter_at(direction, position);
        let met = if direction == REQUEST { !self.streams[stream].bypassed[filter] } else { self.known(stream, filter).is_some() };
        met.then_some(filter)
    }

    /// Whether a direction cannot go on: what is called for it may have ended it.
    fn stopped(&self, stream: usize, direction: usize) -> bool {
        let one = &self.streams[stream];
        one.over || (direction == REQUEST && one.aborted)
    }

    fn reach<T>(&self, stream: usize, filter: usize, direction: usize, act: impl FnOnce(&mut Reach) -> T) -> T {
        self.shared.with(|state| act(&mut state.streams[stream].reach[filter][direction]))
    }

    /// The worker with the fewest streams; of several the one that had none for longest.
    fn least_busy(&self) -> usize {
        let busy = |worker: usize| self.streams.iter().filter(|stream| !stream.over && stream.worker == worker).count();
        let last = |worker: usize| self.streams.iter().rposition(|stream| stream.worker == worker);
        (0..self.workers).min_by_key(|worker| (busy(*worker), last(*worker))).unwrap_or(0)
    }

    /// The VM that a filter has for the stream, and its context there, if that VM is alive.
    fn known(&self, stream: usize, filter: usize) -> Option<(usize, u32)> {
        let (generation, context) = self.streams[stream].contexts[filter]?;
        let vm = self.vm_of(filter, self.streams[stream].worker);
        (!self.is_dead(vm) && self.generation(vm) == generation).then_some((vm, context))
    }

    /// The context of a filter, made when the request first meets it. `None` if its VM is dead.
    fn context(&mut self, stream: usize, filter: usize) -> Option<(usize, u32)> {
        if self.streams[stream].contexts[filter].is_some() {
            return self.known(stream, filter);
        }
        let vm = self.vm_of(filter, self.streams[stream].worker);
        let root = self.root(vm, filter)?;
        let context = self.new_context(vm);
        self.shared.with(|state| state.vms[vm].contexts.insert(context, ContextState { stream, root, filter }));
        self.streams[stream].contexts[filter] = Some((self.generation(vm), context));
        self.call(vm, Callback::ContextCreate { context, parent: root }).map(|_| (vm, context))
    }

    /// Whether a request whose headers come to a filter passes it as if it were not there.
    fn bypasses(&mut self, stream: usize, filter: usize) -> bool {
        let vm = self.vm_of(filter, self.streams[stream].worker);
        self.revive(vm);
        self.is_dead(vm) && self.shared.with(|state| state.around.failure_policy) == FailurePolicy::Open
    }

    /// A callback of a stream; `None` if the VM is dead, for which the stream is failed.
    fn ask(&mut self, stream: usize, filter: usize, callback: impl FnOnce(u32) -> Callback) -> Option<u32> {
        self.streams[stream].active = self.now();
        let action = self.context(stream, filter).and_then(|(vm, context)| self.call(vm, callback(context)));
        if action.is_none() && !self.streams[stream].over {
            self.streams[stream].aborted = true;
            self.local_reply(stream, local("wasm_fail_stream", 503, ""));
        }
        action
    }

    fn headers(&mut self, stream: usize, direction: usize, start: usize, end_of_stream: bool) {
        for position in start..self.chain {
            let Some(filter) = self.meets(stream, direction, position) else { continue };
            if direction == REQUEST && self.bypasses(stream, filter) {
                self.streams[stream].bypassed[filter] = true;
                continue;
            }
            self.reach(stream, filter, direction, |reach| reach.headers = true);
            let headers = self.shared.with(|state| state.streams[stream].headers[direction].len()) as u32;
            let action = self.ask(stream, filter, |context| match direction {
                REQUEST => Callback::RequestHeaders { context, headers, end_of_stream },
                _ => Callback::ResponseHeaders { context, headers, end_of_stream },
            });
            let Some(action) = action else { return };
            if self.stopped(stream, direction) {
                return;
            }
            if action != CONTINUE && action != CONTINUE_AND_END {
                let stop = if self.hold_headers && action == STOP { Stop::Single } else { Stop::All };
                self.streams[stream].holds[filter][direction] = Hold { stop, headers: true, end_of_stream, ..Hold::default() };
                return;
            }
            let stays = self.breaks(Broken::HeadersInTheBody);
            self.reach(stream, filter, direction, |reach| reach.headers = stays);
        }
        let headers = self.shared.with(|state| state.streams[stream].headers[direction].clone());
        self.streams[stream].out[direction].headers = Some(headers);
        if end_of_stream {
            self.ended(stream, direction);
        }
    }

    fn data(&mut self, stream: usize, direction: usize, start: usize, mut chunk: Vec<u8>, end_of_stream: bool) {
        for position in start..self.chain {
            if self.stopped(stream, direction) {
                return;
            }
            let Some(filter) = self.meets(stream, direction, position) else { continue };
            let hold = self.streams[stream].holds[filter][direction];
            let size = self.reach(stream, filter, direction, |reach| {
                reach.buffer.append(&mut chunk);
                reach.buffer.len()
            });
            if hold.stop == Stop::All {
                // Beyond the buffer's limit, the client has to wait.
                self.streams[stream].holds[filter][direction].end_of_stream |= end_of_stream;
                return;
            }
            self.reach(stream, filter, direction, |reach| {
                reach.body = true;
                reach.last = end_of_stream;
            });
            let pause = self.ask(stream, filter, |context| match direction {
                REQUEST => Callback::RequestBody { context, size: size as u32, end_of_stream },
                _ => Callback::ResponseBody { context, size: size as u32, end_of_stream },
            });
            let Some(pause) = pause.map(|action| action != CONTINUE) else { return };
            self.reach(stream, filter, direction, |reach| reach.last = false);
            if self.stopped(stream, direction) {
                return;
            }
            if pause {
                let hold = &mut self.streams[stream].holds[filter][direction];
                hold.stop = Stop::Single;
                hold.end_of_stream = end_of_stream;
                let size = self.reach(stream, filter, direction, |reach| reach.buffer.len());
                self.within_limit(stream, direction, size);
                return;
            }
            chunk = self.let_go(stream, direction, position);
            if end_of_stream && self.shared.with(|state| !state.streams[stream].trailers[direction].is_empty()) {
                // This filter has made trailers: they end the direction from here on.
                self.data(stream, direction, position + 1, chunk, false);
                self.trailers(stream, direction, position + 1);
                return;
            }
        }
        if !self.stopped(stream, direction) {
            if direction == RESPONSE {
                self.shared.with(|state| state.streams[stream].size[RESPONSE] += chunk.len() as u64);
            }
            self.streams[stream].out[direction].body.extend(chunk);
            if end_of_stream {
                self.ended(stream, direction);
            }
        }
    }

    fn trailers(&mut self, stream: usize, direction: usize, start: usize) {
        for position in start..self.chain {
            if self.stopped(stream, direction) {
                return;
            }
            let Some(filter) = self.meets(stream, direction, position) else { continue };
            if self.streams[stream].holds[filter][direction].stop == Stop::All {
                self.streams[stream].holds[filter][direction].trailers = true;
                return;
            }
            self.reach(stream, filter, direction, |reach| {
                reach.trailers = true;
                reach.body = !reach.buffer.is_empty();
            });
            let trailers = self.shared.with(|state| state.streams[stream].trailers[direction].len()) as u32;
            let pause = self.ask(stream, filter, |context| match direction {
                REQUEST => Callback::RequestTrailers { context, trailers },
                _ => Callback::ResponseTrailers { context, trailers },
            });
            let Some(pause) = pause.map(|action| action != CONTINUE) else { return };
            if self.stopped(stream, direction) {
                return;
            }
            let hold = &mut self.streams[stream].holds[filter][direction];
            if pause {
                hold.stop = Stop::Single;
                hold.trailers = true;
                return;
            }
            let lost = hold.resuming && hold.stop == Stop::Single;
            let chunk = self.let_go(stream, direction, position);
            self.reach(stream, filter, direction, |reach| reach.trailers = false);
            if !chunk.is_empty() && !lost {
                self.data(stream, direction, position + 1, chunk, false);
            }
        }
        if !self.stopped(stream, direction) {
            self.streams[stream].out[direction].with_trailers = true;
            self.ended(stream, direction);
        }
    }

    /// A callback that follows the headers has continued: what this filter held goes on. Returns the body that waited.
    fn let_go(&mut self, stream: usize, direction: usize, position: usize) -> Vec<u8> {
        let filter = self.filter_at(direction, position);
        let held = std::mem::take(&mut self.streams[stream].holds[filter][direction]);
        let body = self.reach(stream, filter, direction, |reach| {
            // Headers at which it has paused it can reach from then on, though they have gone on.
            reach.body = false;
            std::mem::take(&mut reach.buffer)
        });
        if held.headers {
            self.headers(stream, direction, position + 1, false);
        }
        body
    }

    /// A filter lets a direction go on, from outside of that direction's callbacks.
    pub(super) fn continue_stream(&mut self, stream: usize, filter: usize, direction: usize) {
        if self.stopped(stream, direction) {
            return;
        }
        // The same reckoning leads from a filter to its position.
        let position = self.filter_at(direction, filter);
        let held = std::mem::take(&mut self.streams[stream].holds[filter][direction]);
        if held.stop == Stop::No {
            let waits_for_upstream = self.shared.with(|state| state.streams[stream].upstream && !state.streams[stream].received);
            if direction == REQUEST && self.streams[stream].out[REQUEST].ended && waits_for_upstream {
                self.would_crash("proxy_continue_stream for a request that was not paused: it is sent to the upstream again");
            }
            return;
        }
        let body = self.reach(stream, filter, direction, |reach| {
            // A response that it has paused it can reach from then on.
            reach.headers &= direction == RESPONSE;
            reach.trailers &= direction == RESPONSE;
            reach.body = false;
            std::mem::take(&mut reach.buffer)
        });
        // Stopped for everything, it is shown what came meanwhile; else that goes on to the next.
        let from = if held.stop == Stop::All { position } else { position + 1 };
        let more = !body.is_empty() || held.trailers;
        if held.headers {
            self.headers(stream, direction, position + 1, held.end_of_stream && !more);
        }
        if held.end_of_stream && !more && held.headers {
            return;
        }
        if held.stop == Stop::All {
            self.streams[stream].holds[filter][direction].resuming = true;
        }
        if !body.is_empty() || held.end_of_stream {
            self.data(stream, direction, from, body, held.end_of_stream && !held.trailers);
        }
        if held.trailers {
            self.trailers(stream, direction, from);
        }
        self.streams[stream].holds[filter][direction].resuming = false;
    }
}

/// The status in a response's headers.
fn status_of(headers: &Headers) -> Option<u16> {
    let status = headers.iter().find(|(name, _)| name == b":status");
    status.and_then(|(_, value)| String::from_utf8_lossy(value).parse().ok())
}
