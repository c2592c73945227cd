use std::{
    env,
    error::Error,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// The crate that has the .proto files; cargo fetches it, nothing compiles it.
const MANIFEST: &str = r#"
[package]
name = "protos"
version = "0.0.0"
edition = "2024"

[lib]
path = "lib.rs"

[dependencies]
envoy-types = "=0.7.7"

[workspace]
"#;

/// The folders in which the .proto files find each other.
pub(super) fn folders() -> Result<Vec<PathBuf>, Box<dyn Error>> {
    let scratch = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/protos");
    fs::create_dir_all(&scratch)?;
    fs::write(scratch.join("Cargo.toml"), MANIFEST)?;
    fs::write(scratch.join("lib.rs"), "")?;
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    let told = cargo.args(["metadata", "--format-version", "1", "--manifest-path"]).arg(scratch.join("Cargo.toml")).output()?;
    if !told.status.success() {
        return Err(format!("envoy-types cannot be fetched: {}", String::from_utf8_lossy(&told.stderr)).into());
    }
    let metadata: serde_json::Value = serde_json::from_slice(&told.stdout)?;
    let packages = metadata.get("packages").and_then(|packages| packages.as_array()).ok_or("cargo metadata has no packages")?;
    let of = |package: &serde_json::Value, key: &str| package.get(key).and_then(|value| value.as_str()).map(str::to_owned);
    let package = packages.iter().find(|package| of(package, "name").as_deref() == Some("envoy-types"));
    let manifest = package.and_then(|package| of(package, "manifest_path")).ok_or("cargo metadata has no envoy-types")?;
    let protos = Path::new(&manifest).with_file_name("proto");
    Ok(fs::read_dir(protos)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?)
}
