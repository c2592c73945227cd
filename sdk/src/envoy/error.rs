use crate::{abi::Status, error::debug_as_display};

/// A function of the proxy did not do what it was called for.
///
/// # Examples
///
/// ```
/// use inproxy::envoy::{self, ForeignError};
///
/// fn compressed(body: &[u8]) -> Result<Option<Vec<u8>>, ForeignError> {
///     match envoy::compress(body) {
///         Err(ForeignError::Unknown { .. }) => Ok(None),
///         other => other.map(Some),
///     }
/// }
/// ```
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ForeignError {
    /// The proxy has no such function: it is an older one, another one, or was built without.
    #[error("the proxy has no function {function}: Envoy 1.40 has it")]
    Unknown {
        /// Its name.
        function: Box<str>,
    },
    /// The proxy has it, and refused.
    #[error("{function}: the proxy answered {status}")]
    Refused {
        /// Its name.
        function: Box<str>,
        /// What the proxy answered.
        status: Status,
    },
    /// What it answered is not what this function answers.
    #[error("{function}: the proxy's answer cannot be read")]
    Malformed {
        /// Its name.
        function: Box<str>,
    },
}

debug_as_display!(ForeignError);

// === impl ForeignError ===

impl ForeignError {
    #[cold]
    pub(crate) fn new(function: &str, status: Status) -> Self {
        let function = function.into();
        match status {
            Status::NOT_FOUND | Status::UNIMPLEMENTED => Self::Unknown { function },
            status => Self::Refused { function, status },
        }
    }

    #[cold]
    pub(crate) fn malformed(function: &str) -> Self {
        Self::Malformed { function: function.into() }
    }
}
