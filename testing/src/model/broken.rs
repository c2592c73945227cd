//! Rules of Envoy that the model breaks on purpose, so that a test can see that breaking them is noticed.

/// A rule that the model is to break.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Broken {
    /// Headers that have gone on can be reached in body callbacks.
    HeadersInTheBody,
    /// `proxy_set_buffer_bytes` takes a place in the middle.
    BufferInTheMiddle,
    /// The body of a local reply comes as an upstream's does: first it, then its end.
    RepliesInPieces,
    /// A `cas` of 0 is compared, as any other.
    ConditionalZero,
    /// A call-out that takes too long is answered with nothing, instead of Envoy's own 504.
    SilentTimeouts,
    /// Headers can be reached when a stream is done.
    HeadersAtTheEnd,
    /// The first VM of a worker is not told of new contexts: what it is then called for it does not know.
    UnknownContexts,
}
