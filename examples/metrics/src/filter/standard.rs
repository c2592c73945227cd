//! Istio's standard metrics, as the operator has them.

use std::{collections::BTreeMap, rc::Rc};

use inproxy::{
    envoy::cel::{CelError, Expression},
    metrics::{Group, GroupSeries},
    prelude::*,
};

use super::{
    facts::Here,
    made::Made,
    recorder::Recorder,
    source::{Source, Stream},
};
use crate::{
    config::{
        istio::{Customization, Istio, Type},
        shown::Shown,
    },
    istio::{self, Applies, Custom, Kind, Metric, Value, customized, grouped, standard},
};

/// Some of them, by what they are metrics of.
#[derive(Debug)]
pub(crate) struct Standard {
    pub(crate) here: Here,
    groups: Vec<Counted>,
    defined: Vec<Expression>,
}

/// Metrics that have the same labels.
#[derive(Debug)]
struct Counted {
    applies: Applies,
    group: Group,
    labels: Vec<Source>,
    metrics: Vec<(Recorder, Value)>,
}

// === impl Standard ===

impl Standard {
    /// Those that are metrics of these.
    pub(crate) fn try_new(of: &[Applies], settings: Istio, made: &Made, label_sets: usize, plugin: &mut Plugin) -> Result<Self> {
        let here = Here::new(&settings, plugin);
        let mut expressions = Vec::new();
        let customs = settings.metrics.into_iter().map(|custom| compiled(custom, &mut expressions)).collect::<Result<Vec<_>>>()?;
        let defined = settings.definitions.iter().enumerate().map(|(at, defined)| Metric {
            name: defined.name.clone(),
            kind: defined.r#type.into(),
            applies: Applies::Request,
            value: Value::Defined(at),
        });
        let groups = grouped(customized(standard(), defined.collect(), &customs));
        let groups = groups
            .into_iter()
            .filter(|group| of.contains(&group.applies))
            .map(|group| Counted::try_new(group, &settings.stat_prefix, &expressions, made, label_sets, plugin));
        let groups = groups.collect::<Result<_>>().map_err(|error| error.context("istio"))?;
        Ok(Self { here, groups, defined: settings.definitions.into_iter().map(|defined| defined.value).collect() })
    }

    /// What metrics are called that there are, or may come.
    pub(crate) fn names(settings: &Istio) -> Vec<String> {
        let standard = standard().into_iter().map(|metric| metric.name).chain(settings.definitions.iter().map(|defined| defined.name.clone()));
        standard.map(|name| format!("{}_{name}", settings.stat_prefix)).collect()
    }

    /// Whether there is a metric of this.
    pub(crate) fn has(&self, applies: Applies) -> bool {
        self.of(applies).next().is_some()
    }

    /// The series that a stream is counted in.
    pub(crate) fn series(&self, applies: Applies, stream: &Stream<'_>) -> Vec<GroupSeries> {
        self.of(applies).map(|counted| counted.series(stream)).collect()
    }

    /// Records what there is.
    pub(crate) fn record(&self, applies: Applies, series: &[GroupSeries], amount: impl Fn(Value) -> Option<u64>) {
        for (counted, series) in self.of(applies).zip(series) {
            for (recorder, value) in &counted.metrics {
                if let Some(amount) = amount(*value) {
                    recorder.record(series, amount);
                }
            }
        }
    }

    /// The value of one of the operator's definitions.
    pub(crate) fn defined(&self, at: usize, stream: &Stream<'_>) -> Option<u64> {
        let value = self.defined.get(at)?.evaluate_int(stream.attributes);
        value.inspect_err(|error| log::debug!("not counted: {error}")).ok().and_then(|value| u64::try_from(value).ok())
    }

    fn of(&self, applies: Applies) -> impl Iterator<Item = &Counted> {
        self.groups.iter().filter(move |counted| counted.applies == applies)
    }
}

/// A customization, of which the expressions are known by their places: as Istio has it, one that is none removes a label.
fn compiled(custom: Customization, expressions: &mut Vec<Rc<Shown>>) -> Result<Custom> {
    let mut dimensions = BTreeMap::new();
    for (label, text) in custom.dimensions {
        let place = match Shown::compile(&text) {
            Ok(shown) => {
                expressions.push(shown.into());
                Some(expressions.len() - 1)
            }
            Err(error @ CelError::Invalid { .. }) => {
                log::warn!("the metrics do not have the label {label}: {error}");
                None
            }
            Err(error) => return Err(error.into()),
        };
        dimensions.insert(label, place);
    }
    Ok(Custom { name: custom.name, dimensions, tags_to_remove: custom.tags_to_remove, drop: custom.drop })
}

// === impl Counted ===

impl Counted {
    fn try_new(group: istio::Group, prefix: &str, expressions: &[Rc<Shown>], made: &Made, label_sets: usize, plugin: &mut Plugin) -> Result<Self> {
        let mut builder = plugin.metric_group(group.labels.iter().map(|(label, _)| label));
        let metrics =
            group.metrics.iter().map(|metric| (Recorder::new(&mut builder, metric.kind, &format!("{prefix}_{}", metric.name)), metric.value));
        let metrics = metrics.collect();
        let labels = group.labels.iter().filter_map(|(_, source)| match source {
            istio::Source::Standard(label) => Some(Source::Standard(*label)),
            istio::Source::Expression(place) => Some(Source::of(Rc::clone(expressions.get(*place)?), made)),
        });
        Ok(Self { applies: group.applies, labels: labels.collect(), group: builder.build()?.at_most_together(label_sets), metrics })
    }

    fn series(&self, stream: &Stream<'_>) -> GroupSeries {
        let values: Vec<_> = self.labels.iter().map(|label| label.value(stream)).collect();
        let values: Vec<_> = values.iter().map(|value| value.as_bytes()).collect();
        self.group.with(&values)
    }
}

// === impl Kind ===

impl From<Type> for Kind {
    fn from(of: Type) -> Self {
        match of {
            Type::Counter => Self::Counter,
            Type::Gauge => Self::Gauge,
            Type::Histogram => Self::Histogram,
        }
    }
}
