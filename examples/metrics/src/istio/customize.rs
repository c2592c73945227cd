//! What the operator has otherwise about the metrics and their labels.

use std::collections::BTreeMap;

use super::{
    catalog::{Applies, Metric},
    label::Label,
};

/// Where the value of a label comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    Standard(Label),
    /// An expression of the operator's, by its place.
    Expression(usize),
}

/// What is otherwise about one metric, or, without a name, about all.
#[derive(Clone, Debug, Default)]
pub(crate) struct Custom {
    pub(crate) name: String,
    /// `None` for what is no expression.
    pub(crate) dimensions: BTreeMap<String, Option<usize>>,
    pub(crate) tags_to_remove: Vec<String>,
    pub(crate) drop: bool,
}

/// A metric with its labels.
#[derive(Clone, Debug)]
pub(crate) struct Customized {
    metric: Metric,
    labels: Vec<(String, Source)>,
}

/// The metrics that are counted at the same time and have the same labels.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) applies: Applies,
    pub(crate) labels: Vec<(String, Source)>,
    pub(crate) metrics: Vec<Metric>,
}

/// The standard metrics, those that the operator has defined, and what is otherwise about them.
pub(crate) fn customized(mut metrics: Vec<Metric>, defined: Vec<Metric>, customs: &[Custom]) -> Vec<Customized> {
    for defined in defined {
        match metrics.iter_mut().find(|metric| metric.name == defined.name) {
            Some(metric) => *metric = defined,
            None => metrics.push(defined),
        }
    }
    let labels = |metric: &Metric| {
        Label::ALL.iter().take(metric.applies.labels()).map(|(label, name)| ((*name).to_owned(), Source::Standard(*label))).collect()
    };
    let mut metrics: Vec<_> = metrics.into_iter().map(|metric| Customized { labels: labels(&metric), metric }).collect();
    for custom in customs {
        let applies = |name: &str| custom.name.is_empty() || custom.name == name;
        if custom.drop {
            metrics.retain(|metric| !applies(&metric.metric.name));
            continue;
        }
        for metric in metrics.iter_mut().filter(|metric| applies(&metric.metric.name)) {
            metric.labels.retain(|(label, _)| !custom.tags_to_remove.contains(label));
            for (label, source) in &custom.dimensions {
                metric.set(label, source.map(Source::Expression));
            }
        }
    }
    metrics
}

/// Metrics that have labels, and the time at which they are counted, in common.
pub(crate) fn grouped(metrics: Vec<Customized>) -> Vec<Group> {
    let mut groups = Vec::<Group>::new();
    for Customized { metric, labels } in metrics {
        match groups.iter_mut().find(|group| group.applies == metric.applies && group.labels == labels) {
            Some(group) => group.metrics.push(metric),
            None => groups.push(Group { applies: metric.applies, labels, metrics: vec![metric] }),
        }
    }
    groups
}

// === impl Customized ===

impl Customized {
    /// Sets a label, or removes it.
    fn set(&mut self, label: &str, source: Option<Source>) {
        let known = self.labels.iter().position(|(name, _)| name == label);
        match (known.and_then(|at| self.labels.get_mut(at)), source) {
            (Some((_, old)), Some(source)) => *old = source,
            (None, Some(source)) => self.labels.push((label.to_owned(), source)),
            (_, None) => self.labels.retain(|(name, _)| name != label),
        }
    }
}
