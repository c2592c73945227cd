//! How a filter steers a stream: it goes on, breaks off, or is answered.

use inproxy::abi::{LocalReply, Pairs, Status};

use super::super::state::{ContextState, Deferred, State};
use crate::message::{Message, Response};

/// The ABI's streams.
const REQUEST: u32 = 0;
const RESPONSE: u32 = 1;
const DOWNSTREAM: u32 = 2;
const UPSTREAM: u32 = 3;

/// The callbacks at the end of a stream.
const ENDING: [&str; 3] = ["proxy_on_log", "proxy_on_done", "proxy_on_delete"];

pub(super) fn go_on(state: &mut State, vm: usize, stream: u32) -> Status {
    match stream {
        REQUEST | RESPONSE if is_connection(state, vm) => Status::OK,
        REQUEST | RESPONSE => {
            if stream == RESPONSE && effective(state, vm).is_some_and(|stream| state.streams[stream].status.is_none()) {
                state.crash = Some("proxy_continue_stream for a response that is not there: Envoy dies of SIGSEGV".to_owned());
            }
            // To say it twice makes no difference.
            if resumed(state, vm, stream as usize) {
                return Status::OK;
            }
            defer(state, vm, |context| Deferred::Continue { stream: context.stream, filter: context.filter, direction: stream as usize })
        }
        DOWNSTREAM if is_connection(state, vm) => defer(state, vm, |context| Deferred::Resume { connection: context.stream }),
        DOWNSTREAM => Status::OK,
        UPSTREAM => Status::UNIMPLEMENTED,
        _ => Status::BAD_ARGUMENT,
    }
}

pub(super) fn close(state: &mut State, vm: usize, stream: u32) -> Status {
    match stream {
        DOWNSTREAM | UPSTREAM if is_connection(state, vm) => defer(state, vm, |context| Deferred::CloseConnection { connection: context.stream }),
        REQUEST | RESPONSE if is_connection(state, vm) => Status::OK,
        REQUEST | RESPONSE => {
            not_at_the_end(state, vm, "proxy_close_stream");
            once(state, vm, "proxy_close_stream", true);
            defer(state, vm, |context| Deferred::Close { stream: context.stream })
        }
        DOWNSTREAM | UPSTREAM => Status::OK,
        _ => Status::BAD_ARGUMENT,
    }
}

pub(super) fn reply(state: &mut State, vm: usize, reply: LocalReply<'_>) -> Status {
    if is_connection(state, vm) {
        return Status::OK;
    }
    not_at_the_end(state, vm, "proxy_send_local_response");
    once(state, vm, "proxy_send_local_response", false);
    let headers = Pairs::new(reply.headers).map(|(name, value)| (String::from_utf8_lossy(name).to_lowercase(), value.to_vec()));
    let headers = headers.filter(|(name, _)| name != ":status" && name != "content-length");
    let message = Message { headers: headers.collect(), body: reply.body.to_vec(), ..Message::default() };
    let details = String::from_utf8_lossy(reply.details).split(char::is_whitespace).collect::<Vec<_>>().join("_");
    let grpc_status = u32::try_from(reply.grpc_status).ok();
    let response = Response { message, details, grpc_status, ..Response::new(reply.status as u16) };
    defer(state, vm, |context| Deferred::Reply { stream: context.stream, response })
}

/// Whether the effective stream is a TCP connection.
fn is_connection(state: &State, vm: usize) -> bool {
    let vm = &state.vms[vm];
    vm.contexts.get(&vm.effective).is_some_and(|context| state.streams[context.stream].tcp.is_some())
}

fn not_at_the_end(state: &mut State, vm: usize, call: &str) {
    let callback = state.vms[vm].callback;
    if ENDING.contains(&callback) {
        state.crash = Some(format!("{call} in {callback}: Envoy calls itself without end, or dies of SIGSEGV"));
    }
}

/// A stream ends once in a callback. What Envoy makes of more depends on what there is of the response, and on the callback: at best the first one is done.
fn once(state: &mut State, vm: usize, call: &str, closes: bool) {
    let Some(stream) = effective(state, vm) else { return };
    let (callback, begun) = (state.vms[vm].callback, state.streams[stream].status.is_some());
    let before = |deferred: &Deferred| match deferred {
        Deferred::Continue { stream: of, direction, .. } if *of == stream && *direction == RESPONSE as usize => {
            Some("proxy_continue_stream for the response, which may have ended with that")
        }
        Deferred::Close { stream: of } if *of == stream && (begun || closes && callback != "proxy_on_request_headers") => Some("proxy_close_stream"),
        Deferred::Reply { stream: of, .. } if *of == stream && begun => Some("proxy_send_local_response"),
        _ => None,
    };
    if let Some(before) = state.vms[vm].deferred.iter().find_map(before) {
        state.crash = Some(format!("{call} in the callback of {before}: Envoy dies of SIGSEGV"));
    }
}

fn resumed(state: &State, vm: usize, towards: usize) -> bool {
    let of = effective(state, vm);
    state.vms[vm]
        .deferred
        .iter()
        .any(|deferred| matches!(deferred, Deferred::Continue { stream, direction, .. } if Some(*stream) == of && *direction == towards))
}

fn effective(state: &State, vm: usize) -> Option<usize> {
    state.vms[vm].contexts.get(&state.vms[vm].effective).map(|context| context.stream)
}

/// Has something done with the effective stream when the callback has returned. Without a stream Envoy does nothing, and says that it did.
fn defer(state: &mut State, vm: usize, action: impl FnOnce(ContextState) -> Deferred) -> Status {
    let vm = &mut state.vms[vm];
    if let Some(context) = vm.contexts.get(&vm.effective).copied() {
        vm.deferred.push(action(context));
    }
    Status::OK
}
