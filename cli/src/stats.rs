//! `cargo inproxy stats`: what a proxy must be told of a filter's metrics.

use std::path::{Path, PathBuf};

use inproxy_envoy::{Cluster, Envoy, Listener, Module, Options, Source, StartError, StatsConfig};

use crate::{
    Error, Project, build,
    run::{UPSTREAM, reasons, say},
};

/// What a filter says of its histograms' buckets, in Envoy's log.
const BUCKETS: &str = "the buckets of the histogram ";

/// Builds a filter, configures it in Envoy as `inproxy.toml` says, and sees which labels and buckets its metrics have.
///
/// # Errors
///
/// [`Error`]; [`Error::Refused`] if the filter does not take its configuration.
pub async fn stats(dir: &Path, envoy: Option<&PathBuf>) -> Result<StatsConfig, Error> {
    let project = Project::read(dir)?;
    let built = build(dir)?;
    let binary = inproxy_envoy::find(envoy.map(PathBuf::as_path), |installing| say("Fetching", installing))?;
    let module = Module {
        root_id: project.filter.root_id.clone(),
        configuration: project.configuration(),
        hold_headers: project.filter.held,
        ..Module::new(&built.path)
    };
    let mut options = Options { log: "wasm:debug".to_owned(), ..Options::new(binary) };
    let mut listener = Listener::new("ingress", UPSTREAM);
    match built.inspected.kind_of(&module.root_id) {
        "service" => options.services.push(module),
        "access_logger" => listener.access_loggers.push(module),
        _ => listener.filters.push(Source::Inline(module)),
    }
    let envoy = Envoy::start(&options).await?;
    let clusters: Vec<_> =
        project.run.cluster.iter().map(|service| service.name.as_str()).chain([UPSTREAM]).map(|name| Cluster::new(name, [])).collect();
    envoy.put_clusters(&clusters).await?;
    match envoy.put_listener(&listener).await {
        Ok(_) => {}
        Err(StartError::Refused { .. }) => return Err(Error::Refused(reasons(&envoy.log()))),
        Err(error) => return Err(error.into()),
    }
    let names = envoy.admin().stat_names("wasmcustom.").await?;
    let config = StatsConfig::default().with_labels_of(names.iter().map(String::as_str));
    Ok(buckets(&envoy.log()).fold(config, |config, (metric, bounds)| config.with_buckets(metric, &bounds)))
}

/// The histograms whose buckets a filter has told of, each with their bounds.
fn buckets(log: &str) -> impl Iterator<Item = (&str, Vec<u64>)> {
    log.lines().filter_map(|line| {
        let (metric, bounds) = line.split_once(BUCKETS)?.1.split_once(" are [")?;
        let bounds = bounds.strip_suffix(']')?.split(", ").map(str::parse).collect::<Result<_, _>>().ok()?;
        Some((metric, bounds))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_read_from_the_log() {
        let log = "[x][debug][wasm] [y] wasm log a a: the buckets of the histogram a.b_ms are [5, 50]\nthe buckets of the histogram x are [a]\nz";
        assert_eq!(buckets(log).collect::<Vec<_>>(), [("a.b_ms", vec![5, 50])]);
    }
}
