//! Where `proxy-wasm`'s stream traits are implemented: each callback becomes one of [`HttpHooks`].
//!
//! The shim is generic, so that a callback is one indirect call and the filter's state lies in the box that the dispatcher makes anyway. Behind a common type, with the states in a table of their own, a stream cost 100 ns more in
//! V8; a module with one filter is no larger for it.

use std::{
    rc::Rc,
    time::{Duration, SystemTime},
};

use proxy_wasm::{
    traits::{Context, HttpContext},
    types::{Action as ProxyAction, Bytes, GrpcStatusCode, Status},
};

use super::{
    Action, CallResponse, CallToken, Direction, Finished, HttpHooks, RequestBody, RequestHeaders, RequestTrailers, ResponseBody, ResponseHeaders,
    ResponseTrailers,
    above::{self, GrpcEvent, Sizes},
    contexts::Contexts,
    phase::Stream,
    uncalled,
};
use crate::{Error, abi, fault, reply::LocalReply};

/// A plugin, and what it has said of itself.
pub(crate) struct Plugged<H: HttpHooks> {
    hooks: H,
    holds: Holds,
}

/// The directions whose headers a filter may hold: those whose bodies it has callbacks for. Where the module has none, a body would take held headers along.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Holds {
    pub(crate) request: bool,
    pub(crate) response: bool,
}

/// A stream at a filter.
struct HttpShim<H: HttpHooks> {
    plugin: Rc<Plugged<H>>,
    state: H::Stream,
    stream: Stream,
}

// === impl Plugged ===

impl<H: HttpHooks> Plugged<H> {
    pub(crate) fn new(hooks: H, holds: Holds) -> Self {
        Self { hooks, holds }
    }
}

impl<H: HttpHooks> Contexts for Plugged<H> {
    fn http(self: Rc<Self>, context: u32, root: u32) -> Box<dyn HttpContext> {
        Box::new(HttpShim { plugin: self, state: H::Stream::default(), stream: Stream::new(context, root) })
    }
}

// === impl Holds ===

impl Holds {
    /// Fails the stream if the filter pauses headers that it did not say it would hold.
    fn check(self, stream: &Stream, direction: Direction, action: Action) {
        let holds = match direction {
            Direction::Request => self.request,
            Direction::Response => self.response,
        };
        if matches!(action, Action::Pause) && !holds && !stream.replied {
            fault::record(Error::msg(
                "headers were paused by a filter that declares no callback for the body behind them; add it to #[filter(hooks(…))]",
            ));
        }
    }
}

// === impl HttpShim ===

impl<H: HttpHooks> HttpShim<H> {
    /// A callback of a direction.
    fn directed(&mut self, direction: Direction, at_headers: bool, call: impl FnOnce(&H, &mut H::Stream, &mut Stream) -> Action) -> ProxyAction {
        abi::callback(Action::Pause, || {
            let Self { plugin, state, stream } = self;
            if stream.replied {
                // What arrives in the response direction is our own reply: to pause it would hang the client.
                return if direction == Direction::Request { Action::Pause } else { Action::Continue };
            }
            let mut action = call(&plugin.hooks, state, stream);
            if at_headers {
                plugin.holds.check(stream, direction, action);
            }
            if fault::pending() {
                fail(stream);
                action = Action::Pause;
            }
            stream.returned(direction, at_headers, action);
            above::after(stream.context);
            action
        })
        .for_dispatcher()
    }
}

impl<H: HttpHooks> HttpShim<H> {
    fn grpc(&mut self, token: u32, event: GrpcEvent) {
        abi::callback((), || {
            above::grpc(token, event, None);
            fail(&mut self.stream);
            above::after(self.stream.context);
        });
    }
}

/// What the stream has is dropped as in any other callback, since it may be user code.
impl<H: HttpHooks> Drop for HttpShim<H> {
    fn drop(&mut self) {
        abi::callback((), || {
            drop(std::mem::take(&mut self.state));
            // Of edits that it tried though it was over.
            drop(fault::take());
            above::after(self.stream.context);
        });
    }
}

/// The proxy refused an edit that could not say so: the stream is answered rather than let go half edited.
fn fail(stream: &mut Stream) {
    let Some(error) = fault::take() else { return };
    log::error!("the filter failed: {error:#}");
    stream.reply(&LocalReply::filter_error());
    // Of the reply itself: there is nobody left to tell.
    if let Some(error) = fault::take() {
        log::error!("{error:#}");
    }
}

impl<H: HttpHooks> Context for HttpShim<H> {
    uncalled::context!();
    above::grpc_callbacks!();

    fn on_http_call_response(&mut self, token: u32, headers: usize, body: usize, trailers: usize) {
        abi::callback((), || {
            let Self { plugin, state, stream } = self;
            plugin.hooks.on_call_response(state, CallResponse { stream, token: CallToken(token), sizes: Sizes { headers, body, trailers } });
            fail(stream);
            if let Err(error) = stream.go_on() {
                fault::record(error.into());
                fail(stream);
            }
            above::after(stream.context);
        });
    }
}

impl<H: HttpHooks> HttpContext for HttpShim<H> {
    uncalled::http!();

    fn on_http_request_headers(&mut self, _: usize, end_of_stream: bool) -> ProxyAction {
        self.directed(Direction::Request, true, |hooks, state, stream| hooks.on_request_headers(state, RequestHeaders { stream, end_of_stream }))
    }

    fn on_http_request_body(&mut self, size: usize, end_of_stream: bool) -> ProxyAction {
        self.directed(Direction::Request, false, |hooks, state, stream| hooks.on_request_body(state, RequestBody { stream, size, end_of_stream }))
    }

    fn on_http_request_trailers(&mut self, _: usize) -> ProxyAction {
        self.directed(Direction::Request, false, |hooks, state, stream| hooks.on_request_trailers(state, RequestTrailers { stream }))
    }

    fn on_http_response_headers(&mut self, _: usize, end_of_stream: bool) -> ProxyAction {
        self.directed(Direction::Response, true, |hooks, state, stream| hooks.on_response_headers(state, ResponseHeaders { stream, end_of_stream }))
    }

    fn on_http_response_body(&mut self, size: usize, end_of_stream: bool) -> ProxyAction {
        self.directed(Direction::Response, false, |hooks, state, stream| hooks.on_response_body(state, ResponseBody { stream, size, end_of_stream }))
    }

    fn on_http_response_trailers(&mut self, _: usize) -> ProxyAction {
        self.directed(Direction::Response, false, |hooks, state, stream| hooks.on_response_trailers(state, ResponseTrailers { stream }))
    }

    fn on_log(&mut self) {
        abi::callback((), || {
            let Self { plugin, state, stream } = self;
            plugin.hooks.on_log(state, Finished::of(stream));
            // Nothing can be answered any more.
            if let Some(error) = fault::take() {
                log::error!("the filter failed: {error:#}");
            }
            above::after(stream.context);
        });
    }
}
