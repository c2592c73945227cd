//! What is shown, and what is written.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::{
    measure::Measured,
    statistics::{mean, ratio},
};

/// The table of a job: each variant's cost, and what ours costs against it.
pub(crate) fn table(measured: &Measured) -> String {
    let Measured { job, chain, rounds, requests, variants, costs, empty } = measured;
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = writeln!(out, "\n### {}, chain of {chain}: {rounds} rounds of {requests} requests\n", job.name());
    let _ = writeln!(out, "| variant | µs a filter | 95 % | inproxy costs | 95 % | bytes |");
    let _ = writeln!(out, "|---|---|---|---|---|---|");
    let ours = variants.first().and_then(|first| costs.get(first.name));
    for variant in variants {
        let Some(own) = costs.get(variant.name) else { continue };
        let cost = mean(own);
        let against = ours.map(|ours| ratio(ours, own));
        let (ratio, interval) =
            against.map_or_else(Default::default, |ratio| (format!("{:.3} ×", ratio.mean), format!("{:.3}–{:.3}", ratio.low, ratio.high)));
        let size = variant.size.map(|size| size.to_string()).unwrap_or_default();
        let _ = writeln!(
            out,
            "| {} | {:.3} | {:.3}–{:.3} | {ratio} | {interval} | {size} |",
            variant.name,
            cost.mean / 1e3,
            cost.low / 1e3,
            cost.high / 1e3
        );
    }
    let _ = writeln!(out, "\nThe empty chain costs {:.3} µs a request.", mean(empty).mean / 1e3);
    out
}

/// All numbers.
pub(crate) fn json(measured: &Measured) -> Value {
    let Measured { job, chain, rounds, requests, variants, costs, empty } = measured;
    let sizes: serde_json::Map<_, _> = variants.iter().map(|variant| (variant.name.to_owned(), json!(variant.size))).collect();
    json!({
        "job": job.name(), "chain": chain, "rounds": rounds, "requests": requests,
        "nanoseconds_per_request_and_filter": costs, "nanoseconds_per_request_of_the_empty_chain": empty, "bytes": sizes,
    })
}
