//! The environment of the filter's VM: `vm_config.environment_variables` of the
//! [plugin's configuration](https://www.envoyproxy.io/docs/envoy/v1.40.0/api-v3/extensions/wasm/v3/wasm.proto), which names variables of Envoy's own that it passes on, and gives others itself.
//!
//! # Examples
//!
//! ```
//! let region = inproxy::env::var("REGION").unwrap_or_else(|| "unknown".to_owned());
//! # assert_eq!(region, "unknown");
//! ```

use crate::abi;

/// A variable; `None` if there is none of this name, or it is not UTF-8.
pub fn var(name: &str) -> Option<String> {
    abi::variable(name)
}
