use super::Waiter;
use crate::hooks::{Action, Direction};

/// What is known of one HTTP exchange: where each direction stands, and what user code owns of it.
///
/// A direction is held exactly while user code owns its current piece.
#[derive(Debug, Default)]
pub(crate) struct Exchange {
    pub(crate) request: Side,
    pub(crate) response: Side,
    /// The direction whose callback runs; its return value lets the direction go on, a call would do it twice.
    pub(crate) entered: Option<Direction>,
    /// Whether the response belongs to [`Next`](crate::Next): asked for, and not yet handed over.
    pub(crate) asked: bool,
    /// Who waits for it.
    pub(crate) awaited: Waiter,
    /// The response was asked for by somebody who is gone.
    pub(crate) abandoned: bool,
    pub(crate) verdict: Verdict,
}

/// How the exchange is answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// By the upstream, or not yet.
    #[default]
    Open,
    /// By this filter, with a local reply.
    Given,
    /// Not at all: the stream was reset.
    Reset,
    /// By somebody else, before the filter let the request go on.
    Early,
}

/// One direction of the exchange.
#[derive(Debug, Default)]
pub(crate) struct Side {
    pub(crate) stage: Stage,
    /// All of it has arrived.
    pub(crate) ended: bool,
    /// Trailers are behind its body.
    pub(crate) trailers: bool,
    /// How many bytes of its body the proxy holds.
    pub(crate) size: usize,
    /// The proxy was told to pause it.
    paused: bool,
    /// Its headers were let go by a call, and not by the return of their callback.
    pub(crate) resumed: bool,
    /// The proxy holds headers, and behind them body or trailers that it has shown us already: it will not show them again.
    buffered: bool,
    /// Who reads its body.
    pub(crate) reader: Waiter,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Stage {
    /// It has not arrived.
    #[default]
    Ahead,
    /// User code has the headers.
    Headers,
    /// User code has the body; the headers went on.
    Body,
    /// User code has nothing of it any more.
    Passed,
}

// === impl Exchange ===

impl Exchange {
    /// A request has just arrived, in its callback.
    pub(super) fn open(&mut self, end_of_stream: bool) {
        *self = Self::default();
        self.entered = Some(Direction::Request);
        self.arrived(Direction::Request, Stage::Headers, end_of_stream);
    }

    /// What of it is user code's.
    pub(super) fn take_waiters(&mut self) -> [Waiter; 3] {
        [self.request.reader.take(), self.response.reader.take(), self.awaited.take()]
    }

    /// Whether a response arrived for a [`Run`](crate::http::Run) which was dropped since, while the filter goes on with other things.
    pub(super) fn was_abandoned(&mut self) -> bool {
        self.response.stage == Stage::Headers && std::mem::take(&mut self.abandoned)
    }

    pub(crate) fn side(&mut self, direction: Direction) -> &mut Side {
        match direction {
            Direction::Request => &mut self.request,
            Direction::Response => &mut self.response,
        }
    }

    /// The headers of a direction have arrived.
    pub(crate) fn arrived(&mut self, direction: Direction, stage: Stage, end_of_stream: bool) {
        let side = self.side(direction);
        side.stage = stage;
        side.ended = end_of_stream;
    }

    /// More of a direction's body has arrived, in all so many bytes. Returns who is to be woken, when nothing is borrowed any more.
    pub(crate) fn body_arrived(&mut self, direction: Direction, size: usize, end_of_stream: bool) -> Waiter {
        let side = self.side(direction);
        side.size = size;
        side.ended = end_of_stream;
        side.reader.take()
    }

    /// The trailers of a direction have arrived. Returns who is to be woken.
    pub(crate) fn trailers_arrived(&mut self, direction: Direction) -> Waiter {
        let side = self.side(direction);
        side.trailers = true;
        side.ended = true;
        side.reader.take()
    }

    /// User code lets a direction go. Whether the proxy must be told by a call, since no callback of this direction will return.
    pub(crate) fn release(&mut self, direction: Direction) -> bool {
        let by_return = self.entered == Some(direction);
        if !self.may_go_on(direction) {
            return false;
        }
        let side = self.side(direction);
        side.stage = Stage::Passed;
        !by_return && side.unpause()
    }

    /// User code lets the headers of a direction go, and keeps the body. Whether the proxy must be told by a call.
    pub(crate) fn release_headers(&mut self, direction: Direction) -> bool {
        let by_return = self.entered == Some(direction);
        if !self.may_go_on(direction) {
            return false;
        }
        let side = self.side(direction);
        side.stage = Stage::Body;
        // What the proxy has shown already would go on together with the headers: it waits for the body then.
        side.resumed = !by_return && !side.buffered && side.unpause();
        side.resumed
    }

    /// Whether a direction can still go on: not once the exchange is answered, but for a request whose headers the upstream has already.
    fn may_go_on(&mut self, direction: Direction) -> bool {
        match self.verdict {
            Verdict::Open => true,
            Verdict::Early => direction == Direction::Response || self.request.stage == Stage::Body,
            Verdict::Given | Verdict::Reset => false,
        }
    }

    /// What the callback of a direction returns.
    pub(crate) fn action(&mut self, direction: Direction, at_headers: bool) -> Action {
        match (self.verdict, direction) {
            // It shows our own reply: to pause it would hang the client.
            (Verdict::Given, Direction::Response) => return Action::Continue,
            (Verdict::Given, Direction::Request) | (Verdict::Reset, _) => return Action::Pause,
            (Verdict::Open | Verdict::Early, _) => {}
        }
        let side = self.side(direction);
        let pass = side.stage == Stage::Passed || (side.stage == Stage::Body && at_headers);
        if side.stage == Stage::Headers && !at_headers && side.paused {
            side.buffered = true;
        }
        side.paused = !pass;
        if pass { Action::Continue } else { Action::Pause }
    }
}

// === impl Side ===

impl Side {
    fn unpause(&mut self) -> bool {
        std::mem::take(&mut self.paused)
    }
}
