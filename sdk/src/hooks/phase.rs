//! What each callback can see and do. A phase that cannot do a thing has no method for it.

use std::marker::PhantomData;

use super::{Action, CallToken, HttpCall, above::Sizes, call::answered};
use crate::{
    abi::{self, BufferType, MapType, StreamType},
    attributes::{Attributes, There, as_attributes},
    body::BodyBuffer,
    config::routed,
    envoy::{self, ForeignError},
    error::HostError,
    headers::{Headers, HeadersMut, Source},
    reply::LocalReply,
};

/// One of the two ways through a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the client to the upstream.
    Request,
    /// From the upstream to the client.
    Response,
}

/// What the shim knows of a stream.
#[derive(Debug)]
pub(crate) struct Stream {
    pub(crate) context: u32,
    pub(crate) root: u32,
    /// This filter has answered: what follows of the stream is its own reply.
    pub(crate) replied: bool,
    /// The response's headers have gone on: nobody can answer any more.
    answered: bool,
    request: Hold,
    response: Hold,
}

/// What the proxy was told to hold back in one direction.
#[derive(Clone, Copy, Debug, Default)]
struct Hold {
    headers: bool,
    paused: bool,
    /// It is to go on when the running callback has returned.
    resumes: bool,
}

// === impl Direction ===

impl Direction {
    pub(crate) const fn stream_type(self) -> StreamType {
        match self {
            Self::Request => StreamType::HttpRequest,
            Self::Response => StreamType::HttpResponse,
        }
    }

    pub(crate) const fn headers(self) -> MapType {
        match self {
            Self::Request => MapType::HttpRequestHeaders,
            Self::Response => MapType::HttpResponseHeaders,
        }
    }

    pub(crate) const fn trailers(self) -> MapType {
        match self {
            Self::Request => MapType::HttpRequestTrailers,
            Self::Response => MapType::HttpResponseTrailers,
        }
    }

    pub(crate) const fn body(self) -> BufferType {
        match self {
            Self::Request => BufferType::HttpRequestBody,
            Self::Response => BufferType::HttpResponseBody,
        }
    }
}

// === impl Hold ===

impl Hold {
    const NOT: Self = Self { headers: false, paused: false, resumes: false };
}

// === impl Stream ===

impl Stream {
    pub(crate) const fn new(context: u32, root: u32) -> Self {
        Self { context, root, replied: false, answered: false, request: Hold::NOT, response: Hold::NOT }
    }

    const fn hold(&mut self, direction: Direction) -> &mut Hold {
        match direction {
            Direction::Request => &mut self.request,
            Direction::Response => &mut self.response,
        }
    }

    /// Keeps account of what a callback returned.
    pub(crate) const fn returned(&mut self, direction: Direction, at_headers: bool, action: Action) {
        let hold = self.hold(direction);
        hold.paused = matches!(action, Action::Pause);
        hold.headers = hold.paused && (at_headers || hold.headers);
        if matches!(direction, Direction::Response) && !self.response.headers {
            self.answered = true;
        }
    }

    /// Answers once. When the response's headers have gone on it is too late: the stream is reset, since a late reply would pass for the end of a success.
    pub(crate) fn reply(&mut self, reply: &LocalReply) {
        if self.replied {
            log::warn!("a second reply is not sent");
            return;
        }
        let outcome = if self.answered {
            log::error!("the stream is reset: the response's headers went on before the filter answered");
            abi::close_stream(StreamType::HttpResponse).map_err(|status| HostError::new("reset a stream", status).into())
        } else {
            reply.send()
        };
        match outcome {
            Ok(()) => self.replied = true,
            Err(error) => crate::fault::record(error),
        }
    }

    const fn resume(&mut self, direction: Direction) {
        let hold = self.hold(direction);
        hold.resumes |= hold.paused;
    }

    /// Has the proxy resume what the callback that ends here let go: not before, since it might still answer, and an answer or a reset in the callback in which a response was resumed, and has ended
    /// with that, crashes Envoy.
    pub(crate) fn go_on(&mut self) -> Result<(), HostError> {
        for direction in [Direction::Request, Direction::Response] {
            let resumes = std::mem::take(&mut self.hold(direction).resumes) && !self.replied;
            if resumes {
                *self.hold(direction) = Hold::NOT;
                abi::continue_stream(direction.stream_type()).map_err(|status| HostError::new("resume a stream", status))?;
                self.answered |= matches!(direction, Direction::Response);
            }
        }
        Ok(())
    }
}

