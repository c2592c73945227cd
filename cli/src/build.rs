use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::Value;

use crate::{Error, Inspected, TARGET, ensure_target, inspect};

/// A module that was built.
#[derive(Clone, Debug)]
pub struct Built {
    /// The file.
    pub path: PathBuf,
    /// What is in it.
    pub inspected: Inspected,
}

/// Compiles the filter crate in `dir` to a module, with its release profile, and checks it.
///
/// The crate type is given on the command line: with both of the manifest's, rustc would leave out link-time optimization.
///
/// # Errors
///
/// [`Error`], in particular [`Error::Module`] for two filters with one root id.
pub fn build(dir: &Path) -> Result<Built, Error> {
    let path = compile(dir)?;
    let inspected = inspect(&path)?;
    Ok(Built { path, inspected })
}

/// Compiles the crate in `dir` to a module, as [`build`] does, whatever it is written with; the file.
///
/// # Errors
///
/// [`Error`], if it does not compile to a module.
pub fn compile(dir: &Path) -> Result<PathBuf, Error> {
    compile_as(dir, &["--lib"])
}

/// As [`compile`], for an example of the crate, which must be a `cdylib`.
///
/// # Errors
///
/// [`Error`], if it does not compile to a module.
pub fn compile_example(dir: &Path, name: &str) -> Result<PathBuf, Error> {
    compile_as(dir, &["--example", name])
}

/// The engine calls out for each copy of memory, which costs more than to move the few bytes of a small value: without the feature copies are loads and stores, and calls only where they are long.
const FEATURES: &str = r#"target.wasm32-wasip1.rustflags = ["-Ctarget-feature=-bulk-memory"]"#;

fn compile_as(dir: &Path, what: &[&str]) -> Result<PathBuf, Error> {
    ensure_target(dir)?;
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo
        .arg("rustc")
        .args(what)
        .args(["--config", FEATURES])
        .args(["--release", "--target", TARGET, "--crate-type", "cdylib"])
        .args(["--message-format", "json-render-diagnostics"])
        .current_dir(dir)
        .stdout(Stdio::piped());
    let mut cargo = cargo.spawn().map_err(|error| Error::Program { program: "cargo", error })?;
    let lines = cargo.stdout.take().map(|stdout| BufReader::new(stdout).lines());
    // The crate itself comes last.
    let module = lines.into_iter().flatten().map_while(Result::ok).filter_map(|line| module_of(&line)).last();
    let status = cargo.wait().map_err(|error| Error::Program { program: "cargo", error })?;
    if !status.success() {
        return Err(Error::Compile);
    }
    module.ok_or_else(|| Error::NoModule(dir.to_path_buf()))
}

/// The module that a message of cargo speaks of.
fn module_of(message: &str) -> Option<PathBuf> {
    let message: Value = serde_json::from_str(message).ok()?;
    let files = message.get("filenames")?.as_array()?;
    files.iter().filter_map(Value::as_str).find(|file| file.ends_with(".wasm")).map(PathBuf::from)
}
