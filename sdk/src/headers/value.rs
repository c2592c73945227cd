use std::{borrow::Cow, fmt, ops::Range, str, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};

use super::{Check, HeaderError, Raw, Validated, sealed};
use crate::abi;

/// The value of a header: any bytes but carriage return, line feed and NUL. It need not be UTF-8.
///
/// A value that a filter makes is validated then. One that was read from the proxy holds just what the proxy has; it is validated when it is put into
/// a map, so that it cannot split a response either.
///
/// # Examples
///
/// ```
/// use inproxy::headers::HeaderValue;
///
/// let value = HeaderValue::try_from("alice").unwrap();
/// assert_eq!(value, "alice");
/// assert_eq!(value.to_str(), Some("alice"));
/// assert!(HeaderValue::try_from("alice\r\nx-admin: yes").is_err());
/// ```
///
/// A value that was read together with others may share their memory: to keep one for longer than its stream, keep a copy of its bytes.
#[derive(Clone)]
pub struct HeaderValue {
    bytes: Bytes,
    validated: bool,
}

#[derive(Clone)]
enum Bytes {
    Static(&'static [u8]),
    Owned(Vec<u8>),
    /// A part of a whole map.
    Within(Arc<Vec<u8>>, Range<usize>),
}

/// What can be the value of a header: a [`HeaderValue`], or text or bytes that are validated when they are used.
pub trait AsHeaderValue: sealed::Sealed {
    /// [`Validated`] for a [`HeaderValue`], [`Raw`] for the others.
    type Check: Check;

    #[doc(hidden)]
    fn to_value(&self) -> Result<&[u8], HeaderError>;

    #[doc(hidden)]
    fn to_owned_value(&self) -> Result<HeaderValue, HeaderError> {
        Ok(HeaderValue { bytes: Bytes::Owned(self.to_value()?.to_vec()), validated: true })
    }
}

// === impl HeaderValue ===

impl HeaderValue {
    /// A value that is known when the filter is compiled.
    ///
    /// # Panics
    ///
    /// If it has a carriage return, a line feed or a NUL. In a `const` that is a compile error.
    #[expect(clippy::panic, clippy::indexing_slicing, reason = "meant for constants, where it fails the build")]
    pub const fn from_static(value: &'static str) -> Self {
        let bytes = value.as_bytes();
        let mut at = 0;
        while at < bytes.len() {
            if matches!(bytes[at], b'\r' | b'\n' | 0) {
                panic!("a header value must not contain CR, LF or NUL");
            }
            at += 1;
        }
        Self { bytes: Bytes::Static(bytes), validated: true }
    }

    pub(crate) const fn from_proxy(bytes: Vec<u8>) -> Self {
        Self { bytes: Bytes::Owned(bytes), validated: false }
    }

    pub(crate) fn read(value: abi::Value) -> Self {
        let bytes = match value {
            abi::Value::Alone(bytes) => Bytes::Owned(bytes),
            abi::Value::Within(map, range) => Bytes::Within(map, range),
        };
        Self { bytes, validated: false }
    }

    /// The bytes of the value.
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        match &self.bytes {
            Bytes::Static(bytes) => bytes,
            Bytes::Owned(bytes) => bytes,
            Bytes::Within(map, range) => map.get(range.clone()).unwrap_or_default(),
        }
    }

    /// The value as text, if it is UTF-8.
    pub fn to_str(&self) -> Option<&str> {
        str::from_utf8(self.as_bytes()).ok()
    }

    /// The value as text, with U+FFFD where it is not UTF-8: for logs and messages.
    pub fn to_string_lossy(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(self.as_bytes())
    }

    fn try_new(bytes: Vec<u8>) -> Result<Self, HeaderError> {
        validate(&bytes)?;
        Ok(Self { bytes: Bytes::Owned(bytes), validated: true })
    }
}

impl TryFrom<&str> for HeaderValue {
    type Error = HeaderError;

    fn try_from(value: &str) -> Result<Self, HeaderError> {
        Self::try_from(value.as_bytes())
    }
}

impl TryFrom<String> for HeaderValue {
    type Error = HeaderError;

    fn try_from(value: String) -> Result<Self, HeaderError> {
        Self::try_from(value.into_bytes())
    }
}

impl TryFrom<&[u8]> for HeaderValue {
    type Error = HeaderError;

    fn try_from(value: &[u8]) -> Result<Self, HeaderError> {
        Self::try_new(value.to_vec())
    }
}

impl TryFrom<Vec<u8>> for HeaderValue {
    type Error = HeaderError;

