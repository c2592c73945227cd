//! The manifests in the `deploy` of `examples/auth`, `examples/rate-limit` and `examples/metrics`.

#![allow(clippy::disallowed_macros, clippy::disallowed_methods, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "test code")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use inproxy_envoy::find;
use serde_json::Value;

fn manifest(example: &str, name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples").join(example).join("deploy").join(name)).unwrap()
}

/// The configuration of the filter: the JSON behind a line, as far as it is indented.
fn configuration(manifest: &str, line: &str) -> Value {
    let (_, behind) = manifest.split_once(line).unwrap();
    let lines: Vec<&str> = behind.lines().skip(1).collect();
    let indent = lines[0].len() - lines[0].trim_start().len();
    let json: Vec<&str> = lines.into_iter().take_while(|line| line.len() - line.trim_start().len() >= indent).collect();
    serde_json::from_str(&json.join("\n")).unwrap()
}

/// The module of an example, built as its user builds it.
fn module(example: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut build = Command::new(env!("CARGO_BIN_EXE_cargo-inproxy"));
    build.args(["inproxy", "build"]).arg(root.join("examples").join(example)).env("CARGO_TARGET_DIR", root.join("target"));
    let built = build.output().unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    fs::canonicalize(root.join(format!("target/wasm32-wasip1/release/{}.trimmed.wasm", example.replace('-', "_")))).unwrap()
}

/// Envoy loads the module for it, and configures the filter.
fn validate(bootstrap: &str) -> Output {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("envoy.yaml");
    fs::write(&path, bootstrap).unwrap();
    let envoy = find(None, |installing| eprintln!("{installing}")).unwrap_or_else(|error| panic!("{error}"));
    Command::new(envoy).args(["--mode", "validate", "-c"]).arg(path).output().unwrap()
}

/// Envoy takes the bootstrap of an example, and its filter refuses it with `wrong` in the place of `right`, and says why.
fn expect_taken(example: &str, (right, wrong): (&str, &str), reason: &str) {
    let bootstrap = manifest(example, "envoy.yaml");
    let deployed = format!("/etc/envoy/{}.trimmed.wasm", example.replace('-', "_"));
    assert!(bootstrap.contains(&deployed));
    let bootstrap = bootstrap.replace(&deployed, module(example).to_str().unwrap());
    let taken = validate(&bootstrap);
    assert!(taken.status.success(), "{}", String::from_utf8_lossy(&taken.stderr));
    // The filter is asked.
    let refused = validate(&bootstrap.replace(right, wrong));
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && said.contains(reason), "{said}");
}

#[test]
fn envoy_takes_the_bootstrap_of_auth() {
    let reason = r#"rules[1].require: no check is called "keyz"; there is door, keys"#;
    expect_taken("auth", (r#"["door", "keys"] }"#, r#"["door", "keyz"] }"#), reason);
}

#[test]
fn envoy_takes_the_bootstrap_of_rate_limit() {
    expect_taken("rate-limit", (r#""fill_interval": "1s""#, r#""fill_interval": "0s""#), "limits[0]: bucket.fill_interval: must be at least");
}

#[test]
fn envoy_takes_the_bootstrap_of_metrics() {
    expect_taken("metrics", (r#""kind": "DISTRIBUTION""#, r#""kind": "COUNTER""#), "metrics[0]: buckets: only a DISTRIBUTION has some");
    expect_taken(
        "metrics",
        (r#"{ "istio": {} }"#, r#"{ "istio": { "stat_prefix": "9" } }"#),
        "istio: \"9_tcp_sent_bytes_total\" is not the name of a metric",
    );
}

#[test]
fn istio_gets_what_envoy_gets() {
    let both = |example| {
        (configuration(&manifest(example, "wasmplugin.yaml"), "pluginConfig:"), configuration(&manifest(example, "envoy.yaml"), "value: |"))
    };
    for (example, field) in [("auth", "rules"), ("metrics", "metrics")] {
        let (of_istio, of_envoy) = both(example);
        assert_eq!(of_istio, of_envoy);
        assert!(of_envoy[field].is_array(), "{of_envoy}");
    }
    let (mut of_istio, of_envoy) = both("rate-limit");
    // A cluster has the name that the mesh gives it.
    let cluster = of_istio["limits"][2]["global"]["cluster"].take();
    assert_eq!(cluster, "outbound|8081||quota-service.default.svc.cluster.local");
    of_istio["limits"][2]["global"]["cluster"] = of_envoy["limits"][2]["global"]["cluster"].clone();
    assert_eq!(of_istio, of_envoy);
    assert!(of_envoy["limits"].is_array(), "{of_envoy}");
}
