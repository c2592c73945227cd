use std::{borrow::Cow, fmt};

use crate::error::{HostError, debug_as_display};

/// An attribute cannot be read, or filter state not be written.
///
/// # Examples
///
/// ```
/// # use inproxy::{attributes::AttributeError, prelude::*};
/// fn server_name(request: &Request) -> Result<String, AttributeError> {
///     match request.connection().requested_server_name() {
///         Err(AttributeError::Missing { .. }) => Ok("none".to_owned()),
///         other => other,
///     }
/// }
/// ```
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AttributeError {
    /// The stream has no such attribute.
    #[error("there is no attribute {path}")]
    Missing {
        /// Which.
        path: Path,
    },
    /// It is not there yet, or not any more.
    #[error("there is no attribute {path} in this phase of the stream")]
    NotInThisPhase {
        /// Which.
        path: Path,
    },
    /// The stream is over, or it is another one's turn; or the response is the filter's own, and not of a stream.
    #[error("the stream whose attributes are asked for is over, or this is not its task")]
    NotHere,
    /// What the proxy has is not of the type that was asked for.
    #[error("the attribute {path} has another form than was expected")]
    Malformed {
        /// Which.
        path: Path,
    },
    /// A segment of a path is empty or has a NUL: the proxy would take it for another path.
    #[error("a segment of an attribute's path must not be empty or have a NUL")]
    Segment,
    /// The proxy refused.
    #[error("{path}: {cause}")]
    Host {
        /// Which attribute.
        path: Path,
        /// What the proxy answered.
        cause: HostError,
    },
}

debug_as_display!(AttributeError);

/// The path of an attribute; shown with dots between its segments.
#[derive(Clone, PartialEq, Eq)]
pub struct Path(pub(super) Cow<'static, str>);

// === impl Path ===

impl Path {
    /// Its segments.
    pub fn segments(&self) -> impl Iterator<Item = &str> {
        self.0.split('\0')
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, segment) in self.segments().enumerate() {
            if at > 0 {
                f.write_str(".")?;
            }
            write!(f, "{}", segment.as_bytes().escape_ascii())?;
        }
        Ok(())
    }
}

debug_as_display!(Path);

/// Makes a missing attribute `None`.
pub trait Optional: sealed::Sealed {
    /// What there is, if there is.
    type Value;

    /// `None` if the stream has no such attribute.
    ///
    /// # Errors
    ///
    /// All others: among them [`NotInThisPhase`](AttributeError::NotInThisPhase), since an attribute that is asked for at the wrong time is never there.
    ///
    /// # Examples
    ///
    /// ```
    /// use inproxy::{attributes::{AttributeError, Optional}, prelude::*};
    ///
    /// fn server_name(request: &Request) -> Result<Option<String>, AttributeError> {
    ///     request.connection().requested_server_name().optional()
    /// }
    /// ```
    fn optional(self) -> Result<Option<Self::Value>, AttributeError>;
}

impl<T> Optional for Result<T, AttributeError> {
    type Value = T;

    fn optional(self) -> Result<Option<T>, AttributeError> {
        match self {
            Ok(value) => Ok(Some(value)),
            Err(AttributeError::Missing { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

mod sealed {
    pub trait Sealed {}
    impl<T> Sealed for Result<T, super::AttributeError> {}
}
