//! Mixer's `memquota`: how much of a quota is left. Nothing here knows the proxy.

mod cell;
mod dedup;
mod dimension;
mod key;
mod limit;
mod state;
mod window;

pub(crate) use self::dedup::Remembered;
pub(crate) use self::dimension::{Dimensions, Value};
pub(crate) use self::key::key;
pub(crate) use self::limit::{Amount, Limit, Override};
pub(crate) use self::state::{Ask, Grant, State};

/// Mixer counts time in tenths of a second.
pub(crate) const TICKS_PER_SECOND: u64 = 10;

#[cfg(test)]
mod model;
#[cfg(test)]
mod tests;
