use std::{borrow::Cow, error::Error as StdError, ops::Deref};

use serde::{Serialize, de::DeserializeOwned};

use crate::error::debug_as_display;

/// A value that can be shared: it has bytes, and is had back from them.
///
/// | type | bytes |
/// |---|---|
/// | `Vec<u8>` | themselves |
/// | `String` | UTF-8 |
/// | `u64`, `i64` | 8, the least significant first |
/// | [`Json<T>`] | JSON |
///
/// The bytes outlive the module that wrote them: a later version of a filter finds those of an earlier one.
///
/// # Examples
///
/// ```
/// use std::borrow::Cow;
///
/// use inproxy::shared::{Stored, StoredError};
///
/// /// How many tokens a bucket has, and when it was last filled, in milliseconds since the epoch.
/// struct Bucket {
///     tokens: u32,
///     filled: u64,
/// }
///
/// impl Stored for Bucket {
///     fn encode(&self) -> Result<Cow<'_, [u8]>, StoredError> {
///         Ok([&self.tokens.to_le_bytes()[..], &self.filled.to_le_bytes()].concat().into())
///     }
///
///     fn decode(bytes: Cow<'_, [u8]>) -> Result<Self, StoredError> {
///         let (tokens, filled) = bytes.split_first_chunk().ok_or_else(|| StoredError::new("no tokens"))?;
///         Ok(Self { tokens: u32::from_le_bytes(*tokens), filled: u64::from_le_bytes(filled.try_into()?) })
///     }
/// }
/// # let bucket = Bucket { tokens: 3, filled: 5 };
/// # let read = Bucket::decode(bucket.encode().unwrap()).unwrap();
/// # assert_eq!((read.tokens, read.filled), (3, 5));
/// # assert!(Bucket::decode(Cow::Borrowed(&[0; 11])).is_err());
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be shared between workers",
    note = "if it can be serialized, share `Json<{Self}>`",
    note = "else say what its bytes are: `impl Stored for {Self} {{ … }}`"
)]
pub trait Stored: Sized {
    /// Its bytes.
    ///
    /// # Errors
    ///
    /// If it has none.
    fn encode(&self) -> Result<Cow<'_, [u8]>, StoredError>;

    /// The value that has these bytes.
    ///
    /// # Errors
    ///
    /// If none has.
    fn decode(bytes: Cow<'_, [u8]>) -> Result<Self, StoredError>;
}

/// A value that is stored as JSON. To derive `Serialize` for a type, the filter's crate depends on `serde` itself.
///
/// # Examples
///
/// ```no_run
/// # use inproxy::log;
/// use inproxy::{config, shared::{Json, Shared}};
/// # use inproxy::{prelude::*, __private::serde};
///
/// #[derive(serde::Serialize, serde::Deserialize)]
/// # #[serde(crate = "serde")]
/// struct Keys {
///     version: u64,
///     keys: Vec<String>,
/// }
///
/// # fn example() -> Result<()> {
/// let shared: Shared<Json<Keys>> = Shared::new("auth/keys");
/// if let Some(found) = shared.get()? {
///     log::info!("version {}", found.version);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Json<T>(pub T);

/// Bytes that are not those of a value, or a value that has no bytes.
#[derive(thiserror::Error)]
#[error("{0}")]
pub struct StoredError(Box<dyn StdError>);

debug_as_display!(StoredError);

// === impl Stored ===

impl Stored for Vec<u8> {
    fn encode(&self) -> Result<Cow<'_, [u8]>, StoredError> {
        Ok(Cow::Borrowed(self))
    }

    fn decode(bytes: Cow<'_, [u8]>) -> Result<Self, StoredError> {
        Ok(bytes.into_owned())
    }
}

impl Stored for String {
    fn encode(&self) -> Result<Cow<'_, [u8]>, StoredError> {
        Ok(Cow::Borrowed(self.as_bytes()))
    }

    fn decode(bytes: Cow<'_, [u8]>) -> Result<Self, StoredError> {
        Ok(Self::from_utf8(bytes.into_owned())?)
    }
}

