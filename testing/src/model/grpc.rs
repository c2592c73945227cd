//! gRPC calls and streams: what Envoy makes of what VMs send, and of what services answer.

use std::time::Duration;

use inproxy::abi::Status;
use prost::Message;

use super::{
    Event, Model,
    state::{Caller, GrpcSent, GrpcState, Headers, State},
};
use crate::{
    grpc::{GrpcCall, GrpcReply},
    proxy::Serve,
    vm::Callback,
};

/// What comes to a VM of a gRPC call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum GrpcEvent {
    InitialMetadata(Headers),
    Message(Vec<u8>),
    TrailingMetadata(Headers),
    Close(u32, String),
}

/// `envoy.config.core.v3.GrpcService`, as far as a filter sets it.
#[derive(Clone, PartialEq, Message)]
struct GrpcService {
    #[prost(message, optional, tag = "1")]
    envoy_grpc: Option<EnvoyGrpc>,
}

#[derive(Clone, PartialEq, Message)]
struct EnvoyGrpc {
    #[prost(string, tag = "1")]
    cluster_name: String,
}

/// gRPC's own name for a service that cannot be reached.
const UNAVAILABLE: u32 = 14;

/// What a VM wants to call.
pub(crate) struct Opened<'a> {
    pub(crate) upstream: &'a [u8],
    pub(crate) service: &'a [u8],
    pub(crate) method: &'a [u8],
    pub(crate) metadata: Headers,
    /// The only message, and the timeout in milliseconds, of a unary call.
    pub(crate) unary: Option<(&'a [u8], u32)>,
}

/// `proxy_grpc_call` and `proxy_grpc_stream`.
pub(crate) fn open(state: &mut State, vm: usize, opened: Opened<'_>) -> Result<u32, Status> {
    let (cluster, by_name) = match GrpcService::decode(opened.upstream) {
        // A message without the field is taken for a service of no kind, which Envoy does not survive.
        Ok(GrpcService { envoy_grpc: None }) => {
            state.crash = Some(format!(
                "a gRPC call to the upstream {:?}: Envoy reads the name as a protobuf message and aborts; send a serialized GrpcService",
                opened.upstream.escape_ascii().to_string()
            ));
            return Err(Status::INTERNAL_FAILURE);
        }
        Ok(GrpcService { envoy_grpc: Some(service) }) => (service.cluster_name, false),
        Err(_) => (String::from_utf8_lossy(opened.upstream).into_owned(), true),
    };
    let known = state.clusters.get(&cluster).copied();
    if known.is_none() && by_name {
        return Err(Status::PARSE_FAILURE);
    }
    let one = &mut state.vms[vm];
    let token = one.token(if opened.unary.is_some() { 1 } else { 2 });
    let from = one.caller(vm, token);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let metadata = opened.metadata.into_iter().map(|(name, value)| (text(&name), value)).collect();
    let call = GrpcCall { service: text(opened.service), method: text(opened.method), metadata, ..GrpcCall::default() };
    // Zero is no timeout at all.
    let timeout = opened.unary.map(|(_, timeout)| Duration::from_millis(timeout.into())).filter(|timeout| !timeout.is_zero());
    let at = state.grpc.len();
    state.grpc.push(GrpcState { from, unary: opened.unary.is_some(), cluster, call, timeout, closed: false, opened: false });
    if known != Some(true) {
        let text = if known.is_none() { "Cluster not available" } else { "no healthy upstream{no_healthy_upstream}" };
        if known == Some(false) && opened.unary.is_none() {
            // Envoy tells of its own answer before the call has returned.
            let root = from.root;
            let trailers = [(":status", "200"), ("content-type", "application/grpc"), ("grpc-status", "14"), ("grpc-message", "no healthy upstream")];
            let trailers = trailers.map(|(name, value)| (name.as_bytes().to_vec(), value.as_bytes().to_vec())).to_vec();
            state.reentrant.push(Callback::GrpcInitialMetadata { root, token, headers: 0 });
            state.reentrant.push(Callback::GrpcTrailingMetadata { root, token, trailers: trailers.len() as u32 });
            state.vms[vm].grpc_metadata = [Some(Headers::new()), Some(trailers)];
        }
        state.grpc_sent.push(GrpcSent::Failed { call: at, event: GrpcEvent::Close(UNAVAILABLE, text.to_owned()) });
        return Err(Status::INTERNAL_FAILURE);
    }
    state.grpc_sent.push(GrpcSent::Open(at));
    if let Some((message, _)) = opened.unary {
        state.grpc_sent.push(GrpcSent::Message { call: at, message: message.to_vec(), end: true });
    }
    Ok(token)
}

