use crate::error::{HostError, Quoted, debug_as_display};

/// A metric cannot be defined.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum MetricError {
    /// Its name is not one.
    #[error(
        "{} is not the name of a metric: it needs letters, digits, `_` and `:`, in parts with single dots between, and no digit at its beginning",
        Quoted(name)
    )]
    Name {
        /// The name.
        name: String,
    },
    /// The name of a label is not one, or has a meaning already.
    #[error("{} is not the name of a label: it needs letters, digits and `_`, no digit and no `__` at its beginning, and is not `le`", Quoted(label))]
    Label {
        /// The name of the label.
        label: String,
    },
    /// Two labels have the same name.
    #[error("the label {} is there twice", Quoted(label))]
    DoubledLabel {
        /// The name of the label.
        label: String,
    },
    /// Buckets are not in order.
    #[error("the buckets of {} must be upper bounds above zero, each above the one before", Quoted(name))]
    Buckets {
        /// The name of the histogram.
        name: String,
    },
    /// The proxy refused.
    #[error("the metric {}: {cause}", Quoted(name))]
    Host {
        /// The name of the metric.
        name: String,
        /// What it answered.
        cause: HostError,
    },
}

// === impl MetricError ===

impl MetricError {
    pub(super) fn refused(name: &str, cause: HostError) -> Self {
        Self::Host { name: name.to_owned(), cause }
    }
}

debug_as_display!(MetricError);
