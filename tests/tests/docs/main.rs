//! The pages of `docs` are true where that can be checked: what they include is there, and what they name exists.

#![allow(clippy::disallowed_methods, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "test code")]

mod abi;
mod links;
mod migration;
mod safety;
mod sdk;

use std::{
    fs,
    path::{Path, PathBuf},
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs")
}

/// What stands between backquotes in a line.
fn code(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2)
}

/// Each page, by its path in `docs`, with its text.
fn docs() -> impl Iterator<Item = (String, String)> {
    let files = |dir: PathBuf| fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    let (folders, files_of_root): (Vec<_>, Vec<_>) = files(root()).partition(|path| path.is_dir());
    let all = folders.into_iter().flat_map(files).chain(files_of_root);
    let pages = all.filter(|path| path.extension().is_some_and(|end| end == "md"));
    pages.map(|path| (path.strip_prefix(root()).unwrap().to_string_lossy().into_owned(), fs::read_to_string(&path).unwrap()))
}

#[test]
fn code_is_included_from_files_that_are_compiled() {
    let mut included = 0;
    for (page, text) in docs() {
        for include in text.split("{{#include ").skip(1) {
            let file = include.split_once("}}").unwrap().0;
            let (file, anchor) = file.rsplit_once(':').map_or((file, None), |(file, anchor)| (file, Some(anchor)));
            let path = root().join(&page).parent().unwrap().join(file);
            let code = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{page}: {file}: {error}"));
            let has = |what: &str, anchor: &str| code.contains(&format!("{what}: {anchor}\n"));
            assert!(anchor.is_none_or(|anchor| has("ANCHOR", anchor) && has("ANCHOR_END", anchor)), "{page}: {file} has no {anchor:?}");
            included += 1;
        }
    }
    assert!(included > 0);
}

#[test]
fn every_page_is_in_the_summary() {
    let summary = docs().find(|(page, _)| page == "SUMMARY.md").unwrap().1;
    for (page, _) in docs().filter(|(page, _)| page != "SUMMARY.md") {
        assert!(summary.contains(&format!("({page})")), "{page} is not in SUMMARY.md");
    }
}

#[test]
fn the_readme_shows_the_example_as_it_is() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    let hello = fs::read_to_string(root.join("examples/hello/src/lib.rs")).unwrap();
    let code = hello.split_once("use inproxy").map(|(_, code)| format!("use inproxy{code}")).unwrap();
    assert!(readme.contains(code.trim()), "README.md shows another examples/hello/src/lib.rs than there is");
    assert!(hello.lines().count() <= 25);
}

/// The rows of the tables of a page, each with so many cells, without their heads.
fn rows(text: &str, columns: usize) -> Vec<Vec<&str>> {
    let lines: Vec<_> = text.lines().filter(|line| line.starts_with('|')).collect();
    let is_rule = |line: &str| line.starts_with("|---");
    let of_head = |at: usize| is_rule(lines[at]) || lines.get(at + 1).is_some_and(|next| is_rule(next));
    let rows = (0..lines.len()).filter(|at| !of_head(*at)).map(|at| lines[at].trim_matches('|').split(" | ").map(str::trim).collect::<Vec<_>>());
    rows.inspect(|row| assert_eq!(row.len(), columns, "{row:?}")).collect()
}

/// Whether there is a test of this name: a case that must not compile, with its message, or a function in the file of its module.
fn is_a_test(name: &str) -> bool {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    if name.ends_with(".rs") {
        let case = tests.join("messages").join(name);
        return case.exists() && case.with_extension("stderr").exists();
    }
    let Some((module, function)) = name.rsplit_once("::") else { return false };
    let file = format!("{}.rs", module.replace("::", "/"));
    let with = |binary: &str| fs::read_to_string(tests.join(binary).join(&file)).is_ok_and(|code| code.contains(&format!("fn {function}(")));
    ["behaviour", "envoy", "model"].into_iter().any(with)
}
