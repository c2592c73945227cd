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
        REQUEST | RESPONSE => {
            if stream == RESPONSE && state.vms[vm].callback == "proxy_on_request_headers" && state.vms[vm].effective == state.vms[vm].current {
                state.crash = Some("proxy_continue_stream for the response while the request's headers are shown: Envoy dies of SIGSEGV".to_owned());
            }
            defer(state, vm, |context| Deferred::Continue { stream: context.stream, filter: context.filter, direction: stream as usize })
        }
        DOWNSTREAM => Status::OK,
        UPSTREAM => Status::UNIMPLEMENTED,
        _ => Status::BAD_ARGUMENT,
    }
}

pub(super) fn close(state: &mut State, vm: usize, stream: u32) -> Status {
    match stream {
        REQUEST | RESPONSE => {
            not_at_the_end(state, vm, "proxy_close_stream");
            defer(state, vm, |context| Deferred::Close { stream: context.stream })
        }
        DOWNSTREAM | UPSTREAM => Status::OK,
        _ => Status::BAD_ARGUMENT,
    }
}

pub(super) fn reply(state: &mut State, vm: usize, reply: LocalReply<'_>) -> Status {
    not_at_the_end(state, vm, "proxy_send_local_response");
    let headers = Pairs::new(reply.headers).map(|(name, value)| (String::from_utf8_lossy(name).to_lowercase(), value.to_vec()));
    let mut headers: Vec<_> = headers.filter(|(name, _)| name != ":status" && name != "content-length").collect();
    headers.push(("content-length".to_owned(), reply.body.len().to_string().into_bytes()));
    if !reply.body.is_empty() && !headers.iter().any(|(name, _)| name == "content-type") {
        headers.push(("content-type".to_owned(), b"text/plain".to_vec()));
    }
    let message = Message { headers, body: reply.body.to_vec(), ..Message::default() };
    let details = String::from_utf8_lossy(reply.details).split(char::is_whitespace).collect::<Vec<_>>().join("_");
    let grpc_status = u32::try_from(reply.grpc_status).ok();
    let response = Response { message, details, grpc_status, ..Response::new(reply.status as u16) };
    defer(state, vm, |context| Deferred::Reply { stream: context.stream, response })
}

fn not_at_the_end(state: &mut State, vm: usize, call: &str) {
    let callback = state.vms[vm].callback;
    if ENDING.contains(&callback) {
        state.crash = Some(format!("{call} in {callback}: Envoy calls itself without end, or dies of SIGSEGV"));
    }
}

/// Has something done with the effective stream when the callback has returned. Without a stream Envoy does nothing, and says that it did.
fn defer(state: &mut State, vm: usize, action: impl FnOnce(ContextState) -> Deferred) -> Status {
    let vm = &mut state.vms[vm];
    if let Some(context) = vm.contexts.get(&vm.effective).copied() {
        vm.deferred.push(action(context));
    }
    Status::OK
}
