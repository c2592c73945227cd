//! The page `abi.md` has every function and every callback, and what it says of them is there.

use std::{collections::BTreeSet, fs, path::Path};

use super::{code, is_a_test, root, sdk::Sdk};

/// The functions that Envoy has beside the ABI.
const ENVOYS_OWN: [&str; 1] = ["envoy_resolve_dns"];

/// The functions of WASI that the SDK calls.
const WASI: [&str; 3] = ["clock_time_get", "random_get", "environ_get"];

/// The callbacks that no host of the tests calls as such.
const UNCALLED: [&str; 6] = [
    "proxy_on_memory_allocate",
    "proxy_on_foreign_function",
    "proxy_on_request_metadata",
    "proxy_on_response_metadata",
    "envoy_on_resolve_dns",
    "envoy_on_stats_update",
];

/// A row: what of the ABI, where it is in the SDK, and which test uses it.
struct Row {
    name: String,
    place: String,
    test: String,
}

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn rows() -> Vec<Row> {
    let page = fs::read_to_string(root().join("abi.md")).unwrap();
    let rows = super::rows(&page, 3).into_iter();
    rows.map(|row| Row { name: code(row[0]).next().unwrap().to_owned(), place: row[1].to_owned(), test: row[2].to_owned() }).collect()
}

/// The words of a text that begin so.
fn words<'t>(text: &'t str, start: &'t str) -> impl Iterator<Item = String> + 't {
    let words = text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
    words.filter(move |word| word.starts_with(start) && word.len() > start.len()).map(str::to_owned)
}

#[test]
fn every_function_and_every_callback_has_one_row() {
    let (imported, linked, called) = (read("tests/probe/src/abi.rs"), read("sdk/src/abi/native/symbols.rs"), read("testing/src/vm.rs"));
    let mut expected: BTreeSet<_> = words(&imported, "proxy_").chain(words(&linked, "proxy_")).chain(words(&called, "proxy_on_")).collect();
    assert!(expected.len() > 60, "only {} were found", expected.len());
    expected.extend(ENVOYS_OWN.into_iter().chain(WASI).chain(UNCALLED).chain(["_initialize"]).map(str::to_owned));
    let names: Vec<_> = rows().into_iter().map(|row| row.name).collect();
    let there: BTreeSet<_> = names.iter().cloned().collect();
    assert_eq!(names.len(), there.len(), "one is there twice");
    let (missing, more): (Vec<_>, Vec<_>) = (expected.difference(&there).collect(), there.difference(&expected).collect());
    assert!(missing.is_empty() && more.is_empty(), "not in abi.md: {missing:?}; only there: {more:?}");
}

#[test]
fn what_it_names_in_the_sdk_is_there() {
    let sdk = Sdk::read();
    let rows = rows();
    assert!(rows.iter().all(|row| !row.place.is_empty()));
    let wrong: Vec<_> = rows.iter().flat_map(|row| code(&row.place)).filter(|item| !sdk.has(item)).collect();
    assert!(wrong.is_empty(), "the SDK has no {wrong:?}");
}

#[test]
fn each_is_tested_unless_it_cannot_be_reached() {
    let rows = rows();
    for Row { name, place, test } in &rows {
        assert!(if test == "none" { place.starts_with("not reachable") } else { code(test).count() > 0 }, "{name} needs a test, or a reason");
    }
    let wrong: Vec<_> = rows.iter().flat_map(|row| code(&row.test)).filter(|test| !is_a_test(test)).collect();
    assert!(wrong.is_empty(), "there are no such tests: {wrong:?}");
}
