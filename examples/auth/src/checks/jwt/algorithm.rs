//! What a token can be signed with: one file for each family, behind a feature of the crate.

#[cfg(feature = "jwt-ecdsa")]
pub(crate) mod ecdsa;
#[cfg(feature = "jwt-eddsa")]
pub(crate) mod eddsa;
#[cfg(feature = "jwt-hmac")]
pub(crate) mod hmac;
#[cfg(feature = "jwt-rsa")]
pub(crate) mod rsa;

use std::{fmt, str::FromStr};

/// An algorithm of [RFC 7518 §3.1](https://www.rfc-editor.org/rfc/rfc7518#section-3.1) or [RFC 8037](https://www.rfc-editor.org/rfc/rfc8037) that is in this build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Algorithm {
    pub(crate) family: Family,
    pub(crate) hash: Hash,
}

/// What has one kind of key, and how it signs. A key is of one of them, so that none can be taken for another's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    /// A secret that both sides know.
    Hmac,
    /// RSASSA-PKCS1-v1_5.
    RsaPkcs1,
    /// RSASSA-PSS. It has the same keys.
    RsaPss,
    P256,
    P384,
    Ed25519,
}

/// What is signed in the place of the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Hash {
    Sha256,
    Sha384,
    Sha512,
}

/// A name that is not an algorithm which this build has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AlgorithmError {
    #[error("{0} is not in this build: build it with the cargo feature {1}")]
    NotBuilt(&'static str, &'static str),
    #[error("{0} is not supported: there are {all}", all = names())]
    Unsupported(&'static str),
    #[error("there is no such algorithm: there are {all}", all = names())]
    Unknown,
}

/// Checks signatures with one key.
pub(crate) trait Verify {
    /// Whether this is the key's signature of these bytes. No, for an algorithm of another kind of key.
    fn verify(&self, algorithm: Algorithm, signed: &[u8], signature: &[u8]) -> bool;
}

/// The name, what it means, and the feature that has it.
#[rustfmt::skip]
const ALGORITHMS: [(&str, Family, Hash); 13] = [
    ("HS256", Family::Hmac, Hash::Sha256),
    ("HS384", Family::Hmac, Hash::Sha384),
    ("HS512", Family::Hmac, Hash::Sha512),
    ("RS256", Family::RsaPkcs1, Hash::Sha256),
    ("RS384", Family::RsaPkcs1, Hash::Sha384),
    ("RS512", Family::RsaPkcs1, Hash::Sha512),
    ("PS256", Family::RsaPss, Hash::Sha256),
    ("PS384", Family::RsaPss, Hash::Sha384),
    ("PS512", Family::RsaPss, Hash::Sha512),
    ("ES256", Family::P256, Hash::Sha256),
    ("ES384", Family::P384, Hash::Sha384),
    ("EdDSA", Family::Ed25519, Hash::Sha512),
    // The name that RFC 9864 gives it.
    ("Ed25519", Family::Ed25519, Hash::Sha512),
];

/// What others have and this has not.
const UNSUPPORTED: [&str; 5] = ["none", "ES512", "ES256K", "Ed448", "ESP512"];

// === impl Algorithm ===

impl Algorithm {
    /// All that this build has.
    pub(crate) fn all() -> Vec<Self> {
        built().map(|(_, algorithm)| algorithm).collect()
    }
}

impl FromStr for Algorithm {
    type Err = AlgorithmError;

    fn from_str(name: &str) -> Result<Self, AlgorithmError> {
        if let Some(&(name, family, hash)) = ALGORITHMS.iter().find(|(known, _, _)| *known == name) {
            let (feature, is_built) = family.feature();
            return if is_built { Ok(Self { family, hash }) } else { Err(AlgorithmError::NotBuilt(name, feature)) };
        }
        Err(UNSUPPORTED.iter().find(|known| **known == name).map_or(AlgorithmError::Unknown, |name| AlgorithmError::Unsupported(name)))
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(built().find(|(_, algorithm)| algorithm == self).map_or("", |(name, _)| name))
    }
}

// === impl Family ===

impl Family {
    /// The feature that it is behind, and whether that is on.
    pub(crate) const fn feature(self) -> (&'static str, bool) {
        match self {
            Self::Hmac => ("jwt-hmac", cfg!(feature = "jwt-hmac")),
            Self::RsaPkcs1 | Self::RsaPss => ("jwt-rsa", cfg!(feature = "jwt-rsa")),
            Self::P256 | Self::P384 => ("jwt-ecdsa", cfg!(feature = "jwt-ecdsa")),
            Self::Ed25519 => ("jwt-eddsa", cfg!(feature = "jwt-eddsa")),
        }
    }
}

// === impl Hash ===

impl Hash {
    /// The bytes that come out.
    pub(crate) const fn length(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }
}

fn built() -> impl Iterator<Item = (&'static str, Algorithm)> {
    ALGORITHMS.iter().filter(|(_, family, _)| family.feature().1).map(|&(name, family, hash)| (name, Algorithm { family, hash }))
}

fn names() -> String {
    built().map(|(name, _)| name).collect::<Vec<_>>().join(", ")
}
