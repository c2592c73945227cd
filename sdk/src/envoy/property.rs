use super::{ForeignError, Message, foreign};
use crate::{
    abi::Status,
    error::{Quoted, debug_as_display},
};

/// How long filter state lives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Span {
    /// As long as the stream is in this chain of filters: an internal redirect begins without it.
    #[default]
    FilterChain,
    /// As long as the client's request, internal redirects included.
    DownstreamRequest,
    /// As long as the client's connection: the requests that follow on it find it.
    DownstreamConnection,
}

/// What the rest of the proxy takes the bytes of a property for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PropertyType {
    /// Bytes.
    #[default]
    Bytes,
    /// A text.
    Text,
    /// A protobuf message. Bytes that are not one cannot be read again, by anybody.
    Message {
        /// Its type URL, such as `type.googleapis.com/google.protobuf.Duration`: one that is part of Envoy.
        type_url: String,
    },
}

/// What a filter says of filter state of its own, before it [sets](crate::attributes::FilterState::set) any: for [`Plugin::declare_property`](crate::Plugin::declare_property).
///
/// # Examples
///
/// ```
/// use inproxy::{envoy::{Property, PropertyType, Span}, prelude::*};
///
/// #[config]
/// struct Settings {}
///
/// struct Session;
///
/// impl Configure for Session {
///     type Config = Settings;
///
///     fn configure(_: Settings, plugin: &mut Plugin) -> Result<Self> {
///         plugin.declare_property(Property::new("session", PropertyType::Text).with_span(Span::DownstreamConnection).read_only())?;
///         Ok(Self)
///     }
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Property {
    name: String,
    kind: PropertyType,
    span: Span,
    read_only: bool,
}

/// A property was not declared.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PropertyError {
    /// It was declared before.
    #[error("the property {} was declared before by this plugin", Quoted(name))]
    Declared {
        /// Its name.
        name: String,
    },
    /// A name that is empty, or has a NUL, could not be read again.
    #[error("the name of a property must not be empty or have a NUL")]
    Name,
    /// The proxy cannot do it.
    #[error(transparent)]
    Foreign(#[from] ForeignError),
}

debug_as_display!(PropertyError);

// === impl Span ===

impl Span {
    /// Its number in Envoy's messages.
    pub(crate) const fn number(self) -> u64 {
        match self {
            Self::FilterChain => 0,
            Self::DownstreamRequest => 1,
            Self::DownstreamConnection => 2,
        }
    }
}

// === impl PropertyType ===

impl PropertyType {
    /// Envoy's number 2 are FlatBuffers, whose schema it does not check before it follows the offsets in it.
    const fn number(&self) -> u64 {
        match self {
            Self::Bytes => 0,
            Self::Text => 1,
            Self::Message { .. } => 3,
        }
    }
}

// === impl Property ===

impl Property {
    /// A property that lives as long as the filter chain, and that may be set anew.
    pub fn new(name: impl Into<String>, kind: PropertyType) -> Self {
        Self { name: name.into(), kind, span: Span::default(), read_only: false }
    }

    /// How long it lives.
    #[must_use]
    pub const fn with_span(mut self, span: Span) -> Self {
        self.span = span;
        self
    }

    /// It can be set once.
    #[must_use]
    pub const fn read_only(mut self) -> Self {
        self.read_only = true;
        self
    }

    pub(crate) fn declare(&self) -> Result<(), PropertyError> {
        const FUNCTION: &str = "declare_property";
        if self.name.is_empty() || self.name.contains('\0') {
            return Err(PropertyError::Name);
        }
        let mut message = Message::default().bytes(1, self.name.as_bytes()).number(2, self.read_only.into()).number(3, self.kind.number());
        if let PropertyType::Message { type_url } = &self.kind {
            message = message.bytes(4, type_url.as_bytes());
        }
        let message = message.number(5, self.span.number());
        match foreign(FUNCTION, message.as_bytes()) {
            Ok(_) => Ok(()),
            Err(Status::BAD_ARGUMENT) => Err(PropertyError::Declared { name: self.name.clone() }),
            Err(status) => Err(ForeignError::new(FUNCTION, status).into()),
        }
    }
}
