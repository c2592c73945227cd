use std::fmt;

use serde::{Deserialize, Deserializer, de};

use super::{
    ForeignError, Message, foreign,
    message::{self, Field},
};
use crate::{abi::Status, error::debug_as_display};

/// A key that signatures are verified with: RSA (PKCS #1 v1.5 padding) or ECDSA (signatures in DER). PSS padding and Ed25519 are not among what Envoy does.
///
/// Made where the plugin is configured, which asks the proxy whether it can use the key. In a configuration it is the text of a PEM file.
///
/// # Examples
///
/// ```
/// use inproxy::{envoy::{Hash, PublicKey, SignatureError}, prelude::*};
///
/// /// Lets by what our build system has signed.
/// #[filter]
/// #[config]
/// struct Signed {
///     key: PublicKey,
/// }
///
/// impl HttpFilter for Signed {
///     async fn handle(&self, request: Request, next: Next) -> Result<Response> {
///         let (path, signature) = (request.path(), request.headers().get("x-signature"));
///         let (Some(path), Some(signature)) = (path, signature) else { return Ok(Response::new(StatusCode::UNAUTHORIZED)) };
///         match self.key.verify(Hash::Sha256, signature.as_bytes(), path.as_bytes()) {
///             Ok(()) => Ok(next.run(request).await),
///             Err(SignatureError::Mismatch) => Ok(Response::new(StatusCode::FORBIDDEN)),
///             Err(error) => Err(error.into()),
///         }
///     }
/// }
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey(Key);

/// A key that is signed with; else as [`PublicKey`]. What it is does not appear in its debug form, nor in an error.
///
/// # Examples
///
/// ```
/// use inproxy::envoy::{Hash, PrivateKey, SignatureError};
///
/// fn sign(key: &PrivateKey, path: &str) -> Result<Vec<u8>, SignatureError> {
///     key.sign(Hash::Sha256, path.as_bytes())
/// }
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct PrivateKey(Key);

#[derive(Clone, PartialEq, Eq)]
enum Key {
    Der(Vec<u8>),
    Pem(String),
}

/// The hash function of a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Hash {
    /// SHA-1, which is broken: only for what others have signed long ago.
    Sha1,
    /// SHA-224.
    Sha224,
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

/// Nothing was verified, or signed.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureError {
    /// The signature is not one of this text by this key.
    #[error("the signature is not one of this text by this key")]
    Mismatch,
    /// The proxy cannot use the key.
    #[error(
        "the proxy cannot use the key: {reason} It takes RSA and EC keys: public ones as SubjectPublicKeyInfo (PEM: BEGIN PUBLIC KEY), private ones as PKCS #8, in PEM also PKCS #1 or SEC 1"
    )]
    Key {
        /// What the proxy says.
        reason: String,
    },
    /// The proxy refused.
    #[error("{reason}")]
    Refused {
        /// What the proxy says.
        reason: String,
    },
    /// The proxy cannot do it.
    #[error(transparent)]
    Foreign(#[from] ForeignError),
}

debug_as_display!(SignatureError);

/// What Envoy answers.
#[derive(Default)]
struct Outcome {
    done: bool,
    signature: Vec<u8>,
    error: String,
}

const VERIFY: &str = "verify_signature";
const SIGN: &str = "sign";

/// How Envoy begins to say that a signature is not the key's.
const MISMATCH: &str = "Failed to verify digest";

// === impl Hash ===

impl Hash {
    const fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "sha1",
            Self::Sha224 => "sha224",
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
        }
    }
}

// === impl PublicKey ===

impl PublicKey {
    /// A key out of PEM: `-----BEGIN PUBLIC KEY-----`.
    ///
    /// # Errors
    ///
    /// [`SignatureError::Key`] if the proxy cannot use it.
    pub fn from_pem(pem: impl Into<String>) -> Result<Self, SignatureError> {
        Self::try_new(Key::Pem(pem.into()))
    }

    /// A key out of DER: a SubjectPublicKeyInfo.
    ///
    /// # Errors
    ///
    /// [`SignatureError::Key`] if the proxy cannot use it.
    pub fn from_der(der: impl Into<Vec<u8>>) -> Result<Self, SignatureError> {
        Self::try_new(Key::Der(der.into()))
    }

    /// Only the proxy can tell a key from other bytes: it verifies something with it, and must come as far as the signature.
    fn try_new(key: Key) -> Result<Self, SignatureError> {
        let key = Self(key);
        match key.verify(Hash::Sha256, b"-", b"-") {
            // Another Envoy may have other words for a mismatch, for which no key must be refused.
            Err(SignatureError::Refused { reason }) if reason.contains("initialize") || reason.contains("key") => Err(SignatureError::Key { reason }),
            Err(SignatureError::Foreign(ForeignError::Refused { status: Status::BAD_ARGUMENT, .. })) => Err(empty()),
            Err(error @ SignatureError::Foreign(_)) => Err(error),
            _ => Ok(key),
        }
    }

