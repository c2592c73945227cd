use super::{AttributeError, Attributes, Metadata, Path, path};
use crate::{abi, error::HostError};

/// [Filter state](https://www.envoyproxy.io/docs/envoy/v1.40.0/intro/arch_overview/advanced/data_sharing_between_filters): objects that filters leave with a stream for others.
///
/// What a module writes as `tenant` is `wasm.tenant` to the rest of the proxy, such as access logs and other filters. It lives as long as the stream (Envoy's life span "filter chain": an internal redirect begins
/// without it), and every module of its chain can read it, and write it anew.
///
/// # Examples
///
/// ```
/// use inproxy::{attributes::AttributeError, prelude::*};
///
/// fn remember(request: &Request, tenant: &str) -> Result<(), AttributeError> {
///     request.attributes().filter_state().set("tenant", tenant)
/// }
///
/// fn recall(response: &Response) -> Result<Vec<u8>, AttributeError> {
///     response.attributes().filter_state().own("tenant")
/// }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct FilterState<'a>(Attributes<'a>);

// === impl FilterState ===

impl<'a> FilterState<'a> {
    pub(super) const fn new(attributes: Attributes<'a>) -> Self {
        Self(attributes)
    }
}

impl<'a> FilterState<'a> {
    /// The fields of the object under a key, if it has some: an address has `ip` and `port`, a `Struct` its entries.
    ///
    /// # Examples
    ///
    /// ```
    /// use inproxy::{attributes::AttributeError, prelude::*};
    ///
    /// /// The label of the client's workload, as Istio has it.
    /// fn role(request: &Request) -> Result<String, AttributeError> {
    ///     request.attributes().filter_state().fields("downstream_peer").text(["labels", "role"])
    /// }
    /// ```
    pub fn fields(&self, key: &'a str) -> Metadata<'a> {
        Metadata::new(self.0, "filter_state", Some(key))
    }
}

impl FilterState<'_> {
    /// The object under a key, such as `envoy.network.upstream_server_name`, if it can be had as bytes.
    ///
    /// # Errors
    ///
    /// [`AttributeError`].
    pub fn get(&self, key: &str) -> Result<Vec<u8>, AttributeError> {
        self.0.bytes(path::join("filter_state", key)?)
    }

    /// The object under a key of the filter state of the upstream's connection. From the response's headers on.
    ///
    /// # Errors
    ///
    /// [`AttributeError`].
    pub fn of_the_upstream(&self, key: &str) -> Result<Vec<u8>, AttributeError> {
        self.0.bytes(path::join("upstream_filter_state", key)?)
    }

    /// What this module, or another one in the chain, has [`set`](Self::set) under a name.
    ///
    /// # Errors
    ///
    /// [`AttributeError::Missing`] if none has.
    pub fn own(&self, name: &str) -> Result<Vec<u8>, AttributeError> {
        // The name alone would do, unless it is that of an attribute.
        self.0.bytes(own(name)?)
    }

    /// Leaves bytes under a name, in the place of those that are there.
    ///
    /// # Errors
    ///
    /// [`AttributeError::Segment`] for a name that could not be read again; [`AttributeError::Host`] with "bad argument" if somebody has declared the name read-only, or of a type that the bytes are not of.
    pub fn set(&self, name: &str, value: impl AsRef<[u8]>) -> Result<(), AttributeError> {
        self.0.is_here()?;
        let path = own(name)?;
        abi::set_property(name.as_bytes(), value.as_ref())
            .map_err(|status| AttributeError::Host { path: Path(path.into()), cause: HostError::new("set filter state", status) })
    }
}

/// The path of what a module has set under this name.
fn own(name: &str) -> Result<String, AttributeError> {
    if name.is_empty() { Err(AttributeError::Segment) } else { path::join("filter_state", &format!("wasm.{name}")) }
}
