//! Counters, gauges and histograms.

use inproxy::abi::Status;

use super::super::state::State;

const COUNTER: u32 = 0;
const GAUGE: u32 = 1;
const HISTOGRAM: u32 = 2;

pub(super) fn define(state: &mut State, kind: u32, name: &[u8]) -> Result<u32, Status> {
    if kind > HISTOGRAM {
        return Err(Status::BAD_ARGUMENT);
    }
    state.metrics.push((kind, String::from_utf8_lossy(name).into_owned()));
    Ok((state.metrics.len() as u32 * 4) | kind)
}

/// The kind and the name of a metric.
fn find(state: &State, id: u32) -> Result<(u32, String), Status> {
    let at = (id / 4).checked_sub(1).ok_or(Status::NOT_FOUND)?;
    state.metrics.get(at as usize).filter(|(kind, _)| *kind == id % 4).cloned().ok_or(Status::NOT_FOUND)
}

/// The low bits of an id are its kind: neither a histogram nor what is of no kind has a value, whether there is such a metric or not.
fn has_no_value(id: u32) -> bool {
    id % 4 >= HISTOGRAM
}

pub(super) fn get(state: &State, id: u32) -> Result<u64, Status> {
    if has_no_value(id) {
        return Err(Status::BAD_ARGUMENT);
    }
    let metric = find(state, id)?;
    Ok(state.values.get(&metric).copied().unwrap_or(0))
}

/// A counter adds, a gauge is set, a histogram takes a sample.
pub(super) fn record(state: &mut State, id: u32, value: u64) -> Result<(), Status> {
    match find(state, id)? {
        metric @ (COUNTER, _) => {
            let counter = state.values.entry(metric).or_default();
            *counter = counter.wrapping_add(value);
        }
        metric @ (GAUGE, _) => {
            state.values.insert(metric, value);
        }
        (_, name) => state.samples.entry(name).or_default().push(value),
    }
    Ok(())
}

pub(super) fn increment(state: &mut State, id: u32, offset: i64) -> Result<(), Status> {
    if has_no_value(id) {
        return Err(Status::BAD_ARGUMENT);
    }
    match find(state, id)? {
        (COUNTER, _) if offset <= 0 => Err(Status::BAD_ARGUMENT),
        metric => {
            let value = state.values.entry(metric).or_default();
            *value = value.wrapping_add_signed(offset);
            Ok(())
        }
    }
}