    /// Whether the key's owner has signed this text. It takes a copy of all three into the proxy.
    ///
    /// A signature of ECDSA is the DER of two numbers, not the two behind each other as in a JWT.
    ///
    /// # Errors
    ///
    /// [`SignatureError::Mismatch`] if not; any other error leaves it open.
    pub fn verify(&self, hash: Hash, signature: &[u8], text: &[u8]) -> Result<(), SignatureError> {
        let message = Message::default().bytes(1, hash.name().as_bytes()).bytes(3, signature).bytes(4, text);
        let outcome = call(VERIFY, &self.0.add_to(message, 2, 5))?;
        match outcome {
            Outcome { done: true, .. } => Ok(()),
            Outcome { error, .. } if error.starts_with(MISMATCH) => Err(SignatureError::Mismatch),
            Outcome { error, .. } => Err(SignatureError::Refused { reason: error }),
        }
    }
}

// === impl PrivateKey ===

impl PrivateKey {
    /// A key out of PEM: `-----BEGIN PRIVATE KEY-----`, `RSA PRIVATE KEY` or `EC PRIVATE KEY`, without a password.
    ///
    /// # Errors
    ///
    /// [`SignatureError::Key`] if the proxy cannot use it.
    pub fn from_pem(pem: impl Into<String>) -> Result<Self, SignatureError> {
        Self::try_new(Key::Pem(pem.into()))
    }

    /// A key out of DER: PKCS #8.
    ///
    /// # Errors
    ///
    /// [`SignatureError::Key`] if the proxy cannot use it.
    pub fn from_der(der: impl Into<Vec<u8>>) -> Result<Self, SignatureError> {
        Self::try_new(Key::Der(der.into()))
    }

    fn try_new(key: Key) -> Result<Self, SignatureError> {
        let key = Self(key);
        match key.sign(Hash::Sha256, b"-") {
            Ok(_) => Ok(key),
            Err(SignatureError::Refused { reason }) => Err(SignatureError::Key { reason }),
            Err(SignatureError::Foreign(ForeignError::Refused { status: Status::BAD_ARGUMENT, .. })) => Err(empty()),
            Err(error) => Err(error),
        }
    }

    /// Signs a text.
    ///
    /// # Errors
    ///
    /// [`SignatureError`].
    pub fn sign(&self, hash: Hash, text: &[u8]) -> Result<Vec<u8>, SignatureError> {
        let message = Message::default().bytes(1, hash.name().as_bytes()).bytes(3, text);
        match call(SIGN, &self.0.add_to(message, 2, 4))? {
            Outcome { done: true, signature, .. } => Ok(signature),
            Outcome { error, .. } => Err(SignatureError::Refused { reason: error }),
        }
    }
}

// === impl Key ===

impl Key {
    fn add_to(&self, message: Message, der: u64, pem: u64) -> Message {
        match self {
            Self::Der(key) => message.bytes(der, key),
            Self::Pem(key) => message.bytes(pem, key.as_bytes()),
        }
    }
}

fn empty() -> SignatureError {
    SignatureError::Key { reason: "It is empty.".to_owned() }
}

fn call(function: &str, message: &Message) -> Result<Outcome, ForeignError> {
    let answer = foreign(function, message.as_bytes()).map_err(|status| ForeignError::new(function, status))?;
    let signs = function == SIGN;
    let mut outcome = Outcome::default();
    let read = message::read(&answer, |number, field| match (number, field) {
        (1, Field::Number(done)) => outcome.done = done == 1,
        (2, Field::Bytes(signature)) if signs => outcome.signature = signature.to_vec(),
        (2 | 3, Field::Bytes(error)) => outcome.error = String::from_utf8_lossy(error).into_owned(),
        _ => {}
    });
    // "No" with no word of why is not what Envoy says.
    if read.is_none() || (!outcome.done && outcome.error.is_empty()) {
        return Err(ForeignError::malformed(function));
    }
    Ok(outcome)
}

macro_rules! key {
    ($($name:ident),+) => {
        $(
            impl fmt::Debug for $name {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str(stringify!($name))
                }
            }

            impl<'de> Deserialize<'de> for $name {
                fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    Self::from_pem(String::deserialize(deserializer)?).map_err(de::Error::custom)
                }
            }
        )+
    };
}

key!(PublicKey, PrivateKey);
