use ed25519_dalek::{Signature, VerifyingKey};

use super::{Algorithm, Family, Verify};
use crate::checks::jwt::key::KeyFault;

/// The key at a point of Curve25519, but not at one of the few with which a signature fits any message.
pub(crate) fn key(point: &[u8]) -> Result<VerifyingKey, KeyFault> {
    let bytes = point.try_into().map_err(|_| KeyFault::Point)?;
    VerifyingKey::from_bytes(bytes).ok().filter(|key| !key.is_weak()).ok_or(KeyFault::Point)
}

// === impl VerifyingKey ===

impl Verify for VerifyingKey {
    fn verify(&self, algorithm: Algorithm, signed: &[u8], signature: &[u8]) -> bool {
        let Ok(signature) = Signature::from_slice(signature) else { return false };
        algorithm.family == Family::Ed25519 && self.verify_strict(signed, &signature).is_ok()
    }
}
