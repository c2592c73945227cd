use inproxy::metrics::{Counter, Gauge, GroupBuilder, GroupSeries, Histogram, Member};

use crate::istio::Kind;

/// Which metric of a group, and what is made of its values.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Recorder {
    Counter(Member<Counter>),
    Gauge(Member<Gauge>),
    Histogram(Member<Histogram>),
}

// === impl Recorder ===

impl Recorder {
    pub(crate) fn new(group: &mut GroupBuilder, kind: Kind, name: &str) -> Self {
        match kind {
            Kind::Counter => Self::Counter(group.counter(name)),
            Kind::Gauge => Self::Gauge(group.gauge(name)),
            Kind::Histogram => Self::Histogram(group.histogram(name)),
        }
    }

    pub(crate) fn record(&self, series: &GroupSeries, value: u64) {
        match self {
            Self::Counter(counter) => series.of(counter).add(value),
            Self::Gauge(gauge) => series.of(gauge).set(value),
            Self::Histogram(histogram) => series.of(histogram).record(value),
        }
    }
}
