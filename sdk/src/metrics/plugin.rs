use super::{Counter, Family, Gauge, Histogram, MetricError, UpDownCounter, define, histogram::Unit, name};
use crate::{Plugin, Result, abi::MetricType};

/// Metrics. The same name gives the same metric, in all workers and after a change of the configuration. It is one of
/// [Prometheus](https://prometheus.io/docs/concepts/data_model/#metric-names-and-labels), with dots between its parts if it likes: Envoy shows Prometheus dots and colons as `_`.
impl Plugin {
    /// A counter of this name.
    ///
    /// # Errors
    ///
    /// [`MetricError::Name`]; [`MetricError::Host`] if the proxy refuses.
    pub fn counter(&mut self, name: &str) -> Result<Counter> {
        Ok(Counter { id: define::plain(MetricType::Counter, name)? })
    }

    /// A gauge of this name.
    ///
    /// # Errors
    ///
    /// As those of [`counter`](Self::counter).
    pub fn gauge(&mut self, name: &str) -> Result<Gauge> {
        Ok(Gauge { id: define::plain(MetricType::Gauge, name)? })
    }

    /// A gauge that goes up and down by steps.
    ///
    /// # Errors
    ///
    /// As those of [`counter`](Self::counter).
    pub fn up_down_counter(&mut self, name: &str) -> Result<UpDownCounter> {
        Ok(UpDownCounter::new(define::plain(MetricType::Gauge, name)?))
    }

    /// A histogram of this name, which says the unit: `request_duration_ms`.
    ///
    /// # Errors
    ///
    /// As those of [`counter`](Self::counter).
    pub fn histogram(&mut self, name: &str) -> Result<Histogram> {
        Ok(Histogram { id: define::plain(MetricType::Histogram, name)?, unit: Unit::of(name) })
    }

    /// Counters with these labels.
    ///
    /// # Errors
    ///
    /// [`MetricError::Name`], [`MetricError::Label`], [`MetricError::DoubledLabel`]; [`MetricError::Host`] if the proxy refuses.
    pub fn counter_family<const N: usize>(&mut self, name: &str, labels: [&str; N]) -> Result<Family<Counter, N>> {
        Ok(Family::define(name, labels)?)
    }

    /// Gauges with these labels.
    ///
    /// # Errors
    ///
    /// As those of [`counter_family`](Self::counter_family).
    pub fn gauge_family<const N: usize>(&mut self, name: &str, labels: [&str; N]) -> Result<Family<Gauge, N>> {
        Ok(Family::define(name, labels)?)
    }

    /// Gauges with these labels that go up and down by steps.
    ///
    /// # Errors
    ///
    /// As those of [`counter_family`](Self::counter_family).
    pub fn up_down_counter_family<const N: usize>(&mut self, name: &str, labels: [&str; N]) -> Result<Family<UpDownCounter, N>> {
        Ok(Family::define(name, labels)?)
    }

    /// Histograms with these labels.
    ///
    /// # Errors
    ///
    /// As those of [`counter_family`](Self::counter_family).
    pub fn histogram_family<const N: usize>(&mut self, name: &str, labels: [&str; N]) -> Result<Family<Histogram, N>> {
        Ok(Family::define(name, labels)?)
    }

    /// Says which buckets a histogram is made for, with or without labels, by their upper bounds. A filter cannot set them: they are a matter of Envoy's bootstrap, and this tells `cargo inproxy stats`, which writes it. (In the log
    /// they are a line of the level "debug".)
    ///
    /// # Errors
    ///
    /// [`MetricError::Name`]; [`MetricError::Buckets`] if they do not go up from above zero.
    ///
    /// # Examples
    ///
    /// ```
    /// use inproxy::{metrics::Histogram, prelude::*};
    ///
    /// fn duration(plugin: &mut Plugin) -> Result<Histogram> {
    ///     plugin.histogram_buckets("request_duration_ms", &[5, 50, 500])?;
    ///     plugin.histogram("request_duration_ms")
    /// }
    /// ```
    pub fn histogram_buckets(&mut self, name: &str, bounds: &[u64]) -> Result<()> {
        name::check(name)?;
        let is_above = bounds.iter().scan(0, |last, bound| Some(*bound > std::mem::replace(last, *bound)));
        if bounds.is_empty() || !is_above.into_iter().all(|is_above| is_above) {
            return Err(MetricError::Buckets { name: name.to_owned() }.into());
        }
        log::debug!("the buckets of the histogram {name} are {bounds:?}");
        Ok(())
    }
}
