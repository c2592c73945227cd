//! What Envoy's `/stats/prometheus` would show of the filters' metrics.

use std::collections::BTreeMap;

use super::state::State;
use crate::prometheus::{BUCKETS, write};

/// A metric's kind, by its number in the ABI.
const KINDS: [&str; 3] = ["counter", "gauge", "histogram"];

/// The series of a metric: the labels of each, and the name of its statistic.
type Metrics<'s> = BTreeMap<(u32, String), BTreeMap<Vec<(String, String)>, &'s str>>;

pub(super) fn prometheus(state: &State) -> String {
    let config = &state.around.stats;
    let mut metrics = Metrics::new();
    let mut buckets = BTreeMap::new();
    for (kind, stat) in &state.metrics {
        let shown = config.shown(stat);
        let bounds = config.buckets(&inproxy_envoy::StatName::parse(stat).metric);
        buckets.insert(shown.metric.clone(), bounds.map(|bounds| bounds.iter().map(u64::to_string).collect::<Vec<_>>()));
        metrics.entry((*kind, shown.metric)).or_default().insert(shown.labels, stat);
    }
    let mut text = String::new();
    for ((kind, name), series) in metrics {
        text.push_str(&format!("# TYPE {name} {}\n", KINDS[kind as usize]));
        for (labels, stat) in series {
            if KINDS[kind as usize] != "histogram" {
                let value = state.values.get(&(kind, stat.to_owned())).copied().unwrap_or(0);
                write(&mut text, &name, &labels, value as f64);
                continue;
            }
            let samples = state.samples.get(stat).map_or(&[][..], Vec::as_slice);
            // Envoy takes what is above `i64::MAX` for a number below zero.
            let values: Vec<_> = samples.iter().map(|sample| sample.cast_signed() as f64).collect();
            let bounds = buckets.get(&name).cloned().flatten().unwrap_or_else(|| BUCKETS.map(str::to_owned).into());
            for bound in bounds {
                let under = values.iter().filter(|value| **value <= bound.parse().expect("a number")).count();
                bucket(&mut text, &name, &labels, &bound, under);
            }
            bucket(&mut text, &name, &labels, "+Inf", samples.len());
            write(&mut text, &format!("{name}_sum"), &labels, values.iter().sum());
            write(&mut text, &format!("{name}_count"), &labels, samples.len() as f64);
        }
    }
    text
}

fn bucket(text: &mut String, name: &str, labels: &[(String, String)], bound: &str, count: usize) {
    let labels = [labels, &[("le".to_owned(), bound.to_owned())]].concat();
    write(text, &format!("{name}_bucket"), &labels, count as f64);
}
