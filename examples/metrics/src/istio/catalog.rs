/// A metric, before it is customized: its name is without the prefix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Metric {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) applies: Applies,
    pub(crate) value: Value,
}

/// What is made of the values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Counter,
    Gauge,
    Histogram,
}

/// What it is a metric of, which says when it is counted and how many labels there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Applies {
    /// A request, of HTTP or gRPC, when it is over.
    Request,
    /// The messages of a gRPC request, as they come.
    Messages,
    /// A TCP connection, as it goes on.
    Connection,
}

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    One,
    DurationMilliseconds,
    RequestBytes,
    ResponseBytes,
    RequestMessages,
    ResponseMessages,
    SentBytes,
    ReceivedBytes,
    Opened,
    Closed,
    /// One of the operator's definitions, by its place.
    Defined(usize),
}

/// Istio's standard metrics.
pub(crate) fn standard() -> Vec<Metric> {
    use Applies::*;
    use Kind::*;
    [
        ("requests_total", Counter, Request, Value::One),
        ("request_duration_milliseconds", Histogram, Request, Value::DurationMilliseconds),
        ("request_bytes", Histogram, Request, Value::RequestBytes),
        ("response_bytes", Histogram, Request, Value::ResponseBytes),
        ("request_messages_total", Counter, Messages, Value::RequestMessages),
        ("response_messages_total", Counter, Messages, Value::ResponseMessages),
        ("tcp_sent_bytes_total", Counter, Connection, Value::SentBytes),
        ("tcp_received_bytes_total", Counter, Connection, Value::ReceivedBytes),
        ("tcp_connections_opened_total", Counter, Connection, Value::Opened),
        ("tcp_connections_closed_total", Counter, Connection, Value::Closed),
    ]
    .map(|(name, kind, applies, value)| Metric { name: name.to_owned(), kind, applies, value })
    .into()
}

// === impl Applies ===

impl Applies {
    /// How many of the labels such a metric has.
    pub(crate) const fn labels(self) -> usize {
        match self {
            Self::Request => 25,
            Self::Messages => 20,
            Self::Connection => 23,
        }
    }
}
