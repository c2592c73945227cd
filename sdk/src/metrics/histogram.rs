use std::time::Duration;

use super::refused;
use crate::abi;

/// Counts how often values were in which range, over all workers.
///
/// The proxy takes whole numbers: choose a unit that is fine enough, and name the metric by it, as Prometheus wants it: `request_duration_ms`, `response_bytes`. Envoy's histograms are
/// [approximate](https://www.envoyproxy.io/docs/envoy/v1.40.0/intro/arch_overview/observability/statistics): within a few per cent, also in their sum. `/stats` and sinks see what workers have recorded after the next
/// `stats_flush_interval`.
///
/// A filter gets it from [`Plugin::histogram`](crate::Plugin::histogram) or [`Plugin::histogram_family`](crate::Plugin::histogram_family).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Histogram {
    pub(super) id: u32,
    pub(super) unit: Unit,
}

/// What a duration is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    Nanoseconds,
    Microseconds,
    Milliseconds,
    Seconds,
}

// === impl Histogram ===

impl Histogram {
    /// Records a value, in the unit that the name says. More than `i64::MAX` is recorded as that, since Envoy takes it for a number below zero. What the proxy refuses is logged, once for each histogram.
    pub fn record(&self, value: u64) {
        if let Err(status) = abi::record_metric(self.id, value.min(i64::MAX.cast_unsigned())) {
            refused::tell(self.id, "record a value", status);
        }
    }

    /// Records a duration in the unit that the name ends with: `_ns`, `_us`, `_ms`, `_s` or `_seconds`; in milliseconds if it ends otherwise. It is rounded down.
    pub fn record_duration(&self, duration: Duration) {
        let value = match self.unit {
            Unit::Nanoseconds => duration.as_nanos(),
            Unit::Microseconds => duration.as_micros(),
            Unit::Milliseconds => duration.as_millis(),
            Unit::Seconds => duration.as_secs().into(),
        };
        self.record(u64::try_from(value).unwrap_or(u64::MAX));
    }
}

// === impl Unit ===

impl Unit {
    pub(super) fn of(name: &str) -> Self {
        match name.rsplit('_').next() {
            Some("ns") => Self::Nanoseconds,
            Some("us") => Self::Microseconds,
            Some("s" | "seconds") => Self::Seconds,
            _ => Self::Milliseconds,
        }
    }
}
