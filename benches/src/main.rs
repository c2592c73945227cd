//! What a filter costs in the real Envoy: CPU time for each request, beside the same job done otherwise.
//!
//! One Envoy with one worker on one core, the load generator on another. Each variant has a listener with a chain of it; in each round all are driven one after another, the empty chain among
//! them, whose cost is taken off. Ratios are taken within a round and averaged over rounds. `docs/performance.md` says more.

#![allow(clippy::disallowed_methods, clippy::disallowed_macros, reason = "this runs on the host, not in the proxy")]

mod jobs;
mod load;
mod measure;
mod report;
mod statistics;

use std::{error::Error, path::PathBuf};

use clap::Parser;

use self::{jobs::Job, measure::Measured};

/// Measures what filters cost in the real Envoy.
#[derive(Debug, Parser)]
#[command(name = "cargo bench-envoy")]
pub(crate) struct Options {
    /// How often each variant is driven.
    #[arg(long, default_value_t = 15)]
    rounds: usize,
    /// How many requests each time.
    #[arg(long, default_value_t = 4000)]
    requests: usize,
    /// How many filters are in a chain.
    #[arg(long, default_values_t = [1, 10])]
    chain: Vec<usize>,
    /// Which job; all unless given.
    #[arg(long)]
    job: Option<String>,
    /// The core that Envoy runs on; the load generator runs on the next.
    #[arg(long, default_value_t = 0)]
    core: usize,
    /// Where to write all numbers as JSON.
    #[arg(long)]
    json: Option<PathBuf>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::parse();
    measure::stay_on_core(options.core + 1)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let jobs: Vec<_> = Job::ALL.into_iter().filter(|job| options.job.as_deref().is_none_or(|only| only == job.name())).collect();
    if jobs.is_empty() {
        return Err(format!("there is no such job; the jobs are {}", Job::ALL.map(Job::name).join(", ")).into());
    }
    let mut all = Vec::new();
    for job in jobs {
        for &chain in &options.chain {
            let measured = runtime.block_on(Measured::of(job, chain, &options))?;
            println!("{}", report::table(&measured));
            all.push(report::json(&measured));
        }
    }
    if let Some(path) = options.json {
        std::fs::write(path, serde_json::to_string_pretty(&all)?)?;
    }
    Ok(())
}
