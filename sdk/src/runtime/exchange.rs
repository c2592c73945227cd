use std::cell::Cell;

use super::Waiting;
use crate::{
    Result,
    hooks::{Action, Direction},
};

/// What is known of one HTTP exchange: where each direction stands, and what user code owns of it.
///
/// A direction is held exactly while user code owns its current piece.
#[derive(Default)]
pub(crate) struct Exchange {
    pub(crate) request: Side,
    pub(crate) response: Side,
    /// The direction whose callback runs; its return value lets the direction go on, a call would do it twice.
    pub(crate) entered: Cell<Option<Direction>>,
    /// Whether the response belongs to [`Next`](crate::Next): asked for, and not yet handed over.
    pub(crate) asked: Cell<bool>,
    /// Who waits for it.
    pub(crate) awaited: Waiting,
    /// The proxy has answered while the request's body was being read: it delivers no more of that.
    pub(crate) aborted: Cell<bool>,
    /// The response was asked for by somebody who is gone.
    pub(crate) abandoned: Cell<bool>,
    pub(crate) verdict: Cell<Verdict>,
    /// The directions, request and response, that the proxy is to be told to resume when user code has returned.
    resumes: Cell<[bool; 2]>,
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
#[derive(Default)]
pub(crate) struct Side {
    pub(crate) stage: Cell<Stage>,
    /// All of it has arrived.
    pub(crate) ended: Cell<bool>,
    /// There is a body, if an empty one.
    pub(crate) body: Cell<bool>,
    /// Trailers are behind its body.
    pub(crate) trailers: Cell<bool>,
    /// How many bytes of its body the proxy holds.
    pub(crate) size: Cell<usize>,
    /// The proxy was told to pause it.
    paused: Cell<bool>,
    /// Its headers were let go by a call, and not by the return of their callback.
    pub(crate) resumed: Cell<bool>,
    /// The proxy holds headers, and behind them body or trailers that it has shown us already: it will not show them again.
    buffered: Cell<bool>,
    /// Something of it was handled where it must not be, or could not be done: it must not go on.
    pub(crate) broken: Cell<bool>,
    /// Whoever reads its body is done with what has arrived: that may go by.
    flowing: Cell<bool>,
    /// Who reads its body.
    pub(crate) reader: Waiting,
    /// What changes its body as it goes by, and whether there is such a thing, which most bodies ask in vain.
    mapper: Cell<Option<Mapper>>,
    mapped: Cell<bool>,
}

/// Changes what the proxy holds of a body: so many bytes, whether nothing follows, and whether that is because trailers do.
pub(crate) type Mapper = Box<dyn FnMut(usize, bool, bool) -> Result<()>>;

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
    /// A request has just arrived, in its callback. Nobody waits for anything of it yet.
    pub(super) fn open(&self, end_of_stream: bool) {
        self.request.forget();
        self.response.forget();
        self.entered.set(Some(Direction::Request));
        self.asked.set(false);
        self.aborted.set(false);
        self.abandoned.set(false);
        self.verdict.set(Verdict::Open);
        self.request.arrived(Stage::Headers, end_of_stream);
    }

    /// Nobody waits for anything of it any more, and nothing changes it.
    pub(super) fn close(&self) {
        drop(self.request.take_mapper());
        drop(self.response.take_mapper());
        self.request.reader.clear();
        self.response.reader.clear();
        self.awaited.clear();
    }

    /// Whether reads of a direction's body must end, since no more of it comes.
    pub(crate) fn is_cut_short(&self, direction: Direction) -> bool {
        let early = direction == Direction::Request && (self.verdict.get() == Verdict::Early || self.aborted.get());
        early || self.side(direction).stage.get() == Stage::Passed
    }

    /// Whether a response arrived for a [`Run`](crate::http::Run) which was dropped since, while the filter goes on with other things.
    pub(super) fn was_abandoned(&self) -> bool {
        self.response.stage.get() == Stage::Headers && self.abandoned.take()
    }

    pub(crate) fn side(&self, direction: Direction) -> &Side {
        match direction {
            Direction::Request => &self.request,
            Direction::Response => &self.response,
        }
    }

    /// User code lets a direction go.
    pub(crate) fn release(&self, direction: Direction) {
        let side = self.side(direction);
        side.stage.set(Stage::Passed);
        if self.entered.get() != Some(direction) {
            self.resume(direction);
        }
    }

    /// User code lets the headers of a direction go, and keeps the body.
    pub(crate) fn release_headers(&self, direction: Direction) {
        let side = self.side(direction);
        side.stage.set(Stage::Body);
        // What the proxy has shown already would go on together with the headers: it waits for the body then.
        let resumed = self.entered.get() != Some(direction) && !side.buffered.get() && self.resume(direction);
        side.resumed.set(resumed);
    }

