//! How a stream ends: with what `handle` returned, or with an error, by the filter's policy.

use http::StatusCode;

use super::{BodyError, Response, response::Origin, starting::NotReady};
use crate::{
    Error, Result, abi, fault,
    hooks::Direction,
    reply::LocalReply,
    runtime::{Exchange, Stage, StreamId, Verdict},
};

/// The gRPC status of a reply that stands for an error of the filter.
const GRPC_INTERNAL: u32 = 13;
const GRPC_UNAVAILABLE: u32 = 14;

/// `handle` has ended.
pub(super) fn finish(id: StreamId, result: Result<Response>) {
    // Whoever asked for the response is gone, wherever it was kept.
    if let Some(exchange) = id.exchange() {
        exchange.asked.set(false);
        exchange.awaited.clear();
    }
    // An edit was refused: the runtime will fail the stream.
    if fault::pending() {
        return;
    }
    let outcome = match result {
        Ok(Response(Origin::Upstream { stream, .. } | Origin::Sent(stream))) if stream == id => {
            id.release(Direction::Response);
            Ok(())
        }
        Ok(Response(Origin::Upstream { .. } | Origin::Sent(_))) => Err(Error::msg("the response of another request was returned")),
        Ok(Response(Origin::Local(reply))) => answer(id, &reply),
        Err(error) => Err(error),
    };
    if let Err(error) = outcome {
        id.fail(error);
    }
    give_up(id);
}

/// Resets a stream that nothing else will end: the upstream answered early and waits for the rest of the request, which the filter has not let go.
pub(super) fn give_up(id: StreamId) {
    let stuck = id.exchange().is_some_and(|exchange| {
        let Exchange { request, response, .. } = exchange;
        exchange.verdict.get() == Verdict::Early && request.stage.get() == Stage::Body && request.ended.get() && !response.ended.get()
    });
    if stuck && id.has_ended() {
        log::error!("the stream is reset: the request was answered early, and its body was not let go");
        reset(id);
    }
}

/// Answers in the place of the upstream, as far as that is still possible.
fn answer(id: StreamId, reply: &LocalReply) -> Result<()> {
    let Some(exchange) = id.exchange() else { return Ok(()) };
    match (exchange.verdict.get(), exchange.response.stage.get()) {
        (Verdict::Given | Verdict::Reset, _) => {}
        (Verdict::Early, _) => log::debug!("a reply was not sent: the request had been answered"),
        (Verdict::Open, Stage::Ahead | Stage::Headers) => {
            reply.send()?;
            exchange.verdict.set(Verdict::Given);
        }
        // A late reply would pass for the end of a success.
        (Verdict::Open, Stage::Body | Stage::Passed) => {
            log::error!("the stream is reset: the response's headers went on before the filter answered");
            reset(id);
        }
    }
    Ok(())
}

/// As [`answer`]; what the proxy does not send is a reset.
pub(super) fn answer_or_reset(id: StreamId, reply: &LocalReply) {
    if let Err(error) = answer(id, reply) {
        log::error!("the stream is reset: {error:#}");
        reset(id);
    }
}

fn reset(id: StreamId) {
    if let Some(exchange) = id.exchange() {
        exchange.verdict.set(Verdict::Reset);
    }
    if let Err(status) = abi::close_stream(Direction::Response.stream_type()) {
        log::error!("the stream could not be reset: the proxy answered {status}");
    }
}

/// [`OnError::Deny`].
pub(super) fn deny(id: StreamId, error: Error) {
    let Some(exchange) = id.exchange() else { return };
    if exchange.verdict.get() == Verdict::Early {
        log::debug!("the filter ended after the request had been answered: {error:#}");
        // A part that must not go on as it is, nor stay here.
        if exchange.request.broken.get() {
            reset(id);
        }
        return;
    }
    // The proxy itself has answered, and the filter has read it off the request's body.
    if exchange.aborted.get() && !exchange.response.broken.get() && matches!(error.downcast_ref(), Some(BodyError::EarlyResponse)) {
        log::debug!("the filter ended when the proxy had answered: {error:#}");
        id.release(Direction::Response);
        return;
    }
    log::error!("the filter failed: {error:#}");
    let too_large = matches!(error.downcast_ref(), Some(BodyError::TooLarge { .. }));
    let reply = if too_large && exchange.response.stage.get() == Stage::Ahead {
        LocalReply::new(StatusCode::PAYLOAD_TOO_LARGE).with_details("inproxy_request_body_too_large")
    } else if error.downcast_ref::<NotReady>().is_some() {
        LocalReply::new(StatusCode::SERVICE_UNAVAILABLE).with_details("inproxy_not_ready").with_grpc_status(GRPC_UNAVAILABLE)
    } else {
        LocalReply::filter_error().with_grpc_status(GRPC_INTERNAL)
    };
    answer_or_reset(id, &reply);
}

/// [`OnError::Allow`].
pub(super) fn allow(id: StreamId, error: Error) {
    let Some(exchange) = id.exchange() else { return };
    // Of what was to be changed, and is not, nobody said that it may go on as it is.
    if [&exchange.request, &exchange.response].iter().any(|side| side.broken.get() && side.stage.get() != Stage::Passed) {
        return deny(id, error);
    }
    if exchange.verdict.get() == Verdict::Early {
        log::debug!("the filter ended after the request had been answered: {error:#}");
        // What the upstream still waits for goes on; while the answer passes nothing can be resumed, and it goes on when more of it comes.
        if exchange.request.stage.get() == Stage::Body {
            match exchange.entered.get() {
                Some(Direction::Response) => exchange.request.stage.set(Stage::Passed),
                _ => id.release(Direction::Request),
            }
        }
        return;
    }
    log::warn!("the filter failed, the request goes on: {error:#}");
    for direction in [Direction::Request, Direction::Response] {
        if exchange.verdict.get() != Verdict::Given && matches!(exchange.side(direction).stage.get(), Stage::Headers | Stage::Body) {
            id.release(direction);
        }
    }
}
