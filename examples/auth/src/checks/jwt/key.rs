//! A key, and what it may be used for.

use std::fmt;

use serde_json::Value;

use super::{
    algorithm::{Algorithm, AlgorithmError, Family, Hash, Verify},
    base64url,
    object::Object,
};

/// A key of an issuer, as a [JSON Web Key](https://www.rfc-editor.org/rfc/rfc7517#section-4) says it.
pub(crate) struct Key {
    id: Option<String>,
    /// The one algorithm that it is for, if it says so.
    algorithm: Option<Algorithm>,
    kind: Kind,
    verifier: Box<dyn Verify>,
}

/// Of which kind a key is, whatever the token says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Secret,
    Rsa,
    P256,
    P384,
    Ed25519,
}

/// A key that is not used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum KeyFault {
    /// It is for something else, or for others.
    #[error("{0}")]
    NotForThis(NotForThis),
    #[error("a key is an object with \"kty\"")]
    NotAKey,
    #[error("{0}: this member must be a text, in base64url without padding where it is a number")]
    Malformed(&'static str),
    #[error("alg: {0} is not for keys of this kind")]
    OtherAlgorithm(Algorithm),
    #[error("k: the secret is shorter than {0} bits")]
    ShortSecret(usize),
    #[error("n: keys of RSA have 2048 to 4096 bits")]
    Bits,
    #[error("e: an exponent of RSA is odd, and from 3 to 2^33 - 1")]
    Exponent,
    #[error("this is no point of the curve, or one that makes no safe key")]
    Point,
}

/// Why a key is left out that is in order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotForThis {
    #[error("use, key_ops: it is not for checking signatures")]
    Use,
    #[error("kty, crv: keys of this kind are not supported: there are oct, RSA, EC with P-256 or P-384, and OKP with Ed25519")]
    Kind,
    #[error("alg: {0}")]
    Algorithm(AlgorithmError),
    #[error("keys of this kind are not in this build: build it with the cargo feature {0}")]
    NotBuilt(&'static str),
}

// === impl Key ===

impl Key {
    pub(crate) fn try_new(key: &Object) -> Result<Self, KeyFault> {
        let text = |name| key.text(name).map_err(KeyFault::Malformed);
        let kind = match (text("kty")?.ok_or(KeyFault::NotAKey)?, text("crv")?) {
            ("oct", _) => Kind::Secret,
            ("RSA", _) => Kind::Rsa,
            ("EC", Some("P-256")) => Kind::P256,
            ("EC", Some("P-384")) => Kind::P384,
            ("OKP", Some("Ed25519")) => Kind::Ed25519,
            _ => return Err(NotForThis::Kind.into()),
        };
        if text("use")?.is_some_and(|purpose| purpose != "sig") || !key.get("key_ops").is_none_or(may_verify) {
            return Err(NotForThis::Use.into());
        }
        let algorithm = text("alg")?.map(str::parse::<Algorithm>).transpose().map_err(NotForThis::Algorithm)?;
        if let Some(other) = algorithm.filter(|algorithm| Kind::of(*algorithm) != kind) {
            return Err(KeyFault::OtherAlgorithm(other));
        }
        let id = text("kid")?.map(str::to_owned);
        Ok(Self { id, algorithm, kind, verifier: verifier(kind, algorithm, key)? })
    }

    /// Whether it may be the key of a token with this algorithm and key id. A key or a token without an id fits any.
    pub(crate) fn fits(&self, algorithm: Algorithm, id: Option<&str>) -> bool {
        let is_it = match (self.id.as_deref(), id) {
            (Some(id), Some(wanted)) => id == wanted,
            _ => true,
        };
        is_it && Kind::of(algorithm) == self.kind && self.algorithm.is_none_or(|only| only == algorithm)
    }

    /// Whether this is its signature of these bytes.
    pub(crate) fn verify(&self, algorithm: Algorithm, signed: &[u8], signature: &[u8]) -> bool {
        self.fits(algorithm, None) && self.verifier.verify(algorithm, signed, signature)
    }
}

/// Without the key: it may be a secret.
impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key").field("kind", &self.kind).field("algorithm", &self.algorithm).finish_non_exhaustive()
    }
}

// === impl Kind ===

impl Kind {
    fn of(algorithm: Algorithm) -> Self {
        match algorithm.family {
            Family::Hmac => Self::Secret,
            Family::RsaPkcs1 | Family::RsaPss => Self::Rsa,
            Family::P256 => Self::P256,
            Family::P384 => Self::P384,
            Family::Ed25519 => Self::Ed25519,
        }
    }

    /// The feature that it is behind.
    const fn feature(self) -> &'static str {
        match self {
            Self::Secret => Family::Hmac.feature().0,
            Self::Rsa => Family::RsaPkcs1.feature().0,
            Self::P256 | Self::P384 => Family::P256.feature().0,
            Self::Ed25519 => Family::Ed25519.feature().0,
        }
    }
}

// === impl KeyFault ===

impl KeyFault {
    /// Whether somebody has written it wrong, and has not only meant it for others.
    pub(crate) const fn is_mistake(&self) -> bool {
        !matches!(self, Self::NotForThis(_))
    }
}

impl From<NotForThis> for KeyFault {
    fn from(reason: NotForThis) -> Self {
        Self::NotForThis(reason)
    }
}

fn may_verify(operations: &Value) -> bool {
    operations.as_array().is_some_and(|all| all.iter().any(|one| one == "verify"))
}

/// The numbers of a key, of its kind.
fn verifier(kind: Kind, algorithm: Option<Algorithm>, key: &Object) -> Result<Box<dyn Verify>, KeyFault> {
    let number = |name| key.text(name).ok().flatten().and_then(base64url::decode).ok_or(KeyFault::Malformed(name));
    let _ = (&number, algorithm, Hash::Sha256);
    match kind {
        #[cfg(feature = "jwt-hmac")]
        Kind::Secret => {
            let hash = algorithm.map_or(Hash::Sha256, |algorithm| algorithm.hash);
            Ok(Box::new(super::algorithm::hmac::Secret::try_new(number("k")?, hash)?))
        }
        #[cfg(feature = "jwt-rsa")]
        Kind::Rsa => Ok(Box::new(super::algorithm::rsa::key(&number("n")?, &number("e")?)?)),
        #[cfg(feature = "jwt-ecdsa")]
        Kind::P256 => Ok(Box::new(super::algorithm::ecdsa::p256_key(&number("x")?, &number("y")?)?)),
        #[cfg(feature = "jwt-ecdsa")]
        Kind::P384 => Ok(Box::new(super::algorithm::ecdsa::p384_key(&number("x")?, &number("y")?)?)),
        #[cfg(feature = "jwt-eddsa")]
        Kind::Ed25519 => Ok(Box::new(super::algorithm::eddsa::key(&number("x")?)?)),
        #[allow(unreachable_patterns, reason = "unless a feature is off")]
        other => Err(NotForThis::NotBuilt(other.feature()).into()),
    }
}
