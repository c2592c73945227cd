use std::{borrow::Cow, fmt};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::{Check, HeaderError, Raw, Validated, sealed};

/// The validated, lower-case name of a header, a trailer or a pseudo header such as `:path`.
///
/// # Examples
///
/// ```
/// use inproxy::headers::HeaderName;
///
/// const USER: HeaderName = HeaderName::from_static("x-user");
/// assert_eq!(HeaderName::try_from("X-User").unwrap(), USER);
/// assert!(HeaderName::try_from("x user").is_err());
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HeaderName(Cow<'static, str>);

/// What can name a header: a [`HeaderName`], or text that is validated when it is used.
pub trait AsHeaderName: sealed::Sealed {
    /// [`Validated`] for a [`HeaderName`], [`Raw`] for the others.
    type Check: Check;

    #[doc(hidden)]
    fn to_name(&self) -> Result<Cow<'_, str>, HeaderError>;

    #[doc(hidden)]
    fn to_owned_name(&self) -> Result<HeaderName, HeaderError> {
        Ok(HeaderName(Cow::Owned(self.to_name()?.into_owned())))
    }
}

// === impl HeaderName ===

impl HeaderName {
    /// A name that is known when the filter is compiled.
    ///
    /// # Panics
    ///
    /// If the name is not valid or not lower case. In a `const`, as in the example above, that is a compile error.
    #[expect(clippy::panic, clippy::indexing_slicing, reason = "meant for constants, where it fails the build")]
    pub const fn from_static(name: &'static str) -> Self {
        let bytes = name.as_bytes();
        let mut at = first_after_colon(bytes);
        if at == bytes.len() {
            panic!("a header name must not be empty");
        }
        while at < bytes.len() {
            if !is_token(bytes[at]) || bytes[at].is_ascii_uppercase() {
                panic!("a header name known at compile time must be lower case and a valid token");
            }
            at += 1;
        }
        Self(Cow::Borrowed(name))
    }

    /// The name, in lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<&str> for HeaderName {
    type Error = HeaderError;

    fn try_from(name: &str) -> Result<Self, HeaderError> {
        validate(name).map(|name| Self(Cow::Owned(name.into_owned())))
    }
}

impl TryFrom<String> for HeaderName {
    type Error = HeaderError;

    fn try_from(name: String) -> Result<Self, HeaderError> {
        Self::try_from(name.as_str())
    }
}

impl std::str::FromStr for HeaderName {
    type Err = HeaderError;

    fn from_str(name: &str) -> Result<Self, HeaderError> {
        Self::try_from(name)
    }
}

impl AsRef<str> for HeaderName {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl PartialEq<str> for HeaderName {
    fn eq(&self, other: &str) -> bool {
        self.0.eq_ignore_ascii_case(other)
    }
}

impl fmt::Display for HeaderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for HeaderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl<'de> Deserialize<'de> for HeaderName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.try_into().map_err(de::Error::custom)
    }
}

impl Serialize for HeaderName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

// === impl AsHeaderName ===

impl AsHeaderName for HeaderName {
    type Check = Validated;

    #[inline]
    fn to_name(&self) -> Result<Cow<'_, str>, HeaderError> {
        Ok(Cow::Borrowed(&self.0))
    }

    fn to_owned_name(&self) -> Result<HeaderName, HeaderError> {
        Ok(self.clone())
    }
}

impl AsHeaderName for str {
    type Check = Raw;

    fn to_name(&self) -> Result<Cow<'_, str>, HeaderError> {
        validate(self)
    }
}

impl AsHeaderName for String {
    type Check = Raw;

    fn to_name(&self) -> Result<Cow<'_, str>, HeaderError> {
        validate(self)
    }
}

impl<N: AsHeaderName + ?Sized> AsHeaderName for &N {
    type Check = N::Check;

    #[inline]
    fn to_name(&self) -> Result<Cow<'_, str>, HeaderError> {
        (**self).to_name()
    }

    fn to_owned_name(&self) -> Result<HeaderName, HeaderError> {
        (**self).to_owned_name()
    }
}

fn validate(name: &str) -> Result<Cow<'_, str>, HeaderError> {
    let token = name.strip_prefix(':').unwrap_or(name);
    if token.is_empty() || !token.bytes().all(is_token) {
        return Err(HeaderError::Name(name.to_owned()));
    }
    Ok(if name.bytes().any(|byte| byte.is_ascii_uppercase()) { Cow::Owned(name.to_ascii_lowercase()) } else { Cow::Borrowed(name) })
}

const fn first_after_colon(name: &[u8]) -> usize {
    match name.split_first() {
        Some((b':', _)) => 1,
        _ => 0,
    }
}

const fn is_token(byte: u8) -> bool {
    matches!(byte, b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'.' | b'^'..=b'`' | b'|' | b'~') || byte.is_ascii_alphanumeric()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_tokens_with_at_most_one_colon_in_front() {
        for name in ["x", ":path", "x-user", "!#$%&'*+-.^_`|~09az"] {
            assert_eq!(HeaderName::try_from(name).unwrap().as_str(), name);
        }
        for name in ["", ":", "::path", "a:b", "x user", "x\n", "x\r\ny", "x\0", "é", "a(b"] {
            assert_eq!(HeaderName::try_from(name), Err(HeaderError::Name(name.into())), "{name:?}");
        }
    }

    #[test]
    fn names_are_kept_in_lower_case() {
        assert_eq!(HeaderName::try_from("X-User").unwrap().as_str(), "x-user");
        assert_eq!("X-User".to_name().unwrap(), "x-user");
    }
}
