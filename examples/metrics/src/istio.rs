//! Istio's standard metrics, as its in-proxy telemetry has them.

mod catalog;
mod customize;
mod exchange;
mod label;
mod service;
mod workload;

#[cfg(test)]
mod tests;

pub(crate) use self::catalog::{Applies, Kind, Metric, Value, standard};
pub(crate) use self::customize::{Custom, Group, Source, customized, grouped};
pub(crate) use self::exchange::{ID_HEADER, METADATA_HEADER, decoded, encoded};
pub(crate) use self::label::Label;
pub(crate) use self::service::{Service, service};
pub(crate) use self::workload::{UNKNOWN, Workload};