    fn try_from(value: Vec<u8>) -> Result<Self, HeaderError> {
        Self::try_new(value)
    }
}

impl From<u64> for HeaderValue {
    fn from(number: u64) -> Self {
        Self { bytes: Bytes::Owned(number.to_string().into_bytes()), validated: true }
    }
}

impl AsRef<[u8]> for HeaderValue {
    fn as_ref(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl PartialEq for HeaderValue {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for HeaderValue {}

impl std::hash::Hash for HeaderValue {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.as_bytes().hash(state);
    }
}

macro_rules! equal_to_bytes {
    ($($other:ty),*) => {
        $(impl PartialEq<$other> for HeaderValue {
            fn eq(&self, other: &$other) -> bool {
                let other: &[u8] = other.as_ref();
                self.as_bytes() == other
            }
        })*
    };
}

equal_to_bytes!(str, &str, String, [u8], &[u8], Vec<u8>);

/// Bytes that are not printable ASCII are escaped.
impl fmt::Debug for HeaderValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.as_bytes().escape_ascii())
    }
}

impl<'de> Deserialize<'de> for HeaderValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.try_into().map_err(de::Error::custom)
    }
}

/// As text; an error if it is not UTF-8.
impl Serialize for HeaderValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = self.to_str().ok_or_else(|| ser::Error::custom("the value of a header is not UTF-8"))?;
        serializer.serialize_str(text)
    }
}

// === impl AsHeaderValue ===

impl AsHeaderValue for HeaderValue {
    type Check = Validated;

    #[inline]
    fn to_value(&self) -> Result<&[u8], HeaderError> {
        let bytes = self.as_bytes();
        if self.validated { Ok(bytes) } else { validate(bytes) }
    }

    fn to_owned_value(&self) -> Result<HeaderValue, HeaderError> {
        self.to_value()?;
        Ok(Self { bytes: self.bytes.clone(), validated: true })
    }
}

impl AsHeaderValue for str {
    type Check = Raw;

    fn to_value(&self) -> Result<&[u8], HeaderError> {
        validate(self.as_bytes())
    }
}

impl AsHeaderValue for String {
    type Check = Raw;

    fn to_value(&self) -> Result<&[u8], HeaderError> {
        validate(self.as_bytes())
    }
}

impl AsHeaderValue for [u8] {
    type Check = Raw;

    fn to_value(&self) -> Result<&[u8], HeaderError> {
        validate(self)
    }
}

impl AsHeaderValue for Vec<u8> {
    type Check = Raw;

    fn to_value(&self) -> Result<&[u8], HeaderError> {
        validate(self)
    }
}

impl<const N: usize> AsHeaderValue for [u8; N] {
    type Check = Raw;

    fn to_value(&self) -> Result<&[u8], HeaderError> {
        validate(self)
    }
}

impl<V: AsHeaderValue + ?Sized> AsHeaderValue for &V {
    type Check = V::Check;

    #[inline]
    fn to_value(&self) -> Result<&[u8], HeaderError> {
        (**self).to_value()
    }

    fn to_owned_value(&self) -> Result<HeaderValue, HeaderError> {
        (**self).to_owned_value()
    }
}

fn validate(value: &[u8]) -> Result<&[u8], HeaderError> {
    let fault = value.iter().enumerate().find_map(|(at, byte)| match byte {
        b'\r' => Some(HeaderError::Value { what: "a carriage return", at }),
        b'\n' => Some(HeaderError::Value { what: "a line feed", at }),
        0 => Some(HeaderError::Value { what: "a NUL", at }),
        _ => None,
    });
    fault.map_or(Ok(value), Err)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_split_a_message_is_refused_wherever_it_stands() {
        for (value, at) in [("\r", 0), ("a\n", 1), ("\0a", 0), ("a\r\nset-cookie: x=1", 1)] {
            assert!(matches!(HeaderValue::try_from(value), Err(HeaderError::Value { at: found, .. }) if found == at), "{value:?}");
            assert!(value.to_value().is_err());
            assert!(HeaderValue::from_proxy(value.into()).to_value().is_err(), "read from the proxy, {value:?} must not be written back");
        }
    }

    #[test]
    fn bytes_that_are_not_text_are_values() {
        let value = HeaderValue::try_from(&b"caf\xe9"[..]).unwrap();
        assert_eq!(value.as_bytes(), b"caf\xe9");
        assert_eq!(value.to_str(), None);
        assert_eq!(format!("{value:?}"), r#""caf\xe9""#);
    }
}
