use p256::ecdsa::signature::Verifier;

use super::{Algorithm, Family, Verify};
use crate::checks::jwt::key::KeyFault;

/// The key at a point of P-256, which is on the curve.
pub(crate) fn p256_key(x: &[u8], y: &[u8]) -> Result<p256::ecdsa::VerifyingKey, KeyFault> {
    p256::ecdsa::VerifyingKey::from_sec1_bytes(&point(32, x, y)?).map_err(|_| KeyFault::Point)
}

/// The key at a point of P-384, which is on the curve.
pub(crate) fn p384_key(x: &[u8], y: &[u8]) -> Result<p384::ecdsa::VerifyingKey, KeyFault> {
    p384::ecdsa::VerifyingKey::from_sec1_bytes(&point(48, x, y)?).map_err(|_| KeyFault::Point)
}

/// A point as [SEC 1](https://www.secg.org/sec1-v2.pdf) writes it, both coordinates in full length ([RFC 7518 §6.2.1.2](https://www.rfc-editor.org/rfc/rfc7518#section-6.2.1.2)).
fn point(length: usize, x: &[u8], y: &[u8]) -> Result<Vec<u8>, KeyFault> {
    if x.len() != length || y.len() != length {
        return Err(KeyFault::Point);
    }
    Ok([&[4], x, y].concat())
}

// === impl VerifyingKey ===

impl Verify for p256::ecdsa::VerifyingKey {
    fn verify(&self, algorithm: Algorithm, signed: &[u8], signature: &[u8]) -> bool {
        let Ok(signature) = p256::ecdsa::Signature::from_slice(signature) else { return false };
        algorithm.family == Family::P256 && Verifier::verify(self, signed, &signature).is_ok()
    }
}

impl Verify for p384::ecdsa::VerifyingKey {
    fn verify(&self, algorithm: Algorithm, signed: &[u8], signature: &[u8]) -> bool {
        let Ok(signature) = p384::ecdsa::Signature::from_slice(signature) else { return false };
        algorithm.family == Family::P384 && Verifier::verify(self, signed, &signature).is_ok()
    }
}
