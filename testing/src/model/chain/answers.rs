//! The far ends of a stream: where a request comes to the upstream, where a response begins, and how all of it is over.

use inproxy::__private::Kind;

use super::{Out, REQUEST, RESPONSE, status_of};
use crate::{
    message::{Request, Response},
    model::{
        Broken, Event, IDLE_TIMEOUT, Model, UNREACHABLE, UPSTREAM, answer_headers, in_bytes, message, routes,
        state::{ContextState, Headers},
    },
    proxy::{STALE_REQUEST, STALE_RESPONSE, Serve},
    running::Access,
    vm::Callback,
};

/// Why Envoy has no TLS with an upstream: whose certificate it does not trust, and that asks for one which Envoy has not.
const UNTRUSTED: &str = "TLS_error:|268435581:SSL routines:OPENSSL_internal:CERTIFICATE_VERIFY_FAILED:verify cert failed: X509_verify_cert: certificate verification error at \
    depth 0: unable to get local issuer certificate:TLS_error_end";
const REFUSED: &str = "TLS_error:|268436572:SSL routines:OPENSSL_internal:TLSV1_ALERT_CERTIFICATE_REQUIRED:TLS_error_end";

impl Model {
    /// Envoy's own answer to a body that waits at a filter and is too large.
    pub(super) fn within_limit(&mut self, stream: usize, direction: usize, size: usize) {
        if size <= self.buffer_limit {
            return;
        }
        if direction == REQUEST {
            self.local_reply(stream, local("request_payload_too_large", 413, "Payload Too Large"));
        } else if self.streams[stream].out[RESPONSE].headers.is_some() {
            self.reset(stream, "response_payload_too_large");
        } else {
            self.local_reply(stream, local("response_payload_too_large", 500, "Internal Server Error"));
        }
    }

    /// A direction has come to its far end.
    pub(super) fn ended(&mut self, stream: usize, direction: usize) {
        self.streams[stream].out[direction].ended = true;
        if direction == RESPONSE {
            self.finish(stream);
            let response = self.response(stream);
            assert!(response.as_ref().is_none_or(Response::is_whole), "{STALE_RESPONSE}\n{response:?}");
            return;
        }
        let (out, trailers) = (self.streams[stream].out[REQUEST].clone(), self.shared.with(|state| state.streams[stream].trailers[REQUEST].clone()));
        let headers = out.headers.unwrap_or_default();
        let get = |name: &[u8]| headers.iter().find(|(other, _)| other == name).map(|(_, value)| String::from_utf8_lossy(value).into_owned());
        // Envoy's router looks for the protocol of the client too.
        let routed = get(b"x-forwarded-proto").is_some();
        let (true, Some(method), Some(path), Some(authority)) = (routed, get(b":method"), get(b":path"), get(b":authority")) else {
            self.local_reply(stream, local("route_not_found", 404, ""));
            return;
        };
        let trailers = if out.with_trailers { trailers } else { Headers::new() };
        let request = Request { method, path, authority, message: message(&headers, out.body, &trailers) };
        assert!(!request.message.broken, "{STALE_REQUEST}\n{request:?}");
        let cluster = self.shared.with(|state| {
            routes::choose_anew(state, stream);
            routes::of(&state.around, &state.streams[stream]).1.to_owned()
        });
        if matches!(self.clusters.get(&cluster), Some(Serve::Nothing)) {
            self.local_reply(stream, local("no_healthy_upstream", 503, "no healthy upstream"));
            return;
        }
        if cluster == UPSTREAM
            && let Some(reason) = self.no_connection()
        {
            self.shared.with(|state| {
                let stream = &mut state.streams[stream];
                stream.upstream = true;
                stream.transport_failure = reason;
            });
            let details = format!("upstream_reset_before_response_started{{remote_connection_failure|{}}}", reason.replace(' ', "_"));
            self.local_reply(stream, local(&details, 503, &format!("{UNREACHABLE}remote connection failure")));
            return;
        }
        let mut answer = self.served(&cluster, &request);
        let timeout = self.shared.with(|state| state.around.route_timeout);
        if answer.delay >= timeout {
            answer = local("response_timeout", 504, "upstream request timeout").after(timeout);
        }
        self.shared.with(|state| {
            let session = state.around.upstream_tls.as_ref().and_then(|(server, proxy)| server.session(&proxy.clone().tls_1_2()));
            let stream = &mut state.streams[stream];
            stream.upstream = true;
            stream.tls[RESPONSE] = session;
        });
        let after = answer.delay;
        self.streams[stream].answer = Some(answer);
        self.schedule(after, Event::Upstream { stream });
    }

