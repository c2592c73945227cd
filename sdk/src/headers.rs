//! Header and trailer maps, by bytes: nothing needs to be UTF-8, nothing is copied that was not asked for.
//!
//! A map in the proxy is reached one call at a time: [`Headers::get`] asks for one value, [`Headers::iter`] fetches the whole map once.
//! Pseudo headers (`:method`, `:path`, `:authority`, `:scheme`, `:status`) are entries like others; there is no `host`, Envoy keeps it as `:authority`.
//! See Envoy's [HTTP header manipulation](https://www.envoyproxy.io/docs/envoy/v1.40.0/configuration/http/http_conn_man/headers).

use crate::{
    error::{Quoted, debug_as_display},
    fault,
};

mod edit;
mod list;
mod name;
mod value;
mod view;

pub use self::edit::HeadersMut;
pub use self::name::{AsHeaderName, HeaderName};
pub use self::value::{AsHeaderValue, HeaderValue};
pub use self::view::{Headers, Iter};

pub(crate) use self::list::HeaderList;
pub(crate) use self::view::Source;

/// A name or value that HTTP does not allow.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HeaderError {
    /// A name is empty, or has a byte that is not a token character of [RFC 9110](https://www.rfc-editor.org/rfc/rfc9110#name-tokens).
    #[error("{} is not a header name: expected letters, digits or any of !#$%&'*+-.^_`|~, with at most one colon in front", Quoted(.0))]
    Name(String),
    /// A value has a carriage return, a line feed or a NUL, with which it could end its line and start another.
    #[error("a header value must not contain {what} (at byte {at})")]
    Value {
        /// The offending character.
        what: &'static str,
        /// Where it stands, counted from zero.
        at: usize,
    },
    /// The header says how long a body is, which is the proxy's business.
    #[error("{0} cannot be set: the proxy sends a body with the length that it has; replace the body, and it is put right")]
    Framing(String),
    /// The `:status` of a response was removed, or set to what the proxy would put on the wire and no client understands.
    #[error(
        "the :status of a response can only be set, from 200 to 599 and not to 204 or 304, which have no body; answer with a response of the filter's own instead"
    )]
    Status,
    /// A pseudo header was put into trailers.
    #[error("{0} cannot be in trailers: pseudo headers stand before all others")]
    Trailer(String),
}

debug_as_display!(HeaderError);

/// Refuses the headers that say how long a body is.
#[inline]
pub(crate) fn not_framing(name: &str) -> Result<(), HeaderError> {
    if matches!(name, "content-length" | "transfer-encoding") { Err(framing(name)) } else { Ok(()) }
}

#[cold]
fn framing(name: &str) -> HeaderError {
    HeaderError::Framing(name.to_owned())
}

/// Whether an edit can fail: not with a [`HeaderName`] and a [`HeaderValue`], which were validated when they were made; with raw text or bytes it can.
///
/// This is what makes `headers.insert(&name, &value)` return nothing, and `headers.insert("x-user", user)` a [`Result`](crate::Result).
pub trait Check: sealed::Sealed {
    /// What two arguments are together: validated only if both are.
    type And<Other: Check>: Check;
    /// What the edit returns.
    type Output<T>;

    #[doc(hidden)]
    fn settle<T>(value: T, outcome: crate::Result<()>) -> Self::Output<T>;
}

/// The argument was validated when it was made.
#[derive(Debug)]
pub enum Validated {}

/// The argument is validated by the edit.
#[derive(Debug)]
pub enum Raw {}

pub(crate) mod sealed {
    pub trait Sealed {}
    impl Sealed for super::Validated {}
    impl Sealed for super::Raw {}
    impl Sealed for super::HeaderName {}
    impl Sealed for super::HeaderValue {}
    impl Sealed for str {}
    impl Sealed for String {}
    impl Sealed for [u8] {}
    impl Sealed for Vec<u8> {}
    impl<const N: usize> Sealed for [u8; N] {}
    impl<T: Sealed + ?Sized> Sealed for &T {}
}

impl Check for Validated {
    type And<Other: Check> = Other;
    type Output<T> = T;

    fn settle<T>(value: T, outcome: crate::Result<()>) -> T {
        if let Err(error) = outcome {
            fault::record(error);
        }
        value
    }
}

impl Check for Raw {
    type And<Other: Check> = Self;
    type Output<T> = crate::Result<T>;

    fn settle<T>(value: T, outcome: crate::Result<()>) -> crate::Result<T> {
        outcome.map(|()| value)
    }
}

/// What an edit with a name of type `N` and a value of type `V` returns: `T`, or `Result<T>` if either is raw.
pub type Edited<N, V, T = ()> = <<<N as AsHeaderName>::Check as Check>::And<<V as AsHeaderValue>::Check> as Check>::Output<T>;

/// [`Edited`] for an edit that takes only a name.
pub type EditedName<N, T = ()> = <<N as AsHeaderName>::Check as Check>::Output<T>;
