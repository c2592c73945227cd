//! The command, as a user types it.

#![allow(clippy::disallowed_methods, clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "test code")]

use std::{
    fs,
    path::Path,
    process::{Command, Output, Stdio},
};

fn inproxy(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_cargo-inproxy"))
        .arg("inproxy")
        .args(arguments)
        // What is built once is not built again for a crate elsewhere.
        .env("CARGO_TARGET_DIR", concat!(env!("CARGO_MANIFEST_DIR"), "/../target"))
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn example(name: &str) -> String {
    format!("{}/../examples/{name}", env!("CARGO_MANIFEST_DIR"))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A crate that is complete but for what the test is about.
fn crate_in(dir: &Path, inproxy_toml: &str) {
    fs::create_dir_all(dir.join("src")).unwrap();
    fs::write(dir.join("src/lib.rs"), "").unwrap();
    fs::write(dir.join("Cargo.toml"), "[package]\nname = \"empty\"\nedition = \"2024\"\n\n[workspace]\n").unwrap();
    fs::write(dir.join("inproxy.toml"), inproxy_toml).unwrap();
}

#[test]
fn build_tells_size_and_filters() {
    let output = inproxy(&["build", &example("hello")]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let said = text(&output.stdout);
    assert!(said.contains("hello.trimmed.wasm: ") && said.contains(" bytes\n  root id \"hello\": hello::Hello\n"), "{said}");
}

#[test]
fn build_refuses_a_crate_without_a_module() {
    let dir = tempfile::tempdir().unwrap();
    crate_in(dir.path(), "");
    let output = inproxy(&["build", dir.path().to_str().unwrap()]);
    assert!(!output.status.success());
    let said = text(&output.stderr);
    assert!(said.contains("has no filter; is there a struct with #[filter]?"), "{said}");
}

#[test]
fn run_shows_the_samples_and_ends_without_a_terminal() {
    let output = inproxy(&["run", &example("auth")]);
    let said = text(&output.stdout);
    assert!(output.status.success(), "{said}\n{}", text(&output.stderr));
    for expected in ["401 Unauthorized", "| x-consumer: alice", "| x-consumer: bob", "403 Forbidden", "503 Service Unavailable"] {
        assert!(said.contains(expected), "{expected} is missing in {said}");
    }
}

#[test]
fn run_names_the_fault_in_inproxy_toml() {
    let dir = tempfile::tempdir().unwrap();
    crate_in(dir.path(), "[filter]\nroot = \"x\"\n");
    let output = inproxy(&["run", dir.path().to_str().unwrap()]);
    assert!(!output.status.success());
    let said = text(&output.stderr);
    assert!(said.contains("inproxy.toml") && said.contains("line 2") && said.contains("unknown field `root`"), "{said}");
}

#[test]
fn run_tells_what_the_filter_said_of_its_configuration() {
    let dir = tempfile::tempdir().unwrap();
    let hello = fs::canonicalize(example("hello")).unwrap();
    fs::write(
        dir.path().join("Cargo.toml"),
        format!(
            "[package]\nname = \"bad\"\nedition = \"2024\"\n\n[lib]\npath = {:?}\n\n[dependencies]\ninproxy = {{ path = {:?} }}\n\n[workspace]\n",
            hello.join("src/lib.rs"),
            hello.join("../../sdk")
        ),
    )
    .unwrap();
    fs::write(dir.path().join("inproxy.toml"), "[filter.config]\nname = \"x hello\"\nvalue = \"v\"\n").unwrap();
    let output = inproxy(&["run", dir.path().to_str().unwrap()]);
    assert!(!output.status.success());
    let said = text(&output.stderr);
    assert!(
        said.contains("error: Envoy refused the filter:\nthe configuration of the filter bad::Hello was refused: ")
            && said.contains("name: \"x hello\" is not a header name"),
        "{said}"
    );
}