    /// Why there is no connection to the upstream, if there is none.
    fn no_connection(&self) -> Option<&'static str> {
        if matches!(self.clusters.get(UPSTREAM), Some(Serve::Nobody)) {
            return Some("delayed connect error: Connection refused");
        }
        let (server, proxy) = self.shared.with(|state| state.around.upstream_tls.clone())?;
        if !server.certificate.is_trusted() {
            return Some(UNTRUSTED);
        }
        server.session(&proxy).is_none().then_some(REFUSED)
    }

    pub(in super::super) fn upstream_answers(&mut self, stream: usize) {
        if self.streams[stream].over || self.streams[stream].answered {
            return;
        }
        let Some(answer) = self.streams[stream].answer.take() else { return };
        if !answer.details.is_empty() {
            // No server has answered.
            self.local_reply(stream, answer);
            return;
        }
        let trailers = in_bytes(&answer.message.trailers);
        self.shared.with(|state| {
            let stream = &mut state.streams[stream];
            stream.trailers[RESPONSE] = trailers;
            stream.details = "via_upstream".to_owned();
        });
        let with_trailers = !answer.message.trailers.is_empty();
        let cut_off = answer.cut_off;
        let goes_on = answer.pause.is_some();
        self.streams[stream].pause = answer.pause;
        let at_once = answer.message.body.is_empty() && !with_trailers;
        self.shared.with(|state| state.streams[stream].received = at_once && !cut_off);
        let headers = routed(&answer);
        self.respond(stream, headers, answer, false);
        self.shared.with(|state| state.streams[stream].received = !cut_off && !goes_on);
        if cut_off && !self.streams[stream].over {
            self.reset(stream, "upstream_reset_after_response_started{protocol_error}");
        }
    }

    /// The upstream sends the rest of a body.
    pub(in super::super) fn upstream_goes_on(&mut self, stream: usize) {
        let rest = std::mem::take(&mut self.streams[stream].rest);
        self.shared.with(|state| state.streams[stream].received = true);
        for (part, last) in [(rest, false), (Vec::new(), true)] {
            if !self.streams[stream].over {
                self.data(stream, RESPONSE, 0, part, last);
            }
        }
    }

    /// A response enters the filters.
    fn respond(&mut self, stream: usize, headers: Headers, response: Response, local: bool) {
        let (with_trailers, cut_off) = (!response.message.trailers.is_empty(), response.cut_off);
        let response_status = response.status;
        let mut body = response.message.body;
        self.streams[stream].answered = true;
        self.shared.with(|state| {
            let stream = &mut state.streams[stream];
            stream.headers[RESPONSE] = headers;
            stream.status = Some(response_status);
        });
        let ends = body.is_empty() && !with_trailers && !cut_off;
        self.headers(stream, RESPONSE, 0, ends);
        if let Some((left, time)) = self.streams[stream].pause.take().filter(|_| !self.streams[stream].over) {
            self.streams[stream].rest = body.split_off(body.len() - left);
            self.data(stream, RESPONSE, 0, body, false);
            self.schedule(time, Event::UpstreamGoesOn { stream });
            return;
        }
        if local && !self.breaks(Broken::RepliesInPieces) {
            // Envoy's own answers come in one piece.
            if !ends && !self.streams[stream].over {
                self.data(stream, RESPONSE, 0, body, true);
            }
            return;
        }
        if !body.is_empty() && !self.streams[stream].over {
            self.data(stream, RESPONSE, 0, body, false);
        }
        if self.streams[stream].over || ends || cut_off {
            return;
        }
        if with_trailers {
            self.trailers(stream, RESPONSE, 0);
        } else {
            self.data(stream, RESPONSE, 0, Vec::new(), true);
        }
    }

    /// An answer in the place of the upstream's, by a filter or by Envoy itself.
    pub(in super::super) fn local_reply(&mut self, stream: usize, reply: Response) {
        if self.streams[stream].over {
            return;
        }
        self.streams[stream].aborted = true;
        if self.streams[stream].out[RESPONSE].headers.is_some() {
            self.reset(stream, &reply.details);
            return;
        }
        self.shared.with(|state| {
            let stream = &mut state.streams[stream];
            stream.details.clone_from(&reply.details);
            stream.replied = true;
        });
        let reply = self.for_grpc(stream, reply);
        if !self.streams[stream].answered {
            // It passes the filters that have seen the request, the one that made it among them.
            self.respond(stream, local_headers(&reply), reply, true);
            return;
        }
        // It replaces a response that the filters have seen, and goes to the client at once.
        let headers = local_headers(&reply);
        self.shared.with(|state| state.streams[stream].headers[RESPONSE].clone_from(&headers));
        let out = &mut self.streams[stream].out[RESPONSE];
        *out = Out { headers: Some(headers), body: reply.message.body, ended: true, with_trailers: false };
        self.shared.with(|state| state.streams[stream].trailers[RESPONSE].clear());
        self.finish(stream);
    }

    /// The stream breaks off.
    pub(in super::super) fn reset(&mut self, stream: usize, details: &str) {
        if !self.streams[stream].over {
            self.streams[stream].reset = true;
            self.shared.with(|state| state.streams[stream].details = details.to_owned());
            self.finish(stream);
        }
    }

    pub(in super::super) fn request_timeout(&mut self, stream: usize) {
        let one = &self.streams[stream];
        if !one.over && !one.answered && !one.out[REQUEST].ended {
            let status = self.late(stream);
            self.local_reply(stream, local("request_overall_timeout", status, "request timeout"));
        }
    }

    /// The status of a request that takes too long: whose fault that is.
    fn late(&self, stream: usize) -> u16 {
        if self.streams[stream].complete { 504 } else { 408 }
    }

    /// A stream has done nothing for a while, unless it has.
    pub(in super::super) fn idle_timeout(&mut self, stream: usize) {
        let one = &self.streams[stream];
        let idle = self.now() - one.active;
        if one.over {
            return;
        }
        if idle < IDLE_TIMEOUT {
            self.schedule(IDLE_TIMEOUT - idle, Event::IdleTimeout { stream });
            return;
        }
        let status = self.late(stream);
        self.local_reply(stream, local("stream_idle_timeout", status, "stream timeout"));
    }

    /// The stream is over: log, done, delete.
    pub(super) fn finish(&mut self, stream: usize) {
        if std::mem::replace(&mut self.streams[stream].over, true) {
            return;
        }
        let status = self.streams[stream].out[RESPONSE].headers.as_ref().and_then(status_of);
        self.shared.with(|state| {
            let now = state.now;
            let one = &mut state.streams[stream];
            one.logging = true;
            one.ended = Some(now);
            let access = Access { status: status.or(one.status).unwrap_or(0), details: one.details.clone() };
            state.access_log.push(access);
        });
        let began = self.streams[stream].contexts.iter().any(Option::is_some);
        let mut contexts = Vec::new();
        for filter in 0..self.chain {
            if !began || self.streams[stream].bypassed[filter] {
                continue;
            }
            // A filter that a reply before it has kept the request from is made for the log alone.
            let Some((vm, context)) = self.context(stream, filter) else { continue };
            self.call(vm, Callback::Log { context });
            contexts.push((vm, context));
        }
        self.tell_loggers(stream);
        let stays = self.breaks(Broken::HeadersAtTheEnd);
        self.shared.with(|state| state.streams[stream].logging = stays);
        for (vm, context) in contexts {
            self.call(vm, Callback::Done { context });
            self.call(vm, Callback::Delete { context });
            self.shared.with(|state| state.vms[vm].contexts.remove(&context));
            self.retire(vm);
        }
    }

    /// The access loggers are told of a stream that is over. It is their root context that sees it.
    pub(in super::super) fn tell_loggers(&mut self, stream: usize) {
        let worker = self.streams[stream].worker;
        for logger in self.chain..self.plugins.len() {
            let vm = self.vm_of(logger, worker);
            self.revive(vm);
            let Some(root) = self.root(vm, logger).filter(|_| self.plugins[logger].kind == Kind::AccessLogger) else { continue };
            self.shared.with(|state| state.vms[vm].contexts.insert(root, ContextState { stream, root, filter: logger }));
            self.call(vm, Callback::Log { context: root });
            self.shared.with(|state| state.vms[vm].contexts.remove(&root));
        }
    }

    /// Envoy answers a gRPC request with a gRPC status: the one that was given, or the one that goes with the HTTP status.
    fn for_grpc(&self, stream: usize, reply: Response) -> Response {
        let is_grpc = self.shared.with(|state| {
            let headers = &state.streams[stream].headers[REQUEST];
            headers.iter().any(|(name, value)| name == b"content-type" && (value == b"application/grpc" || value.starts_with(b"application/grpc+")))
        });
        if !is_grpc {
            return reply;
        }
        let status = reply.grpc_status.unwrap_or_else(|| grpc_status(reply.status));
        let mut answer = Response { details: reply.details.clone(), ..Response::new(200) };
        let own = reply.message.headers.iter().filter(|(name, _)| !matches!(name.as_str(), "content-type" | "content-length"));
        answer.message.headers = own.cloned().collect();
        answer = answer.with_header("content-type", "application/grpc").with_header("grpc-status", status.to_string());
        if reply.message.body.is_empty() { answer } else { answer.with_header("grpc-message", &reply.message.body) }
    }
}

