//! The async layer as an implementation of [`HttpHooks`]: turns callbacks into wake-ups, and what became of a future into actions.

use std::rc::Rc;

use super::{
    BodyError, HttpFilter, OnError, body, outcome,
    starting::{ConfigureAsync, Made, Source, Starting},
};
use crate::{
    Configure, Result,
    abi::{self, needs},
    hooks::{
        Action, CallResponse, Direction, Finished, Holds, HttpHooks, Plugged, Registration, RequestBody, RequestHeaders, RequestTrailers,
        ResponseBody, ResponseHeaders, ResponseTrailers, Stamp, configure,
    },
    reply::LocalReply,
    runtime::{Exchange, Side, Stage, StreamId, Verdict, calls},
};

struct Async<S> {
    source: S,
    on_error: OnError,
}

/// A stream of the proxy that runs a future; closed when the proxy forgets it, whatever it called before.
#[derive(Default)]
pub(crate) struct AsyncStream(Option<StreamId>);

/// What follows the headers of a direction.
#[derive(Clone, Copy)]
enum Piece {
    /// All of the body that the proxy holds.
    Body {
        size: usize,
        end_of_stream: bool,
    },
    Trailers,
}

// === impl Registration ===

impl Registration {
    /// A filter that implements [`HttpFilter`]; `stamp` as for [`hooks`](Self::hooks), the others as the options of `#[filter]`.
    pub const fn http<F: HttpFilter + Configure, const ALLOW: bool, const HELD: bool, const WAITS: bool>(stamp: Stamp) -> Self {
        Self::new(stamp, |json, mut plugin| {
            may_be_plugged::<HELD, WAITS>()?;
            Ok(plugged::<_, ALLOW>(Made(Rc::new(configure::<F>(json, &mut plugin)?))))
        })
    }

    /// As [`http`](Self::http), for a filter that is made by an async function.
    pub const fn http_async<F: HttpFilter + ConfigureAsync, const ALLOW: bool, const HELD: bool, const WAITS: bool>(stamp: Stamp) -> Self {
        Self::new(stamp, |json, plugin| {
            may_be_plugged::<HELD, WAITS>()?;
            Ok(plugged::<_, ALLOW>(Starting::<F>::begin(json, plugin)?))
        })
    }
}

fn may_be_plugged<const HELD: bool, const WAITS: bool>() -> Result<()> {
    needs!("request_headers", "request_body", "request_trailers", "response_headers");
    if WAITS {
        needs!("response_body", "response_trailers");
    }
    if HELD && !body::can_hold() { Err(BodyError::NotHeld.into()) } else { Ok(()) }
}

fn plugged<S: Source, const ALLOW: bool>(source: S) -> Rc<Plugged<Async<S>>> {
    let on_error = if ALLOW { OnError::Allow } else { OnError::Deny };
    Rc::new(Plugged::new(Async { source, on_error }, Holds { request: true, response: true }))
}

// === impl Async ===

impl<S: Source> HttpHooks for Async<S> {
    type Stream = AsyncStream;

    fn on_request_headers(&self, stream: &mut AsyncStream, request: RequestHeaders<'_>) -> Action {
        let on_error = self.on_error;
        let fail = match on_error {
            OnError::Deny => outcome::deny,
            OnError::Allow => outcome::allow,
        };
        let end_of_stream = request.end_of_stream();
        let id = StreamId::open(request.stream.context, request.stream.root, fail, end_of_stream);
        stream.0 = Some(id);
        id.spawn(self.source.task(id, !end_of_stream));
        stream.leave(Direction::Request, true)
    }

    fn on_request_body(&self, stream: &mut AsyncStream, body: RequestBody<'_>) -> Action {
        stream.more(Direction::Request, Piece::Body { size: body.size, end_of_stream: body.end_of_stream })
    }

    fn on_request_trailers(&self, stream: &mut AsyncStream, _: RequestTrailers<'_>) -> Action {
        stream.more(Direction::Request, Piece::Trailers)
    }

