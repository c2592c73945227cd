//! The manifests in `examples/auth/deploy`.

#![allow(clippy::disallowed_macros, clippy::disallowed_methods, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "test code")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use inproxy_envoy::find;
use serde_json::Value;

const MODULE: &str = "/etc/envoy/auth.trimmed.wasm";

fn manifest(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/auth/deploy").join(name)).unwrap()
}

/// The configuration of the filter: the JSON behind a line, as far as it is indented.
fn configuration(manifest: &str, line: &str) -> Value {
    let (_, behind) = manifest.split_once(line).unwrap();
    let lines: Vec<&str> = behind.lines().skip(1).collect();
    let indent = lines[0].len() - lines[0].trim_start().len();
    let json: Vec<&str> = lines.into_iter().take_while(|line| line.len() - line.trim_start().len() >= indent).collect();
    serde_json::from_str(&json.join("\n")).unwrap()
}

/// The module of the example, built as its user builds it.
fn module() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut build = Command::new(env!("CARGO_BIN_EXE_cargo-inproxy"));
    build.args(["inproxy", "build"]).arg(root.join("examples/auth")).env("CARGO_TARGET_DIR", root.join("target"));
    let built = build.output().unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    fs::canonicalize(root.join("target/wasm32-wasip1/release/auth.trimmed.wasm")).unwrap()
}

/// Envoy loads the module for it, and configures the filter.
fn validate(bootstrap: &str) -> Output {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("envoy.yaml");
    fs::write(&path, bootstrap).unwrap();
    let envoy = find(None, |installing| eprintln!("{installing}")).unwrap_or_else(|error| panic!("{error}"));
    Command::new(envoy).args(["--mode", "validate", "-c"]).arg(path).output().unwrap()
}

#[test]
fn envoy_takes_the_bootstrap() {
    let bootstrap = manifest("envoy.yaml");
    assert!(bootstrap.contains(MODULE));
    let bootstrap = bootstrap.replace(MODULE, module().to_str().unwrap());
    let taken = validate(&bootstrap);
    assert!(taken.status.success(), "{}", String::from_utf8_lossy(&taken.stderr));
    // The filter is asked.
    let refused = validate(&bootstrap.replace(r#"["door", "keys"] }"#, r#"["door", "keyz"] }"#));
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && said.contains(r#"rules[1].require: no check is called "keyz"; there is door, keys"#), "{said}");
}

#[test]
fn istio_gets_what_envoy_gets() {
    let of_envoy = configuration(&manifest("envoy.yaml"), "value: |");
    assert_eq!(configuration(&manifest("wasmplugin.yaml"), "pluginConfig:"), of_envoy);
    assert!(of_envoy["rules"].is_array(), "{of_envoy}");
}
