use std::{error::Error as StdError, fmt};

use crate::abi::Status;

/// An error's `{:?}` is its message. Every error that is returned has both in the module, and what derives would write costs more than the rest of it.
macro_rules! debug_as_display {
    ($($error:ty),+) => {
        $(impl ::core::fmt::Debug for $error {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                ::core::fmt::Display::fmt(self, f)
            }
        })+
    };
}

pub(crate) use debug_as_display;

/// The result of fallible SDK calls and of [`HttpFilter::handle`](crate::HttpFilter::handle).
pub type Result<T, E = Error> = core::result::Result<T, E>;

/// Any error, with its causes.
///
/// `?` turns every [`std::error::Error`] into one, the SDK's own ([`HostError`], [`HeaderError`](crate::headers::HeaderError),
/// [`BodyError`](crate::http::BodyError), [`CallError`](crate::call::CallError)) among them; [`downcast_ref`](Self::downcast_ref) gets it back.
///
/// What the proxy does with the request when a filter returns one is said at [`OnError`](crate::OnError).
///
/// # Examples
///
/// ```
/// use inproxy::{Error, Result};
///
/// fn port(text: &str) -> Result<u16> {
///     text.parse().map_err(|cause| Error::new(cause).context(format!("{text:?} is not a port")))
/// }
///
/// assert_eq!(format!("{:#}", port("http").unwrap_err()), r#""http" is not a port: invalid digit found in string"#);
/// ```
pub struct Error {
    inner: Box<Inner>,
}

struct Inner {
    cause: Box<dyn StdError>,
    contexts: Vec<String>,
}

/// The proxy refused a call.
#[derive(Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{call}: the proxy answered {status}")]
#[non_exhaustive]
pub struct HostError {
    /// What was tried.
    pub call: &'static str,
    /// What the proxy answered.
    pub status: Status,
}

#[derive(thiserror::Error)]
#[error("{0}")]
struct Message(String);

debug_as_display!(HostError, Message);

/// Text in quotes, in which only printable ASCII stands for itself. What `{:?}` would write takes 7 KB of a module, most of them tables of Unicode.
pub(crate) struct Quoted<'a>(pub(crate) &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0.as_bytes().escape_ascii())
    }
}

// === impl Error ===

impl Error {
    /// Wraps an error; `?` does the same.
    pub fn new(cause: impl StdError + 'static) -> Self {
        Self { inner: Box::new(Inner { cause: Box::new(cause), contexts: Vec::new() }) }
    }

    /// An error that is only a message.
    pub fn msg(message: impl Into<String>) -> Self {
        Self::new(Message(message.into()))
    }

    /// Says what was being done when it happened.
    #[must_use]
    pub fn context(mut self, context: impl Into<String>) -> Self {
        self.inner.contexts.push(context.into());
        self
    }

    /// The wrapped error, if it is of this type.
    pub fn downcast_ref<E: StdError + 'static>(&self) -> Option<&E> {
        self.inner.cause.downcast_ref()
    }
}

impl<E: StdError + 'static> From<E> for Error {
    fn from(cause: E) -> Self {
        Self::new(cause)
    }
}

/// The outermost description; `{:#}` adds the causes, each after a colon.
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut outermost = self.inner.contexts.iter().rev();
        if !f.alternate() {
            return match outermost.next() {
                Some(context) => f.write_str(context),
                None => fmt::Display::fmt(&self.inner.cause, f),
            };
        }
        for context in outermost {
            write!(f, "{context}: ")?;
        }
        fmt::Display::fmt(&self.inner.cause, f)?;
        let mut source = self.inner.cause.source();
        while let Some(cause) = source {
            write!(f, ": {cause}")?;
            source = cause.source();
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:#}")
    }
}

// === impl HostError ===

impl HostError {
    pub(crate) const fn new(call: &'static str, status: Status) -> Self {
        Self { call, status }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_alternate_form_tells_the_whole_chain() {
        let error = Error::new(HostError::new("get x", Status::UNIMPLEMENTED)).context("reading x").context("checking the key");
        assert_eq!(error.to_string(), "checking the key");
        assert_eq!(format!("{error:#}"), "checking the key: reading x: get x: the proxy answered unimplemented (12)");
        assert_eq!(error.downcast_ref::<HostError>().map(|error| error.status), Some(Status::UNIMPLEMENTED));
    }
}