    /// User code is done with what has arrived of a direction's body.
    pub(crate) fn let_by(&self, direction: Direction) {
        let side = self.side(direction);
        side.flowing.set(true);
        if self.entered.get() == Some(direction) {
            side.resumed.set(false);
        } else {
            self.resume(direction);
        }
    }

    /// The proxy is to be told by a call that a direction goes on, since no callback of it will return; if it was paused at all.
    fn resume(&self, direction: Direction) -> bool {
        let paused = self.side(direction).paused.take();
        if paused {
            let [request, response] = self.resumes.get();
            self.resumes.set(match direction {
                Direction::Request => [true, response],
                Direction::Response => [request, true],
            });
        }
        paused
    }

    /// Whether there is a direction that the proxy is to resume: after most turns there is none.
    pub(super) fn resumes(&self) -> bool {
        self.resumes.get() != [false, false]
    }

    /// The directions that the proxy is to resume now: none once the exchange is answered, or broken off.
    pub(super) fn take_resumed(&self) -> impl Iterator<Item = Direction> {
        let [request, response] = self.resumes.take();
        let over = matches!(self.verdict.get(), Verdict::Given | Verdict::Reset);
        [(request, Direction::Request), (response, Direction::Response)]
            .into_iter()
            .filter_map(move |(resumes, direction)| (resumes && !over).then_some(direction))
    }

    /// Whether a direction can still go on: not if it has already, nor once the exchange is answered, but for a request whose headers the upstream has already.
    pub(super) fn may_go_on(&self, direction: Direction) -> bool {
        let stage = self.side(direction).stage.get();
        match self.verdict.get() {
            Verdict::Open => stage != Stage::Passed,
            Verdict::Early => stage == Stage::Body,
            Verdict::Given | Verdict::Reset => false,
        }
    }

    /// What the callback of a direction returns, which ends here.
    pub(crate) fn leave(&self, direction: Direction, at_headers: bool) -> Action {
        self.entered.set(None);
        match (self.verdict.get(), direction) {
            // It shows our own reply: to pause it would hang the client.
            (Verdict::Given, Direction::Response) => return Action::Continue,
            (Verdict::Given, Direction::Request) | (Verdict::Reset, _) => return Action::Pause,
            (Verdict::Open | Verdict::Early, _) => {}
        }
        let side = self.side(direction);
        let stage = side.stage.get();
        let pass = stage == Stage::Passed || (stage == Stage::Body && (at_headers || side.flowing.get()));
        if stage == Stage::Headers && !at_headers && side.paused.get() {
            side.buffered.set(true);
        }
        side.paused.set(!pass);
        if pass { Action::Continue } else { Action::Pause }
    }
}

// === impl Side ===

impl Side {
    fn forget(&self) {
        self.stage.set(Stage::Ahead);
        self.ended.set(false);
        self.body.set(false);
        self.trailers.set(false);
        self.size.set(0);
        self.paused.set(false);
        self.resumed.set(false);
        self.buffered.set(false);
        self.flowing.set(false);
        self.broken.set(false);
    }

    /// The headers have arrived.
    pub(crate) fn arrived(&self, stage: Stage, end_of_stream: bool) {
        self.stage.set(stage);
        self.ended.set(end_of_stream);
    }

    /// Has what the proxy holds of the body changed by whatever changes it as it goes by.
    pub(super) fn map_what_is_held(&self) -> Result<()> {
        let Some(mut mapper) = self.take_mapper() else { return Ok(()) };
        if self.body.get() {
            mapper(self.size.get(), self.ended.get(), self.trailers.get())?;
        }
        if !self.ended.get() {
            self.set_mapper(mapper);
        }
        Ok(())
    }

    pub(crate) fn set_mapper(&self, mapper: Mapper) {
        self.mapper.set(Some(mapper));
        self.mapped.set(true);
    }

    pub(crate) fn take_mapper(&self) -> Option<Mapper> {
        if self.mapped.replace(false) { self.mapper.take() } else { None }
    }

    /// More of the body has arrived, in all so many bytes.
    pub(crate) fn body_arrived(&self, size: usize, end_of_stream: bool) {
        self.body.set(true);
        self.size.set(size);
        self.ended.set(end_of_stream);
        self.flowing.set(false);
    }

    /// The trailers have arrived.
    pub(crate) fn trailers_arrived(&self) {
        self.trailers.set(true);
        self.ended.set(true);
        self.flowing.set(false);
    }
}
