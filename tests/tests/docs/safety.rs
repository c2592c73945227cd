//! The page `safety.md` names tests that there are, and leaves none of the raw ones out.

use std::{fs, path::Path};

use super::{is_a_test, root, rows};

#[test]
fn what_is_said_to_be_safe_is_tested() {
    let text = fs::read_to_string(root().join("safety.md")).unwrap();
    let rows = rows(&text, 4);
    assert!(rows.len() > 40);
    for row in &rows {
        assert!(row.iter().all(|cell| !cell.is_empty()), "{row:?}");
        let tests: Vec<_> = row[3].split(", ").map(|name| name.trim_matches('`')).collect();
        assert_eq!(tests.len(), if row[2].starts_with("not offered") { 1 } else { 2 }, "{row:?}");
        assert!(tests[0].starts_with("raw::"), "{row:?}");
        for test in tests {
            assert!(is_a_test(test), "there is no test {test}");
        }
    }
    // Nothing that is shown is forgotten.
    let raw = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/envoy/raw")).unwrap();
    for file in raw.map(|entry| entry.unwrap().path()) {
        let module = file.file_stem().unwrap().to_string_lossy().into_owned();
        for test in fs::read_to_string(&file).unwrap().split("#[tokio::test]\nasync fn ").skip(1) {
            let name = format!("`raw::{module}::{}`", test.split_once('(').unwrap().0);
            assert!(text.contains(&name), "{name} is not in safety.md");
        }
    }
}
