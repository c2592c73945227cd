//! The series of a family: a metric for each label set that was seen.

use std::{
    cell::{Cell, RefCell},
    cmp::Ordering,
    rc::Rc,
};

use super::{MetricError, UpDownCounter, define, label, name, refused, together::Together};
use crate::{
    HostError,
    abi::{MetricType, vm_local},
};

/// What all families, or groups, of these metrics and labels have in common in this VM. It outlives the filter: a new configuration finds the label sets of the one before.
pub(super) struct Table {
    metrics: Box<[(Kind, Box<str>)]>,
    labels: Box<[Box<str>]>,
    at_most: Cell<usize>,
    /// Whether the label sets of all VMs are counted together.
    together: RefCell<Option<Together>>,
    /// Where everything goes for which there is no room.
    overflow: Rc<[Series]>,
    told: Cell<bool>,
    /// In the order of their label sets.
    rows: RefCell<Vec<Row>>,
}

/// What each series of a family is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Counter,
    Gauge,
    UpDown,
    Histogram,
}

/// One series.
#[derive(Clone)]
pub struct Series {
    pub(super) id: u32,
    /// What of it is this VM's, if it goes up and down.
    pub(super) share: Option<UpDownCounter>,
}

struct Row {
    /// The values of the labels, one behind the other, and where each ends.
    values: Box<[u8]>,
    ends: Box<[usize]>,
    /// One for each metric.
    series: Rc<[Series]>,
}

/// How many label sets a family has, unless it says otherwise.
pub(super) const AT_MOST: usize = 1000;

vm_local! {
    static TABLES: RefCell<Vec<Rc<Table>>> = RefCell::new(Vec::new());
}

// === impl Table ===

impl Table {
    /// The table of a family or a group. The series for what finds no room is defined at once: so the proxy refuses a family when it is configured, not when it is used.
    pub(super) fn of(metrics: &[(Kind, &str)], labels: &[&str]) -> Result<Rc<Self>, MetricError> {
        for (_, name) in metrics {
            name::check(name)?;
        }
        name::check_labels(labels)?;
        TABLES.with_borrow_mut(|tables| {
            if let Some(known) = tables.iter().find(|known| known.is(metrics, labels)) {
                // Another configuration may say nothing of it.
                known.at_most.set(AT_MOST);
                known.together.replace(None);
                known.told.set(false);
                return Ok(Rc::clone(known));
            }
            let labels: Box<[Box<str>]> = labels.iter().map(|label| Box::from(*label)).collect();
            let overflow = metrics.iter().map(|(kind, name)| {
                let id = define::stat(kind.in_proxy(), &label::stat_name(&labels, |_| label::OVERFLOW.as_bytes(), name));
                id.map(|id| kind.series(id)).map_err(|cause| MetricError::refused(name, cause))
            });
            let table = Rc::new(Self {
                overflow: overflow.collect::<Result<_, _>>()?,
                metrics: metrics.iter().map(|(kind, name)| (*kind, Box::from(*name))).collect(),
                labels,
                at_most: Cell::new(AT_MOST),
                together: RefCell::new(None),
                told: Cell::new(false),
                rows: RefCell::new(Vec::new()),
            });
            tables.push(Rc::clone(&table));
            Ok(table)
        })
    }

    fn is(&self, metrics: &[(Kind, &str)], labels: &[&str]) -> bool {
        let same_labels = self.labels.len() == labels.len() && self.labels.iter().zip(labels).all(|(one, other)| **one == **other);
        let same = |((kind, name), (other_kind, other)): (&(Kind, Box<str>), &(Kind, &str))| kind == other_kind && **name == **other;
        self.metrics.len() == metrics.len() && self.metrics.iter().zip(metrics).all(same) && same_labels
    }

    /// The name of one of its metrics.
    pub(super) fn name(&self, at: usize) -> &str {
        self.metrics.get(at).map(|(_, name)| &**name).unwrap_or_default()
    }

    /// How many labels there are.
    pub(super) const fn labels(&self) -> usize {
        self.labels.len()
    }

