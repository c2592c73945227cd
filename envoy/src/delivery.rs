use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde_json::json;
use sha2::{Digest, Sha256};

use crate::config::{Module, Source, discovery_response};

/// Delivers a filter to a running Envoy through a file, again and again: what xDS calls ECDS.
///
/// A module's file is named by its content. Envoy does not look at a file twice as long as the configuration that names it is the same.
#[derive(Debug)]
pub struct Delivery {
    name: String,
    dir: PathBuf,
    version: u64,
}

// === impl Delivery ===

impl Delivery {
    /// Files go into `dir`; `name` is what a listener calls the filter.
    pub fn new(name: impl Into<String>, dir: impl Into<PathBuf>) -> Self {
        Self { name: name.into(), dir: dir.into(), version: 0 }
    }

    /// What a listener names as the filter's source.
    pub fn source(&self) -> Source {
        Source::Discovered { name: self.name.clone(), file: self.file() }
    }

    /// Delivers a module and its configuration. Returns the SHA-256 of the module.
    ///
    /// Each file is written beside its place and then moved there, so that Envoy never reads half of one.
    ///
    /// # Errors
    ///
    /// If a file cannot be read or written.
    pub fn deliver(&mut self, module: &Module) -> io::Result<String> {
        let bytes = fs::read(&module.path)?;
        let sha256: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        let path = self.dir.join(format!("{sha256}.wasm"));
        if !path.exists() {
            put(&path, &bytes)?;
        }
        let module = Module { path, ..module.clone() };
        self.version += 1;
        let resource = json!({
            "@type": "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig",
            "name": self.name,
            "typed_config": module.to_json(),
        });
        put(&self.file(), discovery_response(self.version, &[resource]).to_string().as_bytes())?;
        Ok(sha256)
    }

    fn file(&self) -> PathBuf {
        self.dir.join(format!("{}.ecds.json", self.name))
    }
}

/// Writes a file beside its place, then moves it there.
pub(crate) fn put(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let beside = path.with_extension("new");
    fs::write(&beside, bytes)?;
    fs::rename(&beside, path)
}