    fn on_response_headers(&self, stream: &mut AsyncStream, response: ResponseHeaders<'_>) -> Action {
        let Some((id, exchange)) = stream.open() else { return Action::Continue };
        let end_of_stream = response.end_of_stream();
        if exchange.verdict.get() == Verdict::Open {
            exchange.entered.set(Some(Direction::Response));
            if exchange.asked.get() {
                exchange.response.arrived(Stage::Headers, end_of_stream);
                // The request's body is still being read: it ends here, if it is not the upstream that answers.
                if exchange.request.stage.get() == Stage::Body && !exchange.request.ended.get() && !abi::is_of_the_upstream() {
                    exchange.aborted.set(true);
                    id.wake(&exchange.request.reader);
                }
                id.wake(&exchange.awaited);
                id.run();
            } else {
                // Nobody asked for it: it passes, and whoever still reads the request is told.
                exchange.response.arrived(Stage::Passed, end_of_stream);
                if exchange.request.stage.get() != Stage::Passed {
                    exchange.verdict.set(Verdict::Early);
                    id.wake_and_run(&exchange.request.reader);
                }
            }
        }
        match stream.leave(Direction::Response, true) {
            Action::Pause if !abi::response_body_is_there() => {
                log::error!(
                    "the filter holds a response, and waits for what is not the SDK's; its module was trimmed for one that does not: write #[filter(waits)]"
                );
                outcome::answer_or_reset(id, &LocalReply::filter_error());
                stream.leave(Direction::Response, true)
            }
            action => action,
        }
    }

    fn on_response_body(&self, stream: &mut AsyncStream, body: ResponseBody<'_>) -> Action {
        stream.more(Direction::Response, Piece::Body { size: body.size, end_of_stream: body.end_of_stream })
    }

    fn on_response_trailers(&self, stream: &mut AsyncStream, _: ResponseTrailers<'_>) -> Action {
        stream.more(Direction::Response, Piece::Trailers)
    }

    fn on_call_response(&self, _: &mut AsyncStream, call: CallResponse<'_>) {
        calls::answered(call.token, call.sizes);
    }

    fn on_log(&self, stream: &mut AsyncStream, _: Finished<'_>) {
        stream.close();
    }
}

// === impl AsyncStream ===

impl AsyncStream {
    /// The stream, and what is known of it, while it is open.
    fn open(&self) -> Option<(StreamId, &'static Exchange)> {
        let id = self.0?;
        Some((id, id.exchange()?))
    }

    /// More of a direction has arrived.
    fn more(&self, direction: Direction, piece: Piece) -> Action {
        let Some((id, exchange)) = self.open() else { return Action::Continue };
        let side = exchange.side(direction);
        if !matches!(exchange.verdict.get(), Verdict::Given | Verdict::Reset) {
            if side.stage.get() == Stage::Passed {
                side.ended.set(matches!(piece, Piece::Trailers | Piece::Body { end_of_stream: true, .. }));
                Self::map(id, side, piece);
            } else {
                exchange.entered.set(Some(direction));
                Self::arrived(id, side, piece);
            }
        }
        if direction == Direction::Request {
            outcome::give_up(id);
        }
        self.leave(direction, false)
    }

    /// More of what user code waits for.
    fn arrived(id: StreamId, side: &Side, piece: Piece) {
        match piece {
            Piece::Body { size, end_of_stream } => side.body_arrived(size, end_of_stream),
            Piece::Trailers => side.trailers_arrived(),
        }
        // Envoy delivers body and trailers from within the call that resumes a stream at its headers. To let trailers go on from there loses a body that was held:
        // the future then runs in the next tick.
        if matches!(piece, Piece::Trailers) && side.resumed.get() {
            id.wake(&side.reader);
        } else {
            id.wake_and_run(&side.reader);
        }
    }

    /// More of what goes by.
    fn map(id: StreamId, side: &Side, piece: Piece) {
        let Some(mut mapper) = side.take_mapper() else { return };
        let (size, last, trailers) = match piece {
            Piece::Body { size, end_of_stream } => (size, end_of_stream, false),
            Piece::Trailers => (0, true, true),
        };
        match mapper(size, last, trailers) {
            Ok(()) if last => {}
            Ok(()) => side.set_mapper(mapper),
            Err(error) => {
                side.broken.set(true);
                id.fail(error);
            }
        }
    }

    /// What the running callback returns.
    fn leave(&self, direction: Direction, at_headers: bool) -> Action {
        self.open().map_or(Action::Continue, |(_, exchange)| exchange.leave(direction, at_headers))
    }

    fn close(&mut self) {
        if let Some(id) = self.0.take() {
            id.close();
        }
    }
}

impl Drop for AsyncStream {
    fn drop(&mut self) {
        self.close();
    }
}