macro_rules! headers_phase {
    ($(#[$doc:meta])* $name:ident, $direction:expr) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name<'a> {
            pub(crate) stream: &'a mut Stream,
            pub(crate) end_of_stream: bool,
        }

        impl $name<'_> {
            /// The headers, for reading.
            pub fn headers(&self) -> Headers<'_> {
                Headers::new(Source::Proxy($direction.headers()))
            }

            /// The headers, for changes.
            pub fn headers_mut(&mut self) -> HeadersMut<'_> {
                HeadersMut::with_framing($direction.headers())
            }

            /// What the proxy knows of the stream beside its headers.
            pub fn attributes(&self) -> Attributes<'_> {
                Attributes::in_own_callback(self.stream.root, there(self.stream, $direction, true))
            }

            /// Whether neither body nor trailers follow.
            pub fn end_of_stream(&self) -> bool {
                self.end_of_stream
            }

            /// Sends a call-out; its answer comes to [`on_call_response`](super::HttpHooks::on_call_response).
            ///
            /// # Errors
            ///
            /// [`HostError`] if the proxy sends nothing: "bad argument" for an unknown cluster or a missing pseudo header, "internal failure"
            /// for an invalid header or a cluster without a healthy endpoint.
            pub fn call(&mut self, call: &HttpCall) -> Result<CallToken, HostError> {
                call.dispatch()
            }

            /// Answers the request; the returned action is what the callback must return.
            pub fn reply(self, reply: LocalReply) -> Action {
                self.stream.reply(&reply);
                Action::Pause
            }
        }
    };
}

macro_rules! body_phase {
    ($(#[$doc:meta])* $name:ident, $direction:expr) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name<'a> {
            pub(crate) stream: &'a mut Stream,
            pub(crate) size: usize,
            pub(crate) end_of_stream: bool,
        }

        impl $name<'_> {
            /// The bytes that the proxy holds now: this part, and those before it that were paused.
            pub fn buffer(&mut self) -> BodyBuffer<'_> {
                BodyBuffer::new($direction.body(), self.size)
            }

            /// What the proxy knows of the stream beside its headers.
            pub fn attributes(&self) -> Attributes<'_> {
                Attributes::in_own_callback(self.stream.root, there(self.stream, $direction, false))
            }

            /// Whether nothing follows.
            pub fn end_of_stream(&self) -> bool {
                self.end_of_stream
            }

            /// `Pause` while this direction's headers are held, else `Continue`.
            pub fn while_headers_are_held(&self) -> Action {
                while_held(self.stream, $direction)
            }

            /// Sends a call-out; as [`RequestHeaders::call`].
            ///
            /// # Errors
            ///
            /// As [`RequestHeaders::call`].
            pub fn call(&mut self, call: &HttpCall) -> Result<CallToken, HostError> {
                call.dispatch()
            }
        }
    };
}

macro_rules! trailers_phase {
    ($(#[$doc:meta])* $name:ident, $direction:expr, $map:expr) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name<'a> {
            pub(crate) stream: &'a mut Stream,
        }

        impl $name<'_> {
            /// The trailers, for reading.
            pub fn trailers(&self) -> Headers<'_> {
                Headers::new(Source::Proxy($map))
            }

            /// The trailers, for changes.
            pub fn trailers_mut(&mut self) -> HeadersMut<'_> {
                HeadersMut::with_framing($map)
            }

            /// What the proxy knows of the stream beside its headers.
            pub fn attributes(&self) -> Attributes<'_> {
                Attributes::in_own_callback(self.stream.root, there(self.stream, $direction, false))
            }

            /// `Pause` while this direction's headers are held, else `Continue`.
            pub fn while_headers_are_held(&self) -> Action {
                while_held(self.stream, $direction)
            }
        }
    };
}

headers_phase!(
    /// The request's headers are here.
    RequestHeaders, Direction::Request
);
headers_phase!(
    /// The response's headers are here; a reply replaces the response.
    ResponseHeaders, Direction::Response
);
body_phase!(
    /// A part of the request's body is here.
    RequestBody, Direction::Request
);
body_phase!(
    /// A part of the response's body is here.
    ResponseBody, Direction::Response
);
trailers_phase!(
    /// The request's trailers are here.
    RequestTrailers, Direction::Request, MapType::HttpRequestTrailers
);
trailers_phase!(
    /// The response's trailers are here.
    ResponseTrailers, Direction::Response, MapType::HttpResponseTrailers
);

