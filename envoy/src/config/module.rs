use std::path::PathBuf;

use serde_json::{Value, json};

/// Tells a filter that it may hold headers while it reads a body: set whenever `allow_on_headers_stop_iteration` is.
const HOLD_VARIABLE: &str = "INPROXY_ALLOW_ON_HEADERS_STOP_ITERATION";

/// A wasm module with the configuration of one of its filters.
#[derive(Clone, Debug)]
pub struct Module {
    /// The file.
    pub path: PathBuf,
    /// Which filter of the module; any, if it has only one.
    pub root_id: String,
    /// The filter's configuration, usually JSON. `None` sends no bytes at all.
    pub configuration: Option<String>,
    /// Modules with another id never share a VM.
    pub vm_id: String,
    /// What Envoy does when the VM has died.
    pub failure_policy: FailurePolicy,
    /// Sets `allow_on_headers_stop_iteration`, so that bodies are delivered while their headers are held.
    pub hold_headers: bool,
    /// Further variables of the VM's environment.
    pub environment: Vec<(String, String)>,
}

/// What becomes of requests after the VM has died.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailurePolicy {
    /// 503 until a new VM runs.
    Reload,
    /// 503 until Envoy is restarted.
    Closed,
    /// They pass without the filter.
    Open,
}

// === impl Module ===

impl Module {
    /// A module with the defaults of generated configurations.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            root_id: String::new(),
            configuration: None,
            vm_id: String::new(),
            failure_policy: FailurePolicy::Reload,
            hold_headers: false,
            environment: Vec::new(),
        }
    }

    /// The `envoy.extensions.filters.http.wasm.v3.Wasm` message.
    pub(crate) fn to_json(&self) -> Value {
        self.to_json_as("http")
    }

    /// The `Wasm` message of HTTP filters, or of network filters, which has the same fields.
    pub(super) fn to_json_as(&self, kind: &str) -> Value {
        json!({ "@type": format!("type.googleapis.com/envoy.extensions.filters.{kind}.wasm.v3.Wasm"), "config": self.plugin() })
    }

    /// The module as one of the `access_log` of a listener, a connection manager or a TCP proxy.
    pub(super) fn as_access_logger(&self) -> Value {
        json!({
            "name": "envoy.access_loggers.wasm",
            "typed_config": { "@type": "type.googleapis.com/envoy.extensions.access_loggers.wasm.v3.WasmAccessLog", "config": self.plugin() },
        })
    }

    /// The module as a service of the bootstrap, on the main thread alone.
    pub(super) fn as_service(&self) -> Value {
        json!({
            "name": "envoy.bootstrap.wasm",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.wasm.v3.WasmService",
                "config": self.plugin(),
                "singleton": true,
            },
        })
    }

    /// The `envoy.extensions.wasm.v3.PluginConfig` message.
    fn plugin(&self) -> Value {
        let mut variables: serde_json::Map<_, _> = self.environment.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
        if self.hold_headers {
            variables.insert(HOLD_VARIABLE.to_owned(), json!("true"));
        }
        let mut config = json!({
            "name": self.root_id,
            "root_id": self.root_id,
            "failure_policy": self.failure_policy.name(),
            "allow_on_headers_stop_iteration": self.hold_headers,
            "vm_config": {
                "vm_id": self.vm_id,
                "runtime": "envoy.wasm.runtime.v8",
                "code": { "local": { "filename": self.path } },
                "environment_variables": { "key_values": variables },
            },
        });
        if let (Some(text), Some(config)) = (&self.configuration, config.as_object_mut()) {
            config.insert("configuration".to_owned(), json!({ "@type": "type.googleapis.com/google.protobuf.StringValue", "value": text }));
        }
        config
    }
}

// === impl FailurePolicy ===

impl FailurePolicy {
    const fn name(self) -> &'static str {
        match self {
            Self::Reload => "FAIL_RELOAD",
            Self::Closed => "FAIL_CLOSED",
            Self::Open => "FAIL_OPEN",
        }
    }
}
