//! The jobs that are measured, and the variants that do each.

use std::{error::Error, path::PathBuf};

use cargo_inproxy::{compile_example, compile_example_plainly, trim};
use inproxy_envoy::{Module, Source};
use serde_json::{Value, json};

/// What the filters of a chain do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Job {
    /// Check one header, set one request header, add one response header.
    Check,
    /// Read ten headers.
    Ten,
    /// Buffer a body of 64 KiB.
    Body,
    /// Ask another server first.
    Call,
    /// Count the request: what `examples/metrics` does.
    Metrics,
}

/// One way to do a job.
#[derive(Clone, Debug)]
pub(crate) struct Variant {
    pub(crate) name: &'static str,
    /// One filter, or those that do the job together.
    pub(crate) filters: Vec<Source>,
    /// How large the module is in bytes.
    pub(crate) size: Option<u64>,
}

const GUESTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/guests");

/// The example that its users build.
const METRICS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/metrics");

/// Where others' modules are built.
const PLAIN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/plain");

// === impl Job ===

impl Job {
    pub(crate) const ALL: [Self; 5] = [Self::Check, Self::Ten, Self::Body, Self::Call, Self::Metrics];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Check => "check",
            Self::Ten => "ten",
            Self::Body => "body",
            Self::Call => "call",
            Self::Metrics => "metrics",
        }
    }

    /// The request, as it is on the wire.
    pub(crate) fn request(self) -> Vec<u8> {
        let head = "host: bench\r\nuser-agent: bench\r\naccept: */*\r\n";
        match self {
            Self::Check => format!("GET /path HTTP/1.1\r\n{head}x-key: secret\r\n\r\n").into_bytes(),
            Self::Ten => {
                let own: String = (0..10).map(|at| format!("x-h{at}: value-{at}\r\n")).collect();
                format!("GET /path HTTP/1.1\r\n{head}{own}\r\n").into_bytes()
            }
            Self::Body => {
                const SIZE: usize = 64 * 1024;
                let mut bytes = format!("POST /path HTTP/1.1\r\n{head}content-length: {SIZE}\r\n\r\n").into_bytes();
                bytes.resize(bytes.len() + SIZE, b'x');
                bytes
            }
            Self::Call | Self::Metrics => format!("GET /path HTTP/1.1\r\n{head}\r\n").into_bytes(),
        }
    }

    /// The ways to do it; the first is ours, against which the others are held.
    pub(crate) fn variants(self) -> Result<Vec<Variant>, Box<dyn Error>> {
        let ours = |name, guest| trimmed(name, guest, &[]);
        Ok(match self {
            Self::Check => vec![
                ours("inproxy", "inproxy_check")?,
                wasm("inproxy, untrimmed", "inproxy_check")?,
                ours("inproxy, hooks", "hooks_check")?,
                wasm("raw crate", "raw_check")?,
                trimmed("raw crate, trimmed", "raw_check", &["request_headers", "response_headers"])?,
                wasm("bare ABI", "bare_check")?,
                Variant { name: "Lua", filters: vec![lua()], size: None },
                Variant { name: "rbac and header_mutation", filters: native(), size: None },
            ],
            Self::Ten => {
                vec![
                    ours("inproxy", "inproxy_ten")?,
                    wasm("raw crate", "raw_ten")?,
                    trimmed("raw crate, trimmed", "raw_ten", &["request_headers"])?,
                    wasm("bare ABI", "bare_ten")?,
                ]
            }
            Self::Body => {
                vec![ours("inproxy", "inproxy_body")?, wasm("raw crate", "raw_body")?, trimmed("raw crate, trimmed", "raw_body", &["request_body"])?]
            }
            Self::Call => vec![
                ours("inproxy", "inproxy_call")?,
                wasm("raw crate", "raw_call")?,
                trimmed("raw crate, trimmed", "raw_call", &["request_headers", "http_call_response"])?,
            ],
            Self::Metrics => {
                let path = cargo_inproxy::build(METRICS.as_ref())?.path;
                let counting = |name, configuration: Value| {
                    let module = Module { root_id: "metrics".to_owned(), configuration: Some(configuration.to_string()), ..Module::new(&path) };
                    loaded(name, module)
                };
                let labels = json!({ "code": "response.code", "method": "request.method" });
                vec![
                    counting("one metric with two labels", json!({ "metrics": [{ "name": "requests", "kind": "COUNTER", "labels": labels }] }))?,
                    counting("Istio's metrics, with four labels", json!({ "istio": { "metrics": [{ "tags_to_remove": EXCEPT_FOUR }] } }))?,
                    counting("Istio's metrics, with their 25 labels", json!({ "istio": {} }))?,
                ]
            }
        })
    }
}

