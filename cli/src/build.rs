use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::Value;

use crate::{
    Error, Inspected, TARGET, ensure_target, inspect,
    trim::{self, Trimmed},
};

/// A module that was built.
#[derive(Clone, Debug)]
pub struct Built {
    /// The file: the trimmed module.
    pub path: PathBuf,
    /// The module as cargo built it, which is valid too.
    pub untrimmed: PathBuf,
    /// What is in it.
    pub inspected: Inspected,
    /// What was taken out; `None` if it was not trimmed.
    pub trimmed: Option<Trimmed>,
}

// === impl Built ===

impl Built {
    /// The size of the file in bytes.
    pub fn size(&self) -> u64 {
        self.trimmed.as_ref().map_or(self.inspected.size as u64, |trimmed| trimmed.sizes.1)
    }
}

/// The engine calls out for each copy of memory, which costs more than to move the few bytes of a small value: without the feature such copies are loads and stores. It saves one in eight of the nanoseconds that a small filter
/// takes in V8.
const FEATURES: &str = r#"target.wasm32-wasip1.rustflags = ["-Ctarget-feature=-bulk-memory"]"#;

/// Compiles the filter crate in `dir` to a module, with its release profile, checks it, and takes out what it does not need.
///
/// The crate type is given on the command line: with both of the manifest's, rustc would leave out link-time optimization.
///
/// # Errors
///
/// [`Error`], in particular [`Error::Module`] for two filters with one root id.
pub fn build(dir: &Path) -> Result<Built, Error> {
    build_with(dir, Some(&trim::Options::default()))
}

/// As [`build`], trimmed otherwise, or not at all.
///
/// # Errors
///
/// As [`build`].
pub fn build_with(dir: &Path, options: Option<&trim::Options>) -> Result<Built, Error> {
    let untrimmed = compile(dir)?;
    let inspected = inspect(&untrimmed)?;
    let Some(options) = options else { return Ok(Built { path: untrimmed.clone(), untrimmed, inspected, trimmed: None }) };
    let (path, trimmed) = trim::beside(&untrimmed, options)?;
    Ok(Built { path, untrimmed, inspected, trimmed: Some(trimmed) })
}

/// Compiles the crate in `dir` to a module, as [`build`] does, whatever it is written with; the file.
///
/// # Errors
///
/// [`Error`], if it does not compile to a module.
pub fn compile(dir: &Path) -> Result<PathBuf, Error> {
    compile_as(dir, &["--lib", "--config", FEATURES])
}

/// As [`compile`], for an example of the crate, which must be a `cdylib`.
///
/// # Errors
///
/// As [`compile`].
pub fn compile_example(dir: &Path, name: &str) -> Result<PathBuf, Error> {
    compile_as(dir, &["--example", name, "--config", FEATURES])
}

/// As [`compile_example`], with nothing that `cargo build --release` would not do, into a target folder of its own: other flags in the same one would have all of it compiled anew each time.
///
/// # Errors
///
/// As [`compile`].
pub fn compile_example_plainly(dir: &Path, name: &str, target: &str) -> Result<PathBuf, Error> {
    compile_as(dir, &["--example", name, "--target-dir", target])
}

fn compile_as(dir: &Path, what: &[&str]) -> Result<PathBuf, Error> {
    ensure_target(dir)?;
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo
        .arg("rustc")
        .args(what)
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