macro_rules! integer {
    ($integer:ty) => {
        impl Stored for $integer {
            fn encode(&self) -> Result<Cow<'_, [u8]>, StoredError> {
                Ok(Cow::Owned(self.to_le_bytes().to_vec()))
            }

            fn decode(bytes: Cow<'_, [u8]>) -> Result<Self, StoredError> {
                match bytes.as_ref().try_into() {
                    Ok(bytes) => Ok(Self::from_le_bytes(bytes)),
                    Err(_) => Err(StoredError::new(format!("{} bytes where a number has {}", bytes.len(), size_of::<Self>()))),
                }
            }
        }
    };
}

integer!(u64);
integer!(i64);

impl<T: Serialize + DeserializeOwned> Stored for Json<T> {
    fn encode(&self) -> Result<Cow<'_, [u8]>, StoredError> {
        Ok(Cow::Owned(serde_json::to_vec(&self.0)?))
    }

    fn decode(bytes: Cow<'_, [u8]>) -> Result<Self, StoredError> {
        Ok(Self(serde_json::from_slice(&bytes)?))
    }
}

// === impl Json ===

impl<T> Deref for Json<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

// === impl StoredError ===

impl StoredError {
    /// From what is wrong: a message, or another error.
    pub fn new(cause: impl Into<Box<dyn StdError>>) -> Self {
        Self(cause.into())
    }
}

macro_rules! from {
    ($($error:ty),+) => {
        $(impl From<$error> for StoredError {
            fn from(error: $error) -> Self {
                Self::new(error)
            }
        })+
    };
}

// Those of the standard library that decoding meets; one for all errors would be one for this type itself.
from!(std::array::TryFromSliceError, std::num::TryFromIntError, std::num::ParseIntError, std::str::Utf8Error, std::string::FromUtf8Error);

impl From<serde_json::Error> for StoredError {
    fn from(error: serde_json::Error) -> Self {
        Self::new(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error<T: Stored>(bytes: &[u8]) -> String {
        T::decode(Cow::Borrowed(bytes)).err().expect("these are not its bytes").to_string()
    }

    fn back<T: Stored>(value: T) -> T {
        T::decode(Cow::Borrowed(&value.encode().unwrap())).unwrap()
    }

    #[test]
    fn values_are_had_back_from_their_bytes() {
        assert_eq!(back(vec![0, 255]), [0, 255]);
        assert!(back(Vec::<u8>::new()).is_empty());
        assert_eq!(back("zoë".to_owned()), "zoë");
        for number in [0, 1, u64::MAX] {
            assert_eq!(back(number), number);
        }
        for number in [i64::MIN, -1, i64::MAX] {
            assert_eq!(back(number), number);
        }
        assert_eq!(back(Json(vec![Some(1), None])).0, [Some(1), None]);
        assert_eq!(1_u64.encode().unwrap().as_ref(), [1, 0, 0, 0, 0, 0, 0, 0]);
    }

    #[test]
    fn other_bytes_are_an_error_that_says_why() {
        assert_eq!(error::<u64>(b"1234567"), "7 bytes where a number has 8");
        assert_eq!(error::<i64>(b""), "0 bytes where a number has 8");
        assert!(error::<String>(b"\xff").starts_with("invalid utf-8"));
        assert!(error::<Json<Vec<u32>>>(b"[1,").starts_with("EOF while parsing"));
        assert!(error::<Json<u32>>(b"").starts_with("EOF while parsing"));
    }

    #[test]
    fn a_value_without_bytes_is_an_error() {
        let keys_are_not_text = Json(std::collections::BTreeMap::from([((1, 2), 3)]));
        assert_eq!(keys_are_not_text.encode().unwrap_err().to_string(), "key must be a string");
    }
}
