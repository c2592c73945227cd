use std::path::PathBuf;

/// The module of a crate of this workspace, built once in a process.
pub fn module(folder: &str) -> PathBuf {
    inproxy_test::built_module(&format!("{}/../{folder}", env!("CARGO_MANIFEST_DIR")))
}
