//! Rounds of load over all variants of a job.

use std::{collections::BTreeMap, error::Error, io, net::SocketAddr, process::Command};

use inproxy_envoy::{Cluster, Envoy, Listener, find};

use crate::{
    Options,
    jobs::{Job, Variant},
    load,
};

/// What a job costs.
pub(crate) struct Measured {
    pub(crate) job: Job,
    pub(crate) chain: usize,
    /// How many rounds and requests there were.
    pub(crate) rounds: usize,
    pub(crate) requests: usize,
    /// The ways to do it.
    pub(crate) variants: Vec<Variant>,
    /// For each variant, and for each round: nanoseconds of CPU time for each request and filter, without those of the empty chain.
    pub(crate) costs: BTreeMap<&'static str, Vec<f64>>,
    /// Nanoseconds for each request with the empty chain.
    pub(crate) empty: Vec<f64>,
}

/// How many requests go before those that are measured, so that the engine has compiled what runs.
const WARM: usize = 2000;

impl Measured {
    /// Measures one job in chains of so many filters.
    pub(crate) async fn of(job: Job, chain: usize, options: &Options) -> Result<Self, Box<dyn Error>> {
        let variants = job.variants()?;
        let mut envoy_options = inproxy_envoy::Options::new(find(None, |installing| eprintln!("{installing}"))?);
        envoy_options.core = Some(options.core);
        let envoy = Envoy::start(&envoy_options).await?;
        envoy.put_clusters(&[Cluster::new("side", [load::server().await?])]).await?;
        let empty = open(&envoy, job, "empty-".to_owned(), &[], 0).await?;
        let mut listeners = Vec::new();
        for (at, variant) in variants.iter().enumerate() {
            let address = open(&envoy, job, format!("variant-{at}-"), &variant.filters, chain).await;
            listeners.push((variant.name, address.map_err(|error| format!("{}: {error}\n{}", variant.name, envoy.log()))?));
        }
        let request: &'static [u8] = job.request().leak();
        for (_, address) in listeners.iter().chain([&("", empty)]) {
            load::drive(*address, request, WARM).await?;
        }
        let mut measured =
            Self { job, chain, rounds: options.rounds, requests: options.requests, variants, costs: BTreeMap::new(), empty: Vec::new() };
        for round in 0..options.rounds {
            eprint!("\r{} in chains of {chain}: round {} of {}", job.name(), round + 1, options.rounds);
            // Before and after, so that what drifts within a round is not taken for a cost.
            let before = cost(&envoy, empty, request, options.requests).await?;
            let mut costs = Vec::new();
            let first = round % listeners.len();
            let (end, start) = listeners.split_at(first);
            for (name, address) in start.iter().chain(end) {
                costs.push((*name, cost(&envoy, *address, request, options.requests).await?));
            }
            let after = cost(&envoy, empty, request, options.requests).await?;
            let empty = f64::midpoint(before, after);
            measured.empty.push(empty);
            for (name, cost) in costs {
                measured.costs.entry(name).or_default().push((cost - empty) / chain as f64);
            }
        }
        eprintln!();
        Ok(measured)
    }
}

/// Nanoseconds of CPU time for each request.
async fn cost(envoy: &Envoy, address: SocketAddr, request: &'static [u8], requests: usize) -> Result<f64, Box<dyn Error>> {
    let before = envoy.cpu_time()?;
    load::drive(address, request, requests).await?;
    let spent = envoy.cpu_time()? - before;
    Ok(spent.as_nanos() as f64 / requests as f64)
}

async fn open(envoy: &Envoy, job: Job, name: String, filters: &[inproxy_envoy::Source], chain: usize) -> Result<SocketAddr, Box<dyn Error>> {
    let mut listener = Listener::new(name, "side");
    // Envoy's own answer would come before the body.
    listener.direct_response = job != Job::Body;
    for _ in 0..chain {
        listener.filters.extend(filters.iter().cloned());
    }
    Ok(envoy.put_listener(&listener).await?)
}

/// Keeps this process on one core, with Linux's `taskset`.
pub(crate) fn stay_on_core(core: usize) -> io::Result<()> {
    let status = Command::new("taskset").args(["--pid", "--cpu-list", &core.to_string(), &std::process::id().to_string()]).output()?.status;
    if status.success() {
        Ok(())
    } else {
        Err(io::Error::other(format!("taskset cannot keep the load on core {core}; are there two cores? see --core")))
    }
}