/// Istio's labels but reporter, protocol, flags and status.
const EXCEPT_FOUR: [&str; 21] = [
    "source_workload",
    "source_workload_namespace",
    "source_principal",
    "source_app",
    "source_version",
    "source_canonical_service",
    "source_canonical_revision",
    "source_cluster",
    "destination_workload",
    "destination_workload_namespace",
    "destination_principal",
    "destination_app",
    "destination_version",
    "destination_service",
    "destination_service_name",
    "destination_service_namespace",
    "destination_canonical_service",
    "destination_canonical_revision",
    "destination_cluster",
    "connection_security_policy",
    "grpc_response_status",
];

/// A module as it is built: ours by our tool, others as `cargo build --release` does.
fn wasm(name: &'static str, guest: &str) -> Result<Variant, Box<dyn Error>> {
    variant(name, compile(guest)?)
}

fn compile(guest: &str) -> Result<PathBuf, cargo_inproxy::Error> {
    let ours = !guest.starts_with("raw") && !guest.starts_with("bare");
    if ours { compile_example(GUESTS.as_ref(), guest) } else { compile_example_plainly(GUESTS.as_ref(), guest, PLAIN) }
}

/// A module without the callbacks that it does not need: those that our tool finds, or those that are named.
fn trimmed(name: &'static str, guest: &str, hooks: &[&str]) -> Result<Variant, Box<dyn Error>> {
    let hooks = (!hooks.is_empty()).then(|| hooks.iter().map(|hook| (*hook).to_owned()).collect());
    let (path, _) = trim::beside(&compile(guest)?, &trim::Options { hooks, ..trim::Options::default() })?;
    variant(name, path)
}

fn variant(name: &'static str, path: PathBuf) -> Result<Variant, Box<dyn Error>> {
    let asks = !name.starts_with("inproxy") || path.to_string_lossy().contains("call");
    let configuration = if asks { r#"{"authority":"side"}"# } else { "{}" };
    loaded(name, Module { configuration: Some(configuration.to_owned()), ..Module::new(path) })
}

/// A module with its configuration, in a VM of its own.
fn loaded(name: &'static str, module: Module) -> Result<Variant, Box<dyn Error>> {
    let size = std::fs::metadata(&module.path)?.len();
    Ok(Variant { name, filters: vec![Source::Inline(Module { vm_id: name.to_owned(), ..module })], size: Some(size) })
}

fn lua() -> Source {
    let code = r#"
function envoy_on_request(handle)
  if handle:headers():get("x-key") ~= "secret" then
    handle:respond({[":status"] = "403"}, "")
    return
  end
  handle:headers():replace("x-checked", "yes")
end
function envoy_on_response(handle)
  handle:headers():add("x-served", "yes")
end
"#;
    Source::Other(json!({
        "name": "lua",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua",
            "default_source_code": { "inline_string": code },
        },
    }))
}

fn native() -> Vec<Source> {
    let header = |name: &str, value: &str, action: &str| json!({ "append": { "header": { "key": name, "value": value }, "append_action": action } });
    let rbac = json!({
        "name": "rbac",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC",
            "rules": { "policies": { "key": {
                "permissions": [{ "any": true }],
                "principals": [{ "header": { "name": "x-key", "string_match": { "exact": "secret" } } }],
            } } },
        },
    });
    let mutation = json!({
        "name": "header_mutation",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.header_mutation.v3.HeaderMutation",
            "mutations": {
                "request_mutations": [header("x-checked", "yes", "OVERWRITE_IF_EXISTS_OR_ADD")],
                "response_mutations": [header("x-served", "yes", "APPEND_IF_EXISTS_OR_ADD")],
            },
        },
    });
    vec![Source::Other(rbac), Source::Other(mutation)]
}
