use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::SystemTime,
};

/// The times at which a crate's files were last changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Snapshot(BTreeMap<PathBuf, SystemTime>);

// === impl Snapshot ===

impl Snapshot {
    /// The sources, manifest and `inproxy.toml` of a crate, as they are now.
    pub(crate) fn take(dir: &Path) -> Self {
        let mut snapshot = Self::default();
        snapshot.add(&dir.join("src"));
        snapshot.add(&dir.join("Cargo.toml"));
        snapshot.add(&dir.join("inproxy.toml"));
        snapshot
    }

    /// A file that is gone before it is looked at is not there.
    fn add(&mut self, path: &Path) {
        if let Ok(entries) = fs::read_dir(path) {
            for entry in entries.flatten() {
                self.add(&entry.path());
            }
        } else if let Ok(changed) = fs::metadata(path).and_then(|metadata| metadata.modified()) {
            self.0.insert(path.to_path_buf(), changed);
        }
    }
}
