use std::{fmt, marker::PhantomData, rc::Rc};

use super::{
    Counter, Gauge, Histogram, MetricError, UpDownCounter,
    histogram::Unit,
    table::{Kind, Series, Table},
};

/// A metric with `N` labels: one series for each set of their values.
///
/// A series that is known costs a search and no call of the proxy, and allocates nothing. A new one is defined in the proxy, which keeps it for ever. So each VM has at most 1000 of a family, unless [`at_most`](Self::at_most) says otherwise:
/// what comes beyond is counted in one more series, whose labels are all [`OVERFLOW`](super::OVERFLOW), and there is a warning in the log, once for each configuration. Take labels whose values are few, such as a route's name, not those that clients choose, such as
/// a path.
///
/// Values may be any bytes: [`label_value`](super::label_value) says what is shown of them. Clones, and families of the same name and labels after a change of the configuration, have their series in common.
///
/// # Examples
///
/// ```
/// use inproxy::{metrics::{Counter, Family}, prelude::*};
///
/// # struct Requests(Family<Counter, 2>);
/// # impl Requests {
/// # fn of(plugin: &mut Plugin) -> Result<Self> {
/// let requests = plugin.counter_family("requests_total", ["code", "route"])?.at_most(200);
/// # Ok(Self(requests))
/// # }
/// # fn count(&self, status: StatusCode, route: &str) {
/// # let requests = &self.0;
/// requests.with([status.as_str(), route]).increment();
/// # }
/// # }
/// ```
///
/// One value for each label, or it does not compile:
///
/// ```compile_fail
/// # use inproxy::metrics::{Counter, Family};
/// # fn count(requests: &Family<Counter, 2>) {
/// requests.with(["200"]).increment();
/// # }
/// ```
pub struct Family<M, const N: usize> {
    table: Rc<Table>,
    metric: PhantomData<fn() -> M>,
}

/// A metric that can have labels: [`Counter`], [`Gauge`], [`UpDownCounter`] or [`Histogram`].
pub trait Metric: sealed::OfSeries {}

pub(super) mod sealed {
    use super::{Kind, Series};

    pub trait OfSeries {
        const KIND: Kind;

        fn of(series: Series, name: &str) -> Self;
    }
}

// === impl Family ===

impl<M: Metric, const N: usize> Family<M, N> {
    pub(super) fn define(name: &str, labels: [&str; N]) -> Result<Self, MetricError> {
        Ok(Self { table: Table::of(&[(M::KIND, name)], &labels)?, metric: PhantomData })
    }

    /// How many label sets each VM may have; 1000 unless set. Those that are there stay.
    #[must_use]
    pub fn at_most(self, label_sets: usize) -> Self {
        self.table.set_at_most(label_sets);
        self
    }

    /// How many label sets all VMs with the same `vm_id` may have together, as long as the proxy's process lives: the bound is that of the proxy, and not of each worker. A label set that is new to a VM costs it some calls of the proxy, and
    /// one for which there is no room costs two each time.
    #[must_use]
    pub fn at_most_together(self, label_sets: usize) -> Self {
        self.table.set_at_most_together(label_sets);
        self
    }

    /// The series of these values, in the order of the labels. It can be kept, too. Values of several types are one type as bytes: `[code.as_str().as_bytes(), header.as_bytes()]`.
    pub fn with<V: AsRef<[u8]>>(&self, values: [V; N]) -> M {
        let series = self.table.series(&values.each_ref().map(AsRef::as_ref));
        M::of(self.table.one(&series, 0, M::KIND), self.table.name(0))
    }

    /// How many label sets this VM has.
    pub fn label_sets(&self) -> usize {
        self.table.len()
    }
}

impl<M, const N: usize> Clone for Family<M, N> {
    fn clone(&self) -> Self {
        Self { table: Rc::clone(&self.table), metric: PhantomData }
    }
}

impl<M, const N: usize> fmt::Debug for Family<M, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Family").field("name", &self.table.name(0)).finish_non_exhaustive()
    }
}

// === impl Metric ===

impl Metric for Counter {}

impl sealed::OfSeries for Counter {
    const KIND: Kind = Kind::Counter;

    fn of(series: Series, _: &str) -> Self {
        Self { id: series.id }
    }
}

impl Metric for Gauge {}

impl sealed::OfSeries for Gauge {
    const KIND: Kind = Kind::Gauge;

    fn of(series: Series, _: &str) -> Self {
        Self { id: series.id }
    }
}

impl Metric for UpDownCounter {}

impl sealed::OfSeries for UpDownCounter {
    const KIND: Kind = Kind::UpDown;

    fn of(series: Series, _: &str) -> Self {
        series.share.unwrap_or_else(|| Self::new(series.id))
    }
}

impl Metric for Histogram {}

impl sealed::OfSeries for Histogram {
    const KIND: Kind = Kind::Histogram;

    fn of(series: Series, name: &str) -> Self {
        Self { id: series.id, unit: Unit::of(name) }
    }
}
