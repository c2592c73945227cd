//! HTTP call-outs, and the servers behind all clusters.

use std::time::Duration;

use super::{Broken, Event, Model, answer_headers, chain::routed, in_bytes, state::Headers};
use crate::{
    message::{Request, Response},
    proxy::Serve,
    vm::Callback,
};

/// What Envoy says, before the reason, where a server was not reached.
pub(super) const UNREACHABLE: &str = "upstream connect error or disconnect/reset before headers. reset reason: ";

/// What `proxy_get_status` says of a call-out that was cut off.
const RESET: u32 = 11;

impl Model {
    /// Hands a call-out to its server, and schedules what comes back.
    pub(super) fn send(&mut self, call: usize) {
        let (cluster, request, timeout) = self.shared.with(|state| {
            let call = &state.calls[call];
            (call.cluster.clone(), call.request.clone(), call.timeout)
        });
        let broken = request.message.headers.iter().find(|(_, value)| value.iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0)));
        let answer = match broken {
            Some((name, _)) => made_up(503, &format!("invalid header value for: {name}")),
            None => self.served(&cluster, &request),
        };
        let late = !timeout.is_zero() && answer.delay >= timeout;
        let (after, answer) = if late {
            let answer = made_up(504, "upstream request timeout");
            (timeout, (!self.breaks(Broken::SilentTimeouts)).then_some(answer))
        } else {
            (answer.delay, (!answer.cut_off).then_some(answer))
        };
        self.shared.with(|state| state.calls[call].answer = answer);
        self.schedule(after, Event::Call { call });
    }

    /// Asks a server, and notes that it was asked.
    pub(super) fn served(&mut self, cluster: &str, request: &Request) -> Response {
        self.shared.with(|state| state.seen.entry(cluster.to_owned()).or_default().push(request.clone()));
        match self.clusters.get(cluster) {
            Some(Serve::Http(handler)) => match handler(request) {
                answer if answer.hung_up => unreachable("connection termination").after(answer.delay),
                answer => answer,
            },
            Some(Serve::Grpc(_) | Serve::Tcp(_)) => unreachable("protocol error"),
            Some(Serve::Nobody) => unreachable("remote connection failure"),
            Some(Serve::Nothing) | None => made_up(503, "no healthy upstream"),
        }
    }

    /// A call-out is answered, if the VM that sent it is still there.
    pub(super) fn answer_call(&mut self, call: usize) {
        let (from, answer) = self.shared.with(|state| {
            let call = &state.calls[call];
            (call.from, call.answer.clone())
        });
        if !self.has_root(from.vm, from.generation, from.root) {
            return;
        }
        let failed = answer.is_none();
        let (headers, body, trailers) =
            answer.as_ref().map(|answer| (heads(answer), answer.message.body.clone(), in_bytes(&answer.message.trailers))).unwrap_or_default();
        let callback = Callback::CallResponse {
            root: from.root,
            token: from.token,
            headers: headers.len() as u32,
            body: body.len() as u32,
            trailers: trailers.len() as u32,
        };
        self.shared.with(|state| {
            let vm = &mut state.vms[from.vm];
            vm.answer = (!failed).then_some((headers, body, trailers));
            if let (true, Some(root)) = (failed, vm.roots.get_mut(&from.root)) {
                root.status = (RESET, b"reset".to_vec());
            }
        });
        self.call(from.vm, callback);
        self.shared.with(|state| state.vms[from.vm].answer = None);
    }

    /// The canary's call-outs are cancelled before they are sent.
    pub(super) fn cancel_calls(&mut self) {
        self.shared.with(|state| {
            state.new_calls.clear();
            state.grpc_sent.clear();
        });
    }

    /// Sends what a callback has asked for.
    pub(super) fn send_all(&mut self) {
        let (calls, grpc, queued) =
            self.shared.with(|state| (std::mem::take(&mut state.new_calls), std::mem::take(&mut state.grpc_sent), std::mem::take(&mut state.queued)));
        for call in calls {
            self.send(call);
        }
        for sent in grpc {
            self.send_grpc(sent);
        }
        for ((vm, root), queue) in queued {
            let generation = self.shared.with(|state| state.vms[vm].generation);
            self.schedule(Duration::ZERO, Event::Queue { vm, generation, root, queue });
        }
    }
}

/// The headers of an answer: a server's, or Envoy's own.
fn heads(answer: &Response) -> Headers {
    if answer.made_up { answer_headers(answer) } else { routed(answer) }
}

/// What Envoy answers in the place of a server.
fn made_up(status: u16, text: &str) -> Response {
    let response =
        Response::new(status).with_header("content-length", text.len().to_string()).with_header("content-type", "text/plain").with_body(text);
    Response { made_up: true, ..response }
}

fn unreachable(reason: &str) -> Response {
    let details = format!("upstream_reset_before_response_started{{{}}}", reason.replace(' ', "_"));
    Response { details, ..made_up(503, &format!("{UNREACHABLE}{reason}")) }
}
