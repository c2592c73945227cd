use std::{path::Path, process::Command};

use crate::Error;

/// What filters are compiled for.
pub const TARGET: &str = "wasm32-wasip1";

/// Adds the wasm target to the toolchain that is used in `dir`, if it is missing.
///
/// # Errors
///
/// [`Error::Target`] with what rustup said.
pub fn ensure_target(dir: &Path) -> Result<(), Error> {
    let rustc = Command::new("rustc")
        .args(["--print", "target-libdir", "--target", TARGET])
        .current_dir(dir)
        .output()
        .map_err(|error| Error::Program { program: "rustc", error })?;
    if rustc.status.success() && Path::new(String::from_utf8_lossy(&rustc.stdout).trim()).is_dir() {
        return Ok(());
    }
    let rustup = Command::new("rustup").args(["target", "add", TARGET]).current_dir(dir).output();
    match rustup {
        Ok(rustup) if rustup.status.success() => Ok(()),
        Ok(rustup) => Err(Error::Target { said: String::from_utf8_lossy(&rustup.stderr).into_owned() }),
        Err(error) => Err(Error::Target { said: error.to_string() }),
    }
}
