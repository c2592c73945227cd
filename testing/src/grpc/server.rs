//! A real gRPC server on a loopback port.

use std::{
    convert::Infallible,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use http_body_util::{BodyExt, channel::Channel};
use hyper::{
    Request, Response,
    body::{Body as _, Bytes, Incoming},
    header::{HeaderMap, HeaderName, HeaderValue},
    server::conn::http2,
    service::service_fn,
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::{net::TcpListener, task::JoinHandle};

use super::{GrpcCall, GrpcHandler, GrpcReply};

/// How many replies may wait to be sent.
const WAITING: usize = 64;

pub(crate) struct GrpcServer {
    address: SocketAddr,
    seen: Seen,
    task: JoinHandle<()>,
}

/// The calls that it got, each as far as it came.
type Seen = Arc<Mutex<Vec<GrpcCall>>>;

type Reply = Channel<Bytes, Infallible>;

// === impl GrpcServer ===

impl GrpcServer {
    pub(crate) async fn start(handler: GrpcHandler) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let seen = Seen::default();
        let calls = Arc::clone(&seen);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (handler, calls) = (handler.clone(), Arc::clone(&calls));
                let serve = service_fn(move |request| respond(request, handler.clone(), Arc::clone(&calls)));
                // A connection that breaks is what some tests want.
                tokio::spawn(async move {
                    http2::Builder::new(TokioExecutor::new()).auto_date_header(false).serve_connection(TokioIo::new(stream), serve).await.ok()
                });
            }
        });
        Self { address, seen, task }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn seen(&self) -> Vec<GrpcCall> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for GrpcServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn respond(request: Request<Incoming>, handler: GrpcHandler, seen: Seen) -> Result<Response<Reply>, Infallible> {
    let (parts, mut body) = request.into_parts();
    let (service, method) = parts.uri.path().trim_start_matches('/').split_once('/').unwrap_or_default();
    let metadata = parts.headers.iter().map(|(name, value)| (name.to_string(), value.as_bytes().to_vec())).collect();
    let mut call = GrpcCall { service: service.to_owned(), method: method.to_owned(), metadata, ..GrpcCall::default() };
    let at = {
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.push(call.clone());
        seen.len() - 1
    };
    let (mut sender, reply) = Channel::new(WAITING);
    let (opened, head) = tokio::sync::oneshot::channel::<HeaderMap>();
    tokio::spawn(async move {
        let mut opened = Some(opened);
        let mut pending = Vec::new();
        loop {
            let frame = body.frame().await;
            match frame {
                Some(Ok(frame)) => pending.extend(frame.into_data().unwrap_or_default()),
                Some(Err(_)) => return,
                None => {}
            }
            let mut messages = messages(&mut pending);
            let ended = body.is_end_stream();
            let count = messages.len();
            // Asked at each message, and when the client has ended, once if both came together.
            for (index, message) in messages.drain(..).enumerate() {
                call.messages.push(message);
                call.ended = ended && index + 1 == count;
                note(&seen, at, &call);
                if !send(handler.reply(&call), &mut opened, &mut sender).await {
                    return;
                }
            }
            if ended && !call.ended {
                call.ended = true;
                note(&seen, at, &call);
                if !send(handler.reply(&call), &mut opened, &mut sender).await {
                    return;
                }
            }
            if call.ended {
                // Whoever waits for more holds the stream open until the client leaves.
                drop(opened.take());
                std::future::pending::<()>().await;
            }
        }
    });
    let mut response = Response::new(reply);
    if let Ok(headers) = head.await {
        *response.headers_mut() = headers;
    }
    response.headers_mut().insert("content-type", HeaderValue::from_static("application/grpc"));
    Ok(response)
}

fn note(seen: &Seen, at: usize, call: &GrpcCall) {
    if let Some(slot) = seen.lock().unwrap_or_else(PoisonError::into_inner).get_mut(at) {
        slot.clone_from(call);
    }
}

/// Sends a reply; `false` if nothing can follow.
async fn send(
    reply: GrpcReply,
    opened: &mut Option<tokio::sync::oneshot::Sender<HeaderMap>>,
    sender: &mut http_body_util::channel::Sender<Bytes, Infallible>,
) -> bool {
    tokio::time::sleep(reply.delay).await;
    if reply == GrpcReply::nothing() {
        return true;
    }
    if let Some(opened) = opened.take() {
        // It may have gone.
        let _ = opened.send(map(&reply.metadata));
    }
    for message in reply.messages {
        let frame = [&[0][..], &(message.len() as u32).to_be_bytes(), &message].concat();
        if sender.send_data(frame.into()).await.is_err() {
            return false;
        }
    }
    let Some((code, text)) = reply.status else { return true };
    let mut trailers = map(&reply.trailers);
    trailers.insert("grpc-status", code.into());
    if let (false, Ok(text)) = (text.is_empty(), HeaderValue::from_str(&text)) {
        trailers.insert("grpc-message", text);
    }
    // It may have gone.
    let _ = sender.send_trailers(trailers).await;
    false
}

/// Takes the whole messages off the front.
fn messages(pending: &mut Vec<u8>) -> Vec<Vec<u8>> {
    let mut messages = Vec::new();
    while let [_, a, b, c, d, rest @ ..] = &pending[..] {
        let size = u32::from_be_bytes([*a, *b, *c, *d]) as usize;
        let Some(message) = rest.get(..size) else { break };
        messages.push(message.to_vec());
        pending.drain(..5 + size);
    }
    messages
}

fn map(pairs: &[(String, Vec<u8>)]) -> HeaderMap {
    let entry = |(name, value): &(String, Vec<u8>)| Some((HeaderName::try_from(name).ok()?, HeaderValue::from_bytes(value).ok()?));
    pairs.iter().filter_map(entry).collect()
}
