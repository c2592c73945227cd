//! The rules of Mixer's Prometheus adapter.

mod buckets;
mod name;
mod value;

#[cfg(test)]
mod tests;

pub(crate) use self::buckets::bounds;
pub(crate) use self::name::{full_name, safe_name};
pub(crate) use self::value::{number, whole};
