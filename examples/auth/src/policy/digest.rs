use std::fmt;

use sha2::{Digest as _, Sha256};
use subtle::{Choice, ConstantTimeEq};

/// The SHA-256 of a secret, which is all that is kept of it.
#[derive(Clone)]
pub(crate) struct Digest([u8; 32]);

// === impl Digest ===

impl Digest {
    pub(crate) fn of(secret: &[u8]) -> Self {
        Self(Sha256::digest(secret).into())
    }

    /// From 64 hexadecimal digits.
    pub(crate) fn from_hex(digits: &[u8]) -> Option<Self> {
        let mut digest = [0; 32];
        if digits.len() != 64 {
            return None;
        }
        for (byte, digits) in digest.iter_mut().zip(digits.chunks_exact(2)) {
            for digit in digits {
                *byte = *byte << 4 | u8::try_from(char::from(*digit).to_digit(16)?).ok()?;
            }
        }
        Some(Self(digest))
    }

    /// Takes the same time for all.
    pub(crate) fn is(&self, other: &Self) -> Choice {
        self.0.ct_eq(&other.0)
    }
}

/// Who knows the digest of a weak secret soon knows the secret.
impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digest")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_read_from_hex() {
        let known = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
        let hello = Digest::of(b"hello");
        assert!(bool::from(hello.is(&Digest::from_hex(known.as_bytes()).unwrap())));
        assert!(bool::from(hello.is(&Digest::from_hex(known.to_uppercase().as_bytes()).unwrap())));
        assert!(!bool::from(hello.is(&Digest::of(b"hellp"))));
        for wrong in ["", "2c", &known[1..], &format!("{known}0"), &known.replace('c', "g"), &known.replace('c', "+")] {
            assert!(Digest::from_hex(wrong.as_bytes()).is_none(), "{wrong}");
        }
        assert_eq!(format!("{hello:?}"), "Digest");
    }
}
