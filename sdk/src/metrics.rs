//! Counters, gauges and histograms in the proxy's statistics, with labels.
//!
//! A filter gets them once, when it is configured: from [`Plugin::counter`](crate::Plugin::counter) and its neighbours. What a filter `requests_total` counts is in Envoy's
//! [statistics](https://www.envoyproxy.io/docs/envoy/v1.40.0/operations/admin#get--stats) as `wasmcustom.requests_total`, and in `/stats/prometheus` as `requests_total`. All workers add to the same.
//!
//! ```
//! use std::time::Duration;
//!
//! use inproxy::{
//!     metrics::{Counter, Family, Histogram},
//!     prelude::*,
//!     time::Instant,
//! };
//!
//! struct Measure {
//!     requests: Family<Counter, 2>,
//!     duration: Histogram,
//! }
//!
//! impl Configure for Measure {
//!     type Config = Nothing;
//!
//!     fn configure(_: Nothing, plugin: &mut Plugin) -> Result<Self> {
//!         Ok(Self {
//!             requests: plugin.counter_family("requests_total", ["code", "method"])?.at_most(100),
//!             duration: plugin.histogram("request_duration_ms")?,
//!         })
//!     }
//! }
//!
//! impl Measure {
//!     fn count(&self, status: StatusCode, method: &str, began: Instant) {
//!         self.requests.with([status.as_str(), method]).increment();
//!         self.duration.record_duration(began.elapsed());
//!     }
//! }
//! # #[config]
//! # struct Nothing {}
//! ```
//!
//! # Labels
//!
//! Envoy's statistics have no labels that a filter could set. A [`Family`] writes them into the statistic's name, as Istio does: `wasmcustom.code=.=200;.;method=.=GET;.;requests_total`. Envoy makes labels of
//! them again if its bootstrap has a regular expression for each name of a label
//! ([`stats_tags`](https://www.envoyproxy.io/docs/envoy/v1.40.0/api-v3/config/metrics/v3/stats.proto#envoy-v3-api-msg-config-metrics-v3-tagspecifier)): `cargo inproxy stats` prints them. Without them each label set is a metric
//! of its own. What becomes of a label's value on its way is said at [`label_value`].
//!
//! # Buckets
//!
//! The buckets of a histogram are the proxy's too ([`histogram_bucket_settings`](https://www.envoyproxy.io/docs/envoy/v1.40.0/api-v3/config/metrics/v3/stats.proto#envoy-v3-api-msg-config-metrics-v3-histogrambucketsettings)), the same for
//! all label sets. [`Plugin::histogram_buckets`](crate::Plugin::histogram_buckets) says which a filter wants, and `cargo inproxy stats` prints the settings.

mod counter;
mod define;
mod error;
mod family;
mod gauge;
mod group;
mod histogram;
mod label;
mod name;
mod plugin;
mod refused;
mod table;
mod together;
mod up_down;

pub use self::counter::Counter;
pub use self::error::MetricError;
pub use self::family::{Family, Metric};
pub use self::gauge::Gauge;
pub use self::group::{Group, GroupBuilder, GroupSeries, Member};
pub use self::histogram::Histogram;
pub use self::label::{LONGEST_LABEL_VALUE, OVERFLOW, label_value};
pub use self::up_down::{UpDownCounter, UpDownGuard};
