use super::{AttributeError, Attributes, Metadata, Path, path};
use crate::{
    abi::{self, Status},
    envoy::{self, ForeignError, Message, Span},
    error::{HostError, Quoted, debug_as_display},
};

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

/// An object was not left in filter state.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SetObjectError {
    /// The proxy makes no object for this key. For filter state of the module's own there is [`FilterState::set`].
    #[error("the proxy makes no object for the filter state key {}", Quoted(key))]
    UnknownKey {
        /// The key.
        key: String,
    },
    /// An object cannot be made of this value.
    #[error("the value is not one for the filter state key {}", Quoted(key))]
    BadValue {
        /// The key.
        key: String,
    },
    /// The stream is over, or it is another one's turn; or the response is the filter's own, and not of a stream.
    #[error("the stream whose filter state is to be set is over, or this is not its task")]
    NotHere,
    /// The proxy cannot do it.
    #[error(transparent)]
    Foreign(#[from] ForeignError),
}

debug_as_display!(SetObjectError);

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

    /// Leaves an object that other parts of Envoy look for, under [a key that it knows](https://www.envoyproxy.io/docs/envoy/v1.40.0/configuration/advanced/well_known_filter_state), such as
    /// `envoy.network.upstream_server_name` (the SNI of the upstream's TLS) or `envoy.upstream.dynamic_host`; in the place of one that is there.
    ///
    /// Of an object that is there with another [`Span`] Envoy keeps what it is, and says so in its log only.
    ///
    /// # Errors
    ///
    /// [`SetObjectError::UnknownKey`], [`SetObjectError::BadValue`].
    ///
    /// # Examples
    ///
    /// ```
    /// use inproxy::{attributes::SetObjectError, envoy::Span, prelude::*};
    ///
    /// fn ask_for(request: &Request, server_name: &str) -> Result<(), SetObjectError> {
    ///     request.attributes().filter_state().set_object("envoy.network.upstream_server_name", server_name, Span::FilterChain)
    /// }
    /// ```
    pub fn set_object(&self, key: &str, value: impl AsRef<[u8]>, span: Span) -> Result<(), SetObjectError> {
        const FUNCTION: &str = "set_envoy_filter_state";
        self.0.is_here().map_err(|_| SetObjectError::NotHere)?;
        let message = Message::default().bytes(1, key.as_bytes()).bytes(2, value.as_ref()).number(3, span.number());
        match envoy::foreign(FUNCTION, message.as_bytes()) {
            Ok(_) => Ok(()),
            Err(Status::NOT_FOUND) => Err(SetObjectError::UnknownKey { key: key.to_owned() }),
            Err(Status::BAD_ARGUMENT) => Err(SetObjectError::BadValue { key: key.to_owned() }),
            Err(status) => Err(ForeignError::new(FUNCTION, status).into()),
        }
    }
}

/// The path of what a module has set under this name.
fn own(name: &str) -> Result<String, AttributeError> {
    if name.is_empty() { Err(AttributeError::Segment) } else { path::join("filter_state", &format!("wasm.{name}")) }
}