    /// One series of those for a label set, if it is of this kind: else one that the proxy does not have.
    pub(super) fn one(&self, series: &[Series], at: usize, kind: Kind) -> Series {
        let is_kind = self.metrics.get(at).is_some_and(|(is, _)| *is == kind);
        series.get(at).filter(|_| is_kind).cloned().unwrap_or_else(|| kind.series(u32::MAX))
    }

    pub(super) fn set_at_most(&self, at_most: usize) {
        self.at_most.set(at_most);
        self.together.replace(None);
    }

    pub(super) fn set_at_most_together(&self, at_most: usize) {
        self.at_most.set(at_most);
        // By one name: whoever adds a metric to a group has no more label sets of the others.
        let of = self.metrics.iter().take(1).map(|(_, name)| &**name).chain(self.labels.iter().flat_map(|label| [";", label])).collect();
        self.together.replace(Some(Together::new(of)));
    }

    pub(super) fn len(&self) -> usize {
        self.rows.try_borrow().map_or(0, |rows| rows.len())
    }

    /// The series of a label set, one value for each label. Nothing is allocated for one that is known.
    pub(super) fn series(&self, values: &[&[u8]]) -> Rc<[Series]> {
        let overflow = || Rc::clone(&self.overflow);
        let Ok(mut rows) = self.rows.try_borrow_mut() else { return overflow() };
        let at = match rows.binary_search_by(|row| row.cmp(values)) {
            Ok(at) => return rows.get(at).map_or_else(overflow, |row| Rc::clone(&row.series)),
            Err(at) => at,
        };
        if !self.has_room(rows.len(), values) {
            if !self.told.replace(true) {
                let at_most = self.at_most.get();
                log::warn!("the metric {} has {at_most} label sets, which is as many as it may: further ones are counted as one", self.name(0));
            }
            return overflow();
        }
        match self.define(values) {
            Ok(series) => {
                rows.insert(at, Row::new(values, Rc::clone(&series)));
                series
            }
            Err(error) => {
                refused::tell(self.overflow.first().map_or(0, |series| series.id), error.call, error.status);
                overflow()
            }
        }
    }

    fn has_room(&self, rows: usize, values: &[&[u8]]) -> bool {
        let at_most = self.at_most.get();
        match self.together.try_borrow().as_deref() {
            Ok(Some(together)) => together.has_room(values, at_most),
            _ => rows < at_most,
        }
    }

    fn define(&self, values: &[&[u8]]) -> Result<Rc<[Series]>, HostError> {
        let value = |at: usize| values.get(at).copied().unwrap_or_default();
        let series =
            self.metrics.iter().map(|(kind, name)| Ok(kind.series(define::stat(kind.in_proxy(), &label::stat_name(&self.labels, value, name))?)));
        series.collect()
    }
}

// === impl Kind ===

impl Kind {
    const fn in_proxy(self) -> MetricType {
        match self {
            Self::Counter => MetricType::Counter,
            Self::Gauge | Self::UpDown => MetricType::Gauge,
            Self::Histogram => MetricType::Histogram,
        }
    }

    fn series(self, id: u32) -> Series {
        Series { id, share: (self == Self::UpDown).then(|| UpDownCounter::new(id)) }
    }
}

// === impl Row ===

impl Row {
    fn new(values: &[&[u8]], series: Rc<[Series]>) -> Self {
        let mut all = Vec::new();
        let mut ends = Vec::new();
        for value in values {
            all.extend_from_slice(label::cut(value));
            ends.push(all.len());
        }
        Self { values: all.into(), ends: ends.into(), series }
    }

    /// How it stands to a label set, in whatever order that is always the same.
    fn cmp(&self, values: &[&[u8]]) -> Ordering {
        let mut from = 0;
        for (end, value) in self.ends.iter().zip(values) {
            let order = self.values.get(from..*end).unwrap_or_default().cmp(label::cut(value));
            if order.is_ne() {
                return order;
            }
            from = *end;
        }
        Ordering::Equal
    }
}
