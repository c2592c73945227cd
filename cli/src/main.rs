//! `cargo inproxy`.

#![allow(clippy::disallowed_methods, clippy::disallowed_macros, reason = "this runs on the host, not in the proxy")]

use std::{path::PathBuf, process::ExitCode};

use cargo_inproxy::{
    Error, RunOptions, build_with, run, stats,
    trim::{self, Trimmed},
};
use clap::{Args, Parser, Subcommand};

/// Cargo calls `cargo-inproxy inproxy …` for `cargo inproxy …`.
#[derive(Debug, Parser)]
#[command(bin_name = "cargo", disable_help_subcommand = true)]
enum Cargo {
    /// Builds and runs Envoy filters written with inproxy.
    #[command(version)]
    Inproxy {
        #[command(subcommand)]
        command: Command,
    },
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Compiles a filter to a wasm module, checks it, and takes out the callbacks that it does not need.
    Build(BuildArgs),
    /// Takes out of any proxy-wasm module the callbacks that it does not need, and the code that only they reach.
    Trim(TrimArgs),
    /// Runs a filter in a real Envoy: shows sample requests, then serves.
    Run(RunArgs),
    /// Says what the proxy's bootstrap must have, so that it shows labels and buckets of a filter's metrics: as JSON for Envoy, or for Istio.
    Stats(StatsArgs),
}

#[derive(Debug, Args)]
struct BuildArgs {
    /// The folder of the filter's crate.
    #[arg(default_value = ".")]
    dir: PathBuf,
    /// Leave all callbacks in.
    #[arg(long)]
    no_trim: bool,
    #[command(flatten)]
    more: More,
}

#[derive(Debug, Args)]
struct TrimArgs {
    /// The module.
    module: PathBuf,
    /// Where to write the trimmed module.
    #[arg(short, long)]
    output: PathBuf,
    /// The callbacks to keep, without `proxy_on_`, as in `request_headers,log`: for a module that is not written with inproxy.
    #[arg(long, value_delimiter = ',')]
    hooks: Option<Vec<String>>,
    #[command(flatten)]
    more: More,
}

/// What else can be taken out.
#[derive(Debug, Args)]
struct More {
    /// Take out the names of functions: a trap's backtrace then has only numbers.
    #[arg(long)]
    strip_names: bool,
    /// Have `wasm-opt -Oz` go over it, if that is installed.
    #[arg(long)]
    wasm_opt: bool,
}

#[derive(Debug, Args)]
struct RunArgs {
    /// The folder of the filter's crate.
    #[arg(default_value = ".")]
    dir: PathBuf,
    /// The Envoy to use; else $ENVOY, one on the PATH, or one that is installed into a cache.
    #[arg(long)]
    envoy: Option<PathBuf>,
    /// The port to listen on; a free one if not given.
    #[arg(long, default_value_t = 0, hide_default_value = true)]
    port: u16,
    /// End after the sample requests.
    #[arg(long)]
    once: bool,
    /// Make a change live as soon as it is saved.
    #[arg(long)]
    watch: bool,
}

#[derive(Debug, Args)]
struct StatsArgs {
    /// The folder of the filter's crate.
    #[arg(default_value = ".")]
    dir: PathBuf,
    /// Write the names of labels as Istio's `extraStatTags`, in the place of Envoy's `stats_config`.
    #[arg(long)]
    istio: bool,
    /// The Envoy to use; else $ENVOY, one on the PATH, or one that is installed into a cache.
    #[arg(long)]
    envoy: Option<PathBuf>,
}

fn main() -> ExitCode {
    let Cargo::Inproxy { command } = Cargo::parse();
    let done = match command {
        Command::Build(args) => build_command(&args),
        Command::Trim(args) => trim_command(args),
        Command::Run(args) => run_command(args),
        Command::Stats(args) => stats_command(&args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn build_command(args: &BuildArgs) -> Result<(), Error> {
    let options = args.more.options(None);
    let built = build_with(&args.dir, (!args.no_trim).then_some(&options))?;
    println!("{}: {} bytes", built.path.display(), built.size());
    for filter in &built.inspected.filters {
        println!("  root id {:?}: {}", filter.root_id, filter.name);
    }
    if let Some(trimmed) = &built.trimmed {
        tell(trimmed, &args.more);
    }
    Ok(())
}

fn trim_command(args: TrimArgs) -> Result<(), Error> {
    let TrimArgs { module, output, hooks, more } = args;
    let trimmed = trim::file(&module, &output, &more.options(hooks))?;
    println!("{}: {} bytes", output.display(), trimmed.sizes.1);
    tell(&trimmed, &more);
    Ok(())
}

fn tell(trimmed: &Trimmed, more: &More) {
    let (before, after) = trimmed.sizes;
    println!("  before: {before} bytes; {} callbacks taken out: {}", trimmed.removed.len(), trimmed.removed.join(", "));
    if more.wasm_opt && !trimmed.optimized {
        println!("  wasm-opt is not installed (Debian: `apt install binaryen`): the module has {after} bytes without it");
    }
}

// === impl More ===

impl More {
    fn options(&self, hooks: Option<Vec<String>>) -> trim::Options {
        trim::Options { hooks, names: self.strip_names, wasm_opt: self.wasm_opt }
    }
}

fn run_command(args: RunArgs) -> Result<(), Error> {
    let RunArgs { dir, envoy, port, once, watch } = args;
    runtime()?.block_on(run(&RunOptions { dir, envoy, port, once, watch }))
}

fn stats_command(args: &StatsArgs) -> Result<(), Error> {
    let config = runtime()?.block_on(stats(&args.dir, args.envoy.as_ref()))?;
    if args.istio {
        let labels: Vec<_> = config.labels().collect();
        println!("# An annotation of the pod; for all pods, the same extraStatTags in meshConfig.defaultConfig.");
        println!("proxy.istio.io/config: |\n  extraStatTags: [{}]", labels.join(", "));
    } else {
        println!("{:#}", serde_json::json!({ "stats_config": config.to_json() }));
    }
    Ok(())
}

fn runtime() -> Result<tokio::runtime::Runtime, Error> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().map_err(Error::Listen)
}
