//! The one type on which `proxy-wasm`'s stream traits are implemented; everything generic is behind [`HttpPlugin`].

use std::{cell::RefCell, rc::Rc};

use proxy_wasm::traits::{Context, HttpContext};
use slab::Slab;

use super::{
    Action, CallResponse, CallToken, Direction, Finished, HttpHooks, RequestBody, RequestHeaders, RequestTrailers, ResponseBody, ResponseHeaders,
    ResponseTrailers, after, phase::Stream,
};
use crate::{Error, abi, fault, reply::LocalReply};

/// A configured plugin, without its type.
pub(crate) trait HttpPlugin {
    fn open(&self) -> usize;
    fn close(&self, slot: usize);
    fn event(&self, slot: usize, stream: &mut Stream, event: Event) -> Action;
    fn tick(&self, root: u32);
    fn root_call_response(&self, root: u32, token: CallToken, body_size: usize);
}

/// What happened to a stream.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Event {
    Headers(Direction, bool),
    Body(Direction, usize, bool),
    Trailers(Direction),
    Call(CallToken, usize, usize),
    Log,
}

/// A plugin and the states of its streams, side by side, so that a stream costs no allocation of its own.
pub(crate) struct Plugged<H: HttpHooks> {
    hooks: H,
    holds: Holds,
    streams: RefCell<Slab<H::Stream>>,
}

/// The directions whose headers a filter may hold: those whose bodies it has callbacks for. Where the module has none, a body would take held headers along.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Holds {
    pub(crate) request: bool,
    pub(crate) response: bool,
}

pub(crate) struct HttpShim {
    plugin: Rc<dyn HttpPlugin>,
    slot: usize,
    stream: Stream,
}

// === impl Plugged ===

impl<H: HttpHooks> Plugged<H> {
    pub(crate) fn new(hooks: H, holds: Holds) -> Self {
        Self { hooks, holds, streams: RefCell::default() }
    }

    /// Fails the stream if the filter pauses headers that it did not say it would hold.
    fn may_pause(&self, stream: &Stream, direction: Direction, action: Action) -> Action {
        let holds = match direction {
            Direction::Request => self.holds.request,
            Direction::Response => self.holds.response,
        };
        if matches!(action, Action::Pause) && !holds && !stream.replied {
            fault::record(Error::msg(
                "headers were paused by a filter that declares no callback for the body behind them; add it to #[filter(hooks(…))]",
            ));
        }
        action
    }
}

impl<H: HttpHooks> HttpPlugin for Plugged<H> {
    fn open(&self) -> usize {
        self.streams.borrow_mut().insert(H::Stream::default())
    }

    fn close(&self, slot: usize) {
        let state = self.streams.borrow_mut().try_remove(slot);
        drop(state);
    }

    fn event(&self, slot: usize, stream: &mut Stream, event: Event) -> Action {
        let mut streams = self.streams.borrow_mut();
        let Some(state) = streams.get_mut(slot) else { return Action::Continue };
        let hooks = &self.hooks;
        match event {
            Event::Headers(direction, end_of_stream) => {
                let action = match direction {
                    Direction::Request => hooks.on_request_headers(state, RequestHeaders { stream, end_of_stream }),
                    Direction::Response => hooks.on_response_headers(state, ResponseHeaders { stream, end_of_stream }),
                };
                self.may_pause(stream, direction, action)
            }
            Event::Body(Direction::Request, size, end_of_stream) => hooks.on_request_body(state, RequestBody { stream, size, end_of_stream }),
            Event::Body(Direction::Response, size, end_of_stream) => hooks.on_response_body(state, ResponseBody { stream, size, end_of_stream }),
            Event::Trailers(Direction::Request) => hooks.on_request_trailers(state, RequestTrailers { stream }),
            Event::Trailers(Direction::Response) => hooks.on_response_trailers(state, ResponseTrailers { stream }),
            Event::Call(token, headers, body_size) => {
                hooks.on_call_response(state, CallResponse { stream, token, headers, body_size });
                Action::Continue
            }
            Event::Log => {
                hooks.on_log(state, Finished { stream });
                Action::Continue
            }
        }
    }

    fn tick(&self, root: u32) {
        self.hooks.on_tick(root);
    }

    fn root_call_response(&self, root: u32, token: CallToken, body_size: usize) {
        self.hooks.on_root_call_response(root, token, body_size);
    }
}

// === impl HttpShim ===

impl HttpShim {
    pub(crate) fn new(context: u32, root: u32, plugin: Rc<dyn HttpPlugin>) -> Self {
        let slot = plugin.open();
        Self { plugin, slot, stream: Stream::new(context, root) }
    }

    fn directed(&mut self, direction: Direction, event: Event) -> Action {
        abi::callback(Action::Pause, || {
            if self.stream.replied {
                // What arrives in the response direction is our own reply: to pause it would hang the client.
                return if direction == Direction::Request { Action::Pause } else { Action::Continue };
            }
            let mut action = self.plugin.event(self.slot, &mut self.stream, event);
            if self.failed() {
                action = Action::Pause;
            }
            self.stream.returned(direction, matches!(event, Event::Headers(..)), action);
            after::run(self.stream.context);
            action
        })
    }

    /// Whether the proxy refused an edit that could not say so; the stream is then answered rather than let go half edited.
    fn failed(&mut self) -> bool {
        let Some(error) = fault::take() else { return false };
        log::error!("the filter failed: {error:#}");
        self.stream.reply(&LocalReply::new(http::StatusCode::INTERNAL_SERVER_ERROR).with_details("inproxy_filter_error"));
        // Of the reply itself: there is nobody left to tell.
        if let Some(error) = fault::take() {
            log::error!("{error:#}");
        }
        true
    }
}

impl Drop for HttpShim {
    fn drop(&mut self) {
        self.plugin.close(self.slot);
    }
}

impl Context for HttpShim {
    fn on_http_call_response(&mut self, token: u32, headers: usize, body_size: usize, _trailers: usize) {
        abi::callback((), || {
            self.plugin.event(self.slot, &mut self.stream, Event::Call(CallToken(token), headers, body_size));
            self.failed();
            after::run(self.stream.context);
        });
    }
}

impl HttpContext for HttpShim {
    fn on_http_request_headers(&mut self, _: usize, end_of_stream: bool) -> Action {
        self.directed(Direction::Request, Event::Headers(Direction::Request, end_of_stream))
    }

    fn on_http_request_body(&mut self, size: usize, end_of_stream: bool) -> Action {
        self.directed(Direction::Request, Event::Body(Direction::Request, size, end_of_stream))
    }

    fn on_http_request_trailers(&mut self, _: usize) -> Action {
        self.directed(Direction::Request, Event::Trailers(Direction::Request))
    }

    fn on_http_response_headers(&mut self, _: usize, end_of_stream: bool) -> Action {
        self.directed(Direction::Response, Event::Headers(Direction::Response, end_of_stream))
    }

    fn on_http_response_body(&mut self, size: usize, end_of_stream: bool) -> Action {
        self.directed(Direction::Response, Event::Body(Direction::Response, size, end_of_stream))
    }

    fn on_http_response_trailers(&mut self, _: usize) -> Action {
        self.directed(Direction::Response, Event::Trailers(Direction::Response))
    }

    fn on_log(&mut self) {
        abi::callback((), || {
            self.plugin.event(self.slot, &mut self.stream, Event::Log);
            // Nothing can be answered any more.
            if let Some(error) = fault::take() {
                log::error!("the filter failed: {error:#}");
            }
            after::run(self.stream.context);
        });
    }
}
