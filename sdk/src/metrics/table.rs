//! The series of a family: a metric for each label set that was seen.

use std::{
    cell::{Cell, RefCell},
    cmp::Ordering,
    rc::Rc,
};

use super::{MetricError, UpDownCounter, define, label, name, refused};
use crate::{
    HostError,
    abi::{MetricType, vm_local},
};

/// What all families of this kind, name and labels have in common in this VM. It outlives the filter: a new configuration finds the label sets of the one before.
pub(super) struct Table {
    kind: Kind,
    name: Box<str>,
    labels: Box<[Box<str>]>,
    at_most: Cell<usize>,
    /// Where everything goes for which there is no room.
    overflow: Series,
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
    series: Series,
}

/// How many label sets a family has, unless it says otherwise.
pub(super) const AT_MOST: usize = 1000;

vm_local! {
    static TABLES: RefCell<Vec<Rc<Table>>> = RefCell::new(Vec::new());
}

// === impl Table ===

impl Table {
    /// The table of a family. The series for what finds no room is defined at once: so the proxy refuses a family when it is configured, not when it is used.
    pub(super) fn of(kind: Kind, name: &str, labels: &[&str]) -> Result<Rc<Self>, MetricError> {
        name::check(name)?;
        name::check_labels(labels)?;
        TABLES.with_borrow_mut(|tables| {
            if let Some(known) = tables.iter().find(|known| known.is(kind, name, labels)) {
                // Another configuration may say nothing of it.
                known.at_most.set(AT_MOST);
                known.told.set(false);
                return Ok(Rc::clone(known));
            }
            let labels: Box<[Box<str>]> = labels.iter().map(|label| Box::from(*label)).collect();
            let id = define::stat(kind.in_proxy(), &label::stat_name(&labels, |_| label::OVERFLOW.as_bytes(), name))
                .map_err(|cause| MetricError::refused(name, cause))?;
            let table = Rc::new(Self {
                kind,
                name: name.into(),
                labels,
                at_most: Cell::new(AT_MOST),
                overflow: kind.series(id),
                told: Cell::new(false),
                rows: RefCell::new(Vec::new()),
            });
            tables.push(Rc::clone(&table));
            Ok(table)
        })
    }

    fn is(&self, kind: Kind, name: &str, labels: &[&str]) -> bool {
        let same_labels = self.labels.len() == labels.len() && self.labels.iter().zip(labels).all(|(one, other)| **one == **other);
        self.kind == kind && *self.name == *name && same_labels
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn set_at_most(&self, at_most: usize) {
        self.at_most.set(at_most);
    }

    pub(super) fn len(&self) -> usize {
        self.rows.try_borrow().map_or(0, |rows| rows.len())
    }

    /// The series of a label set. Nothing is allocated for one that is known.
    pub(super) fn series(&self, values: &[&[u8]]) -> Series {
        let Ok(mut rows) = self.rows.try_borrow_mut() else { return self.overflow.clone() };
        let at = match rows.binary_search_by(|row| row.cmp(values)) {
            Ok(at) => return rows.get(at).map_or_else(|| self.overflow.clone(), |row| row.series.clone()),
            Err(at) => at,
        };
        if rows.len() >= self.at_most.get() {
            if !self.told.replace(true) {
                log::warn!("the metric {} has {} label sets, which is as many as it may: further ones are counted as one", self.name, rows.len());
            }
            return self.overflow.clone();
        }
        match self.define(values) {
            Ok(series) => {
                rows.insert(at, Row::new(values, series.clone()));
                series
            }
            Err(error) => {
                refused::tell(self.overflow.id, error.call, error.status);
                self.overflow.clone()
            }
        }
    }

    fn define(&self, values: &[&[u8]]) -> Result<Series, HostError> {
        let value = |at: usize| values.get(at).copied().unwrap_or_default();
        let id = define::stat(self.kind.in_proxy(), &label::stat_name(&self.labels, value, &self.name))?;
        Ok(self.kind.series(id))
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
    fn new(values: &[&[u8]], series: Series) -> Self {
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
