use hmac::{Hmac, KeyInit, Mac, digest::InvalidLength};
use sha2::{Sha256, Sha384, Sha512};

use super::{Algorithm, Family, Hash, Verify};
use crate::checks::jwt::key::KeyFault;

/// What signer and verifier both know.
pub(crate) struct Secret(Vec<u8>);

// === impl Secret ===

impl Secret {
    /// A secret that no hash makes shorter is at least as long as what comes out ([RFC 7518 §3.2](https://www.rfc-editor.org/rfc/rfc7518#section-3.2)).
    pub(crate) fn try_new(secret: Vec<u8>, hash: Hash) -> Result<Self, KeyFault> {
        if secret.len() < hash.length() { Err(KeyFault::ShortSecret(hash.length() * 8)) } else { Ok(Self(secret)) }
    }
}

impl Verify for Secret {
    /// In a time that does not depend on where the signatures differ.
    fn verify(&self, algorithm: Algorithm, signed: &[u8], signature: &[u8]) -> bool {
        if algorithm.family != Family::Hmac || self.0.len() < algorithm.hash.length() {
            return false;
        }
        let verified = match algorithm.hash {
            Hash::Sha256 => is_signed_by::<Hmac<Sha256>>(&self.0, signed, signature),
            Hash::Sha384 => is_signed_by::<Hmac<Sha384>>(&self.0, signed, signature),
            Hash::Sha512 => is_signed_by::<Hmac<Sha512>>(&self.0, signed, signature),
        };
        verified.unwrap_or(false)
    }
}

fn is_signed_by<M: Mac + KeyInit>(secret: &[u8], signed: &[u8], signature: &[u8]) -> Result<bool, InvalidLength> {
    Ok(<M as KeyInit>::new_from_slice(secret)?.chain_update(signed).verify_slice(signature).is_ok())
}