/// The gRPC call with this token, if it is still open.
fn find(state: &State, vm: usize, token: u32) -> Result<usize, Status> {
    let generation = state.vms[vm].generation;
    let is = |call: &GrpcState| !call.closed && (call.from.vm, call.from.generation, call.from.token) == (vm, generation, token);
    state.grpc.iter().position(is).ok_or(Status::NOT_FOUND)
}

/// The low bits of a token.
fn kind(token: u32) -> u32 {
    token & 3
}

/// `proxy_grpc_send`.
pub(crate) fn send(state: &mut State, vm: usize, token: u32, message: &[u8], end: bool) -> Status {
    if kind(token) != 2 {
        return Status::BAD_ARGUMENT;
    }
    match find(state, vm, token) {
        Ok(call) => {
            state.grpc_sent.push(GrpcSent::Message { call, message: message.to_vec(), end });
            Status::OK
        }
        Err(status) => status,
    }
}

/// `proxy_grpc_cancel`, and `proxy_grpc_close`, which lets a stream's answers come.
pub(crate) fn end(state: &mut State, vm: usize, token: u32, cancel: bool) -> Status {
    if !matches!(kind(token), 1 | 2) {
        return Status::BAD_ARGUMENT;
    }
    match find(state, vm, token) {
        Ok(call) if cancel || kind(token) == 1 => state.grpc[call].closed = true,
        Ok(call) => state.grpc_sent.push(GrpcSent::End(call)),
        Err(status) => return status,
    }
    Status::OK
}

impl Model {
    /// Hands what was sent to the services.
    pub(super) fn send_grpc(&mut self, sent: GrpcSent) {
        let (call, message, end) = match sent {
            GrpcSent::Open(call) => {
                let (cluster, timeout) = self.shared.with(|state| (state.grpc[call].cluster.clone(), state.grpc[call].timeout));
                self.shared.with(|state| state.grpc_seen.entry(cluster).or_default().push(call));
                if let Some(timeout) = timeout {
                    self.schedule(timeout, Event::GrpcTimeout { call });
                }
                return;
            }
            GrpcSent::Failed { call, event } => return self.schedule_grpc(call, Duration::ZERO, vec![event]),
            GrpcSent::Message { call, message, end } => (call, Some(message), end),
            GrpcSent::End(call) => (call, None, true),
        };
        let state = self.shared.with(|state| {
            let one = &mut state.grpc[call];
            one.call.messages.extend(message);
            one.call.ended |= end;
            (!one.closed).then(|| (one.cluster.clone(), one.call.clone(), std::mem::replace(&mut one.opened, true)))
        });
        let Some((cluster, so_far, opened)) = state else { return };
        let reply = match self.clusters.get(&cluster) {
            Some(Serve::Grpc(handler)) => handler.reply(&so_far),
            // An HTTP/1.1 server does not understand.
            _ => GrpcReply::status(UNAVAILABLE, "upstream connect error or disconnect/reset before headers"),
        };
        if reply == GrpcReply::nothing() {
            self.shared.with(|state| state.grpc[call].opened = opened);
            return;
        }
        let delay = reply.delay;
        let first = (!opened).then_some(so_far.ended);
        self.schedule_grpc(call, delay, events(reply, first));
    }

    fn schedule_grpc(&mut self, call: usize, after: Duration, events: Vec<GrpcEvent>) {
        for event in events {
            let at = self.grpc_events.len();
            self.grpc_events.push(event);
            self.schedule(after, Event::Grpc { call, event: at });
        }
    }

