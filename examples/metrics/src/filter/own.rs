//! The operator's own metrics.

use inproxy::{
    envoy::cel::Expression,
    metrics::{Counter, Group},
    prelude::*,
};

use super::{
    made::Made,
    recorder::Recorder,
    source::{Source, Stream},
};
use crate::{
    config::{
        metric::{Buckets, Kind, Metric},
        shown::Shown,
    },
    istio,
    prometheus::{bounds, full_name, number, safe_name, whole},
};

/// A metric of the operator's own.
#[derive(Debug)]
pub(crate) struct Own {
    name: String,
    group: Group,
    recorder: Recorder,
    labels: Vec<Source>,
    value: Option<Shown>,
    scale: u32,
    when: Option<Expression>,
    /// Values that could not be recorded.
    unrecorded: Counter,
}

/// What must be the same in all entries of one name.
#[derive(Debug, PartialEq)]
struct Shape {
    name: String,
    kind: Kind,
    labels: Vec<String>,
    scale: u32,
    buckets: Option<Buckets>,
}

/// How many values could not be recorded.
const UNRECORDED: &str = "metrics_unrecorded_total";

// === impl Own ===

impl Own {
    /// The metrics of a configuration, of which none has a name that is `taken`.
    pub(crate) fn all(metrics: Vec<Metric>, taken: &[String], made: &Made, label_sets: usize, plugin: &mut Plugin) -> Result<Vec<Self>> {
        let mut shapes = Vec::<Shape>::new();
        let mut all = Vec::new();
        for (place, metric) in metrics.into_iter().enumerate() {
            let shape = Shape {
                name: full_name(&metric.namespace, &metric.name),
                kind: metric.kind,
                labels: metric.labels.keys().map(|label| safe_name(label)).collect(),
                scale: metric.scale,
                buckets: metric.buckets.clone(),
            };
            if shape.name == UNRECORDED || taken.contains(&shape.name) {
                return Err(Error::msg(format!("metrics[{place}]: there is another metric {}: give this one another name or namespace", shape.name)));
            }
            if let Some(other) = shapes.iter().position(|other| other.name == shape.name && *other != shape) {
                return Err(Error::msg(format!(
                    "metrics[{place}]: {} has another kind, scale, or other labels or buckets in metrics[{other}]",
                    shape.name
                )));
            }
            all.push(Self::try_new(metric, &shape, made, label_sets, plugin).map_err(|error| error.context(format!("metrics[{place}]")))?);
            shapes.push(shape);
        }
        Ok(all)
    }

    fn try_new(metric: Metric, shape: &Shape, made: &Made, label_sets: usize, plugin: &mut Plugin) -> Result<Self> {
        let Shape { name, kind, labels, .. } = shape;
        if metric.scale == 0 {
            return Err(Error::msg("scale: it must be one or more: values are multiplied by it"));
        }
        match (&metric.buckets, kind) {
            (Some(buckets), Kind::Distribution) => plugin.histogram_buckets(name, &scaled(buckets, metric.scale)?)?,
            (Some(_), _) => return Err(Error::msg("buckets: only a DISTRIBUTION has some")),
            (None, _) => {}
        }
        let mut group = plugin.metric_group(labels);
        let recorder = Recorder::new(&mut group, (*kind).into(), name);
        Ok(Self {
            name: name.clone(),
            group: group.build()?.at_most_together(label_sets),
            recorder,
            labels: metric.labels.into_values().map(|shown| Source::of(shown.into(), made)).collect(),
            value: metric.value,
            scale: metric.scale,
            when: metric.when,
            unrecorded: plugin.counter_family(UNRECORDED, ["metric"])?.with([name]),
        })
    }

    /// Counts a request.
    pub(crate) fn record(&self, stream: &Stream<'_>) {
        if self.when.as_ref().is_some_and(|when| !when.evaluate_bool(stream.attributes).unwrap_or(false)) {
            return;
        }
        match self.value(stream) {
            Ok(value) => {
                let values: Vec<_> = self.labels.iter().map(|label| label.value(stream)).collect();
                let values: Vec<_> = values.iter().map(|value| value.as_bytes()).collect();
                self.recorder.record(&self.group.with(&values), value);
            }
            Err(error) => {
                log::debug!("{} of this request is not recorded: {error}", self.name);
                self.unrecorded.increment();
            }
        }
    }

    fn value(&self, stream: &Stream<'_>) -> Result<u64> {
        let value = match &self.value {
            Some(value) => number(&value.evaluate(stream.attributes)?)?,
            None => 1.0,
        };
        Ok(whole(value, self.scale)?)
    }
}

/// Bounds as the proxy takes them.
fn scaled(buckets: &Buckets, scale: u32) -> Result<Vec<u64>> {
    let bounds = bounds(buckets);
    let whole = bounds.into_iter().map(|bound| whole(bound, scale)).collect::<Result<_, _>>();
    whole.map_err(|error| Error::from(error).context("buckets"))
}

impl From<Kind> for istio::Kind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Counter => Self::Counter,
            Kind::Gauge => Self::Gauge,
            Kind::Distribution => Self::Histogram,
        }
    }
}