impl RequestHeaders<'_> {
    /// Has the proxy choose the route anew; as [`Request::clear_route_cache`](crate::Request::clear_route_cache).
    ///
    /// # Errors
    ///
    /// [`ForeignError`].
    pub fn clear_route_cache(&mut self) -> Result<(), ForeignError> {
        envoy::clear_route_cache()
    }
}

routed!(RequestHeaders<'_>);
as_attributes!(
    RequestHeaders<'_>,
    ResponseHeaders<'_>,
    RequestBody<'_>,
    ResponseBody<'_>,
    RequestTrailers<'_>,
    ResponseTrailers<'_>,
    CallResponse<'_>,
    Finished<'_>
);

const fn while_held(stream: &Stream, direction: Direction) -> Action {
    let hold = match direction {
        Direction::Request => stream.request,
        Direction::Response => stream.response,
    };
    if hold.headers { Action::Pause } else { Action::Continue }
}

/// Which attributes can be there in a callback of a direction.
const fn there(stream: &Stream, direction: Direction, at_headers: bool) -> There {
    match direction {
        Direction::Request if at_headers || stream.request.headers => There::REQUEST_HEADERS,
        Direction::Request => There::REQUEST,
        Direction::Response => There::RESPONSE,
    }
}

/// A call-out was answered, or failed.
#[derive(Debug)]
pub struct CallResponse<'a> {
    pub(crate) stream: &'a mut Stream,
    pub(crate) token: CallToken,
    pub(crate) sizes: Sizes,
}

// === impl CallResponse ===

impl CallResponse<'_> {
    answered!();

    /// What the proxy knows of the stream beside its headers, wherever that stands.
    pub fn attributes(&self) -> Attributes<'_> {
        Attributes::in_callback(There::ANYWHERE)
    }

    /// The request's headers, while they are held.
    pub fn request_headers(&mut self) -> HeadersMut<'_> {
        HeadersMut::with_framing(MapType::HttpRequestHeaders)
    }

    /// Lets the request go on when the callback has returned, unless it has [answered](Self::reply) by then. Does nothing if the request is not held. Should the proxy refuse, the filter has failed.
    pub fn resume_request(&mut self) {
        self.stream.resume(Direction::Request);
    }

    /// Lets the response go on; as [`resume_request`](Self::resume_request).
    pub fn resume_response(&mut self) {
        self.stream.resume(Direction::Response);
    }

    /// Sends another call-out; as [`RequestHeaders::call`].
    ///
    /// # Errors
    ///
    /// As [`RequestHeaders::call`].
    pub fn call(&mut self, call: &HttpCall) -> Result<CallToken, HostError> {
        call.dispatch()
    }

    /// Answers the request. Once the response's headers have gone on, the stream is reset instead.
    pub fn reply(self, reply: LocalReply) {
        self.stream.reply(&reply);
    }
}

/// The stream is over: its headers and trailers can be read once more.
#[derive(Debug)]
pub struct Finished<'a> {
    /// Whether the filter itself answered.
    replied: bool,
    /// Its root context.
    root: u32,
    stream: PhantomData<&'a ()>,
}

// === impl Finished ===

impl Finished<'_> {
    /// A stream as a filter leaves it.
    pub(crate) const fn of(stream: &Stream) -> Self {
        Self { replied: stream.replied, root: stream.root, stream: PhantomData }
    }

    /// A stream as one sees it that is no filter of it.
    pub(crate) const fn unfiltered(root: u32) -> Self {
        Self { replied: false, root, stream: PhantomData }
    }

    /// The request's headers, as they went on.
    pub fn request_headers(&self) -> Headers<'_> {
        Headers::new(Source::Proxy(MapType::HttpRequestHeaders))
    }

    /// The response's headers, as they went to the client.
    pub fn response_headers(&self) -> Headers<'_> {
        Headers::new(Source::Proxy(MapType::HttpResponseHeaders))
    }

    /// The response's trailers, as they went to the client.
    pub fn response_trailers(&self) -> Headers<'_> {
        Headers::new(Source::Proxy(MapType::HttpResponseTrailers))
    }

    /// What the proxy knows of the stream beside its headers: all that there is.
    pub fn attributes(&self) -> Attributes<'_> {
        Attributes::in_own_callback(self.root, There::OVER)
    }

    /// Whether this filter itself answered the request. Of an access logger, never.
    pub fn replied(&self) -> bool {
        self.replied
    }
}
