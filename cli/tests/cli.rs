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
    let output = inproxy(&["run", &example("api-key")]);
    let said = text(&output.stdout);
    assert!(output.status.success(), "{said}\n{}", text(&output.stderr));
    for expected in ["401 Unauthorized", "| x-consumer: alice", "| x-consumer: bob", "403 Forbidden", "503 Service Unavailable"] {
        assert!(said.contains(expected), "{expected} is missing in {said}");
    }
}

#[test]
fn run_shows_the_checks_of_auth() {
    let output = inproxy(&["run", &example("auth")]);
    let said = text(&output.stdout);
    assert!(output.status.success(), "{said}\n{}", text(&output.stderr));
    let seen = [
        "| NOT_FOUND:gone:nothing is here any more",
        "| the upstream saw GET /books?page=2\n",
        "| x-consumer: alice",
        "| x-user: root",
        "403 Forbidden",
    ];
    for expected in seen {
        assert!(said.contains(expected), "{expected} is missing in {said}");
    }
}

#[test]
fn run_says_that_a_service_is_no_http_filter() {
    let dir = tempfile::tempdir().unwrap();
    let sdk = fs::canonicalize(example("hello")).unwrap().join("../../sdk");
    fs::create_dir_all(dir.path().join("src")).unwrap();
    fs::write(
        dir.path().join("src/lib.rs"),
        "use inproxy::prelude::*;\n\n#[service]\n#[config]\npub struct Idle;\n\nimpl Service for Idle {\n    async fn run(&self) -> Result<()> {\n        Ok(())\n    }\n}\n",
    )
    .unwrap();
    let manifest = "[package]\nname = \"idle\"\nedition = \"2024\"\n\n[lib]\ncrate-type = [\"cdylib\"]\n\n[workspace]\n\n[dependencies]\n";
    fs::write(dir.path().join("Cargo.toml"), format!("{manifest}inproxy = {{ path = {sdk:?} }}\n")).unwrap();
    let output = inproxy(&["run", dir.path().to_str().unwrap()]);
    assert!(!output.status.success());
    let said = text(&output.stderr);
    assert!(said.contains("`run` serves HTTP filters, and ") && said.contains("has \"idle\" (service); choose one"), "{said}");
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

#[test]
fn stats_tells_what_a_bootstrap_must_say_of_metrics() {
    let filters = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/filters");
    let output = inproxy(&["stats", filters]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let said: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let expected =
        inproxy_envoy::StatsConfig::default().with_labels(["code", "method", "route"]).with_buckets("edge_request_duration_ms", &[5, 50, 500, 5000]);
    assert_eq!(said, serde_json::json!({ "stats_config": expected.to_json() }));
    let output = inproxy(&["stats", filters, "--istio"]);
    let said = text(&output.stdout);
    assert!(said.ends_with("proxy.istio.io/config: |\n  extraStatTags: [code, method, route]\n"), "{said}");
}

#[test]
fn stats_tells_why_a_configuration_was_refused() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir_all(dir.path().join("src")).unwrap();
    let path = |name: &str| dir.path().join(name);
    let hello = example("hello");
    fs::copy(format!("{hello}/src/lib.rs"), path("src/lib.rs")).unwrap();
    let sdk = Path::new(env!("CARGO_MANIFEST_DIR")).join("../sdk");
    let manifest =
        "[package]\nname = \"refused\"\nedition = \"2024\"\n\n[lib]\ncrate-type = [\"cdylib\"]\n\n[workspace]\n\n[dependencies]\ninproxy = { path = ";
    fs::write(path("Cargo.toml"), format!("{manifest}{sdk:?} }}\n")).unwrap();
    fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.lock"), path("Cargo.lock")).unwrap();
    fs::write(path("inproxy.toml"), "[filter.config]\nname = \"x y\"\nvalue = \"1\"\n").unwrap();
    let output = inproxy(&["stats", dir.path().to_str().unwrap()]);
    let said = text(&output.stderr);
    assert!(!output.status.success() && said.contains("\"x y\" is not a header name"), "{said}");
}
