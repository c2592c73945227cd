use super::{AttributeError, Attributes, decode};

/// How the proxy names the filter: [attributes of the plugin](https://www.envoyproxy.io/docs/envoy/v1.40.0/intro/arch_overview/advanced/attributes#wasm-attributes).
///
/// In all phases.
///
/// # Examples
///
/// ```
/// # use inproxy::{attributes::AttributeError, prelude::*};
/// fn names(request: &Request) -> Result<String, AttributeError> {
///     let plugin = request.attributes().plugin();
///     Ok(format!("{} ({}) in {:?}", plugin.name()?, plugin.root_id()?, plugin.vm_id()?))
/// }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct PluginNames<'a>(Attributes<'a>);

// === impl PluginNames ===

impl<'a> PluginNames<'a> {
    pub(super) const fn new(attributes: Attributes<'a>) -> Self {
        Self(attributes)
    }
}

/// # Errors
///
/// All answer [`AttributeError`].
impl PluginNames<'_> {
    /// The name in its configuration.
    pub fn name(&self) -> Result<String, AttributeError> {
        self.0.decoded("plugin_name", decode::text)
    }

    /// The root id: which filter of the module it is.
    pub fn root_id(&self) -> Result<String, AttributeError> {
        self.0.decoded("plugin_root_id", decode::text)
    }

    /// The id of its VM, which those that share data have in common; often empty.
    pub fn vm_id(&self) -> Result<String, AttributeError> {
        self.0.decoded("plugin_vm_id", decode::text)
    }
}