/// An answer of Envoy itself.
pub(super) fn local(details: &str, status: u16, body: &str) -> Response {
    Response { details: details.to_owned(), ..Response::new(status).with_body(body) }
}

/// The headers of a server's response, as the router hands them on.
pub(in super::super) fn routed(response: &Response) -> Headers {
    let mut headers = answer_headers(response);
    if !response.message.trailers.is_empty() {
        headers.push((b"transfer-encoding".to_vec(), b"chunked".to_vec()));
    } else if response.status != 204 && !headers.iter().any(|(name, _)| name == b"content-length") {
        let length = response.message.body.len() + usize::from(response.cut_off);
        headers.push((b"content-length".to_vec(), length.to_string().into_bytes()));
    }
    if response.cut_off {
        headers.push((b"connection".to_vec(), b"close".to_vec()));
    }
    headers.push((b"x-envoy-upstream-service-time".to_vec(), response.delay.as_millis().to_string().into_bytes()));
    headers
}

/// The headers of an answer of Envoy itself: of an empty one nothing is said of a body.
fn local_headers(reply: &Response) -> Headers {
    let mut headers = answer_headers(reply);
    if !reply.message.body.is_empty() && reply.message.all("content-length").next().is_none() {
        headers.push((b"content-length".to_vec(), reply.message.body.len().to_string().into_bytes()));
        if reply.message.all("content-type").next().is_none() {
            headers.push((b"content-type".to_vec(), b"text/plain".to_vec()));
        }
    }
    headers
}

/// The gRPC status that [goes with](https://github.com/grpc/grpc/blob/master/doc/http-grpc-status-mapping.md) an HTTP status.
pub(crate) fn grpc_status(status: u16) -> u32 {
    match status {
        400 => 13,
        401 => 16,
        403 => 7,
        404 => 12,
        429 | 502..=504 => 14,
        _ => 2,
    }
}
