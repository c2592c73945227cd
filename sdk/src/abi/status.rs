use std::fmt;

/// What a host function answered.
///
/// A plain number with names for the values of the ABI, because a host may return any: Envoy itself returns some that `proxy_wasm::types::Status` lacks.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Status(u32);

// === impl Status ===

impl Status {
    /// The call did what it says.
    pub const OK: Self = Self(0);
    /// The name, key or id is not known.
    pub const NOT_FOUND: Self = Self(1);
    /// An argument is out of range, or what it names is not available in this phase.
    pub const BAD_ARGUMENT: Self = Self(2);
    /// A value could not be serialized, or the property is an object without a value of its own.
    pub const SERIALIZATION_FAILURE: Self = Self(3);
    /// A value could not be parsed.
    pub const PARSE_FAILURE: Self = Self(4);
    /// An expression is invalid.
    pub const BAD_EXPRESSION: Self = Self(5);
    /// A pointer lies outside the module's memory.
    pub const INVALID_MEMORY_ACCESS: Self = Self(6);
    /// The queue is empty.
    pub const EMPTY: Self = Self(7);
    /// Somebody else changed the shared value first.
    pub const CAS_MISMATCH: Self = Self(8);
    /// The result has another type than was expected.
    pub const RESULT_MISMATCH: Self = Self(9);
    /// The proxy could not do it; for a call-out: nothing was sent, for lack of a healthy endpoint or because of an invalid header.
    pub const INTERNAL_FAILURE: Self = Self(10);
    /// The connection is broken.
    pub const BROKEN_CONNECTION: Self = Self(11);
    /// The host does not implement the function.
    pub const UNIMPLEMENTED: Self = Self(12);

    /// The status of this number.
    pub const fn from_raw(status: u32) -> Self {
        Self(status)
    }

    /// The number that the host returned.
    pub const fn as_raw(self) -> u32 {
        self.0
    }

    pub(crate) const fn ok(self) -> Result<(), Self> {
        match self {
            Self::OK => Ok(()),
            other => Err(other),
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::OK => "ok",
            Self::NOT_FOUND => "not found",
            Self::BAD_ARGUMENT => "bad argument",
            Self::SERIALIZATION_FAILURE => "serialization failure",
            Self::PARSE_FAILURE => "parse failure",
            Self::BAD_EXPRESSION => "bad expression",
            Self::INVALID_MEMORY_ACCESS => "invalid memory access",
            Self::EMPTY => "empty",
            Self::CAS_MISMATCH => "cas mismatch",
            Self::RESULT_MISMATCH => "result mismatch",
            Self::INTERNAL_FAILURE => "internal failure",
            Self::BROKEN_CONNECTION => "broken connection",
            Self::UNIMPLEMENTED => "unimplemented",
            Self(_) => "unknown status",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name(), self.0)
    }
}

impl fmt::Debug for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
