use std::{fmt, marker::PhantomData, rc::Rc};

use super::{
    Counter, Gauge, Histogram, Metric, UpDownCounter,
    table::{Kind, Series, Table},
};
use crate::{Plugin, Result};

/// Several metrics that have the same labels, which may come from the configuration.
///
/// What is counted of a request is often several metrics with the same labels: how many there were, how long they took, how large they were. A group looks a label set up once for all of them. And its labels need not be known to the
/// compiler, as those of a [`Family`](super::Family) are. All that is said of families is true of it too.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// use inproxy::{metrics::{Counter, Group, Histogram, Member}, prelude::*};
///
/// struct Traffic {
///     group: Group,
///     requests: Member<Counter>,
///     duration: Member<Histogram>,
/// }
///
/// impl Traffic {
///     fn new(plugin: &mut Plugin, labels: &[String]) -> Result<Self> {
///         let mut group = plugin.metric_group(labels);
///         let requests = group.counter("requests_total");
///         let duration = group.histogram("request_duration_ms");
///         Ok(Self { group: group.build()?.at_most(100), requests, duration })
///     }
///
///     fn count(&self, values: &[&[u8]], took: Duration) {
///         let series = self.group.with(values);
///         series.of(&self.requests).increment();
///         series.of(&self.duration).record_duration(took);
///     }
/// }
/// ```
#[derive(Clone)]
pub struct Group {
    table: Rc<Table>,
}

/// A [`Group`] that is being made; from [`Plugin::metric_group`].
#[derive(Debug)]
#[must_use = "a group has no metrics before it is built"]
pub struct GroupBuilder {
    labels: Vec<String>,
    metrics: Vec<(Kind, String)>,
}

/// Which metric of a [`Group`].
pub struct Member<M> {
    at: usize,
    metric: PhantomData<fn() -> M>,
}

/// The metrics of a [`Group`] for one label set. They can be kept.
#[derive(Clone)]
pub struct GroupSeries {
    table: Rc<Table>,
    series: Rc<[Series]>,
}

// === impl Plugin ===

impl Plugin {
    /// Metrics that have these labels together.
    pub fn metric_group(&mut self, labels: impl IntoIterator<Item: AsRef<str>>) -> GroupBuilder {
        GroupBuilder { labels: labels.into_iter().map(|label| label.as_ref().to_owned()).collect(), metrics: Vec::new() }
    }
}

// === impl GroupBuilder ===

impl GroupBuilder {
    /// A counter of this name.
    pub fn counter(&mut self, name: &str) -> Member<Counter> {
        self.member(name)
    }

    /// A gauge of this name.
    pub fn gauge(&mut self, name: &str) -> Member<Gauge> {
        self.member(name)
    }

    /// A gauge of this name that goes up and down by steps.
    pub fn up_down_counter(&mut self, name: &str) -> Member<UpDownCounter> {
        self.member(name)
    }

    /// A histogram of this name.
    pub fn histogram(&mut self, name: &str) -> Member<Histogram> {
        self.member(name)
    }

    /// The group.
    ///
    /// # Errors
    ///
    /// [`MetricError::Name`](super::MetricError::Name), [`Label`](super::MetricError::Label) or [`DoubledLabel`](super::MetricError::DoubledLabel); [`Host`](super::MetricError::Host) if the proxy refuses.
    pub fn build(self) -> Result<Group> {
        let metrics: Vec<_> = self.metrics.iter().map(|(kind, name)| (*kind, name.as_str())).collect();
        let labels: Vec<_> = self.labels.iter().map(String::as_str).collect();
        Ok(Group { table: Table::of(&metrics, &labels)? })
    }

    fn member<M: Metric>(&mut self, name: &str) -> Member<M> {
        self.metrics.push((M::KIND, name.to_owned()));
        Member { at: self.metrics.len() - 1, metric: PhantomData }
    }
}

// === impl Group ===

impl Group {
    /// How many label sets each VM may have; 1000 unless set. Those that are there stay.
    #[must_use]
    pub fn at_most(self, label_sets: usize) -> Self {
        self.table.set_at_most(label_sets);
        self
    }

    /// How many label sets all VMs may have together; as [`Family::at_most_together`](super::Family::at_most_together). Groups with the same labels and the same first metric are counted as one.
    #[must_use]
    pub fn at_most_together(self, label_sets: usize) -> Self {
        self.table.set_at_most_together(label_sets);
        self
    }

    /// The metrics for these values, in the order of the labels. A value that is missing is empty, one too many is not looked at.
    pub fn with(&self, values: &[&[u8]]) -> GroupSeries {
        let labels = self.table.labels();
        let series = match values.get(..labels) {
            Some(values) => self.table.series(values),
            None => self.table.series(&(0..labels).map(|at| values.get(at).copied().unwrap_or_default()).collect::<Vec<_>>()),
        };
        GroupSeries { series, table: Rc::clone(&self.table) }
    }

    /// How many label sets this VM has.
    pub fn label_sets(&self) -> usize {
        self.table.len()
    }
}

impl fmt::Debug for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Group").field("label_sets", &self.label_sets()).finish_non_exhaustive()
    }
}

// === impl GroupSeries ===

impl GroupSeries {
    /// One of the metrics. With a member of another group it is whichever metric of the same kind has that place in this one, or none: then the log says that the proxy refuses it.
    pub fn of<M: Metric>(&self, member: &Member<M>) -> M {
        M::of(self.table.one(&self.series, member.at, M::KIND), self.table.name(member.at))
    }
}

impl fmt::Debug for GroupSeries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GroupSeries").finish_non_exhaustive()
    }
}

// === impl Member ===

impl<M> Clone for Member<M> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<M> Copy for Member<M> {}

impl<M> fmt::Debug for Member<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Member").field(&self.at).finish()
    }
}
