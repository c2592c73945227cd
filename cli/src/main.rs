//! `cargo inproxy`.

#![allow(clippy::disallowed_methods, clippy::disallowed_macros, reason = "this runs on the host, not in the proxy")]

use std::{path::PathBuf, process::ExitCode};

use cargo_inproxy::{Error, RunOptions, build, run};
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
    /// Compiles a filter to a wasm module, and checks it.
    Build(BuildArgs),
    /// Runs a filter in a real Envoy: shows sample requests, then serves.
    Run(RunArgs),
}

#[derive(Debug, Args)]
struct BuildArgs {
    /// The folder of the filter's crate.
    #[arg(default_value = ".")]
    dir: PathBuf,
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

fn main() -> ExitCode {
    let Cargo::Inproxy { command } = Cargo::parse();
    let done = match command {
        Command::Build(args) => build_command(&args),
        Command::Run(args) => run_command(args),
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
    let built = build(&args.dir)?;
    println!("{}: {} bytes", built.path.display(), built.inspected.size);
    for filter in &built.inspected.filters {
        println!("  root id {:?}: {}", filter.root_id, filter.name);
    }
    Ok(())
}

fn run_command(args: RunArgs) -> Result<(), Error> {
    let RunArgs { dir, envoy, port, once, watch } = args;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().map_err(Error::Listen)?;
    runtime.block_on(run(&RunOptions { dir, envoy, port, once, watch }))
}
