//! `cargo xtask test`: sets up what is missing, then runs the tests of the workspace.
//!
//! What follows `test` goes to `cargo test`: `cargo xtask test -p inproxy`.
//!
//! `cargo protos`: makes the generated messages anew (`protos.rs`).

#![allow(clippy::disallowed_methods, clippy::disallowed_macros, reason = "this runs on the host, not in the proxy")]

mod packages;
#[cfg(feature = "protos")]
mod protos;

use std::{
    env,
    error::Error,
    path::Path,
    process::{Command, ExitCode},
};

fn main() -> ExitCode {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let done = match arguments.split_first() {
        Some((command, rest)) if command == "test" => test(rest),
        #[cfg(feature = "protos")]
        Some((command, rest)) if command == "protos" => protos::run(rest.iter().any(|argument| argument == "--check")),
        _ => Err("usage: cargo xtask test [arguments for cargo test], or cargo protos [--check]".into()),
    };
    match done {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn test(arguments: &[String]) -> Result<ExitCode, Box<dyn Error>> {
    cargo_inproxy::ensure_target(Path::new("."))?;
    let envoy = inproxy_envoy::find(None, |installing| eprintln!("{installing}"))?;
    packages::ensure(arguments)?;
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.arg("test").env("ENVOY", envoy);
    if !arguments.iter().any(|argument| matches!(argument.as_str(), "-p" | "--package" | "--manifest-path")) {
        cargo.arg("--workspace");
    }
    let status = cargo.args(arguments).status()?;
    if !status.success() {
        return Ok(ExitCode::FAILURE);
    }
    tell_hosts(arguments)?;
    Ok(ExitCode::SUCCESS)
}

/// Says how many of the tests that have passed ran on each host.
fn tell_hosts(arguments: &[String]) -> Result<(), Box<dyn Error>> {
    let own = arguments.split(|argument| argument == "--").next().unwrap_or_default();
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["test", "--quiet", "--tests"]);
    if own.is_empty() || !own.iter().any(|argument| matches!(argument.as_str(), "-p" | "--package" | "--manifest-path")) {
        cargo.arg("--workspace");
    }
    let listed = cargo.args(own).args(["--", "--list"]).output()?;
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    let count = |host: &str| listed.lines().filter(|line| line.ends_with(&format!("::{host}: test"))).count();
    println!("on three hosts: {} native, {} wasm, {} envoy", count("native"), count("wasm"), count("envoy"));
    Ok(())
}