    /// A unary call has taken too long.
    pub(super) fn grpc_timeout(&mut self, call: usize) {
        self.deliver_grpc(call, GrpcEvent::Close(UNAVAILABLE, "upstream request timeout{response_timeout}".to_owned()));
    }

    /// Something comes of a gRPC call, if its VM is still there and has not cancelled it.
    pub(super) fn deliver_grpc(&mut self, call: usize, event: GrpcEvent) {
        let found = self.shared.with(|state| {
            let one = &mut state.grpc[call];
            let alive = state.vms[one.from.vm].generation == one.from.generation;
            (alive && !one.closed).then_some((one.from, one.unary))
        });
        let Some((Caller { vm, root, token, .. }, unary)) = found else { return };
        let set = |shared: &super::Shared, metadata: [Option<Headers>; 2], message: Option<Vec<u8>>| {
            shared.with(|state| {
                let vm = &mut state.vms[vm];
                vm.grpc_metadata = metadata;
                vm.grpc_message = message;
            });
        };
        let callback = match event {
            // Of a unary call that succeeds only the message is told, of one that fails only the status.
            GrpcEvent::InitialMetadata(_) | GrpcEvent::TrailingMetadata(_) if unary => return,
            GrpcEvent::Close(0, _) if unary => return,
            GrpcEvent::InitialMetadata(headers) => {
                let count = headers.len() as u32;
                set(&self.shared, [Some(headers), None], None);
                Callback::GrpcInitialMetadata { root, token, headers: count }
            }
            GrpcEvent::Message(message) => {
                let size = message.len() as u32;
                set(&self.shared, [None, None], Some(message));
                if unary {
                    self.shared.with(|state| {
                        state.grpc[call].closed = true;
                        if let Some(root) = state.vms[vm].roots.get_mut(&root) {
                            root.status.0 = 0;
                        }
                    });
                }
                Callback::GrpcReceive { root, token, size }
            }
            GrpcEvent::TrailingMetadata(trailers) => {
                let count = trailers.len() as u32;
                set(&self.shared, [None, Some(trailers)], None);
                Callback::GrpcTrailingMetadata { root, token, trailers: count }
            }
            GrpcEvent::Close(status, text) => {
                self.shared.with(|state| {
                    state.grpc[call].closed = true;
                    if let Some(root) = state.vms[vm].roots.get_mut(&root) {
                        root.status = (status, text.into_bytes());
                    }
                });
                Callback::GrpcClose { root, token, status }
            }
        };
        self.call(vm, callback);
        set(&self.shared, [None, None], None);
    }
}

/// What a reply comes to, in its order. If it is the first, whether the client has ended by then.
fn events(reply: GrpcReply, first: Option<bool>) -> Vec<GrpcEvent> {
    let owned = |pairs: Vec<(String, Vec<u8>)>| -> Headers { pairs.into_iter().map(|(name, value)| (name.into_bytes(), value)).collect() };
    let mut events = Vec::new();
    if let Some(ended) = first {
        let mut headers: Headers = vec![(b":status".to_vec(), b"200".to_vec())];
        headers.extend(owned(reply.metadata));
        headers.push((b"content-type".to_vec(), b"application/grpc".to_vec()));
        if ended {
            headers.push((b"x-envoy-upstream-service-time".to_vec(), reply.delay.as_millis().to_string().into_bytes()));
        }
        events.push(GrpcEvent::InitialMetadata(headers));
    }
    events.extend(reply.messages.into_iter().map(GrpcEvent::Message));
    if let Some((code, text)) = reply.status {
        let mut trailers = owned(reply.trailers);
        trailers.push((b"grpc-status".to_vec(), code.to_string().into_bytes()));
        if !text.is_empty() {
            trailers.push((b"grpc-message".to_vec(), text.clone().into_bytes()));
        }
        events.push(GrpcEvent::TrailingMetadata(trailers));
        let text = match (code, text) {
            (0, _) => "via_upstream".to_owned(),
            (_, text) => format!("{text}{{via_upstream}}"),
        };
        events.push(GrpcEvent::Close(code, text));
    }
    events
}
