use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::Mutex,
};

/// The module of a crate of this workspace, built once in a process.
pub fn module(folder: &str) -> PathBuf {
    static BUILT: Mutex<Option<HashMap<String, PathBuf>>> = Mutex::new(None);
    let mut built = BUILT.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let built = built.get_or_insert_default();
    if let Some(path) = built.get(folder) {
        return path.clone();
    }
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(folder);
    let path = cargo_inproxy::build(&dir).unwrap_or_else(|error| panic!("{folder} does not build: {error}")).path;
    built.insert(folder.to_owned(), path.clone());
    path
}
