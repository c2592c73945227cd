use rsa::{BoxedUint, Error, PublicKey};
use sha2::{Sha256, Sha384, Sha512};

use super::{Algorithm, Family, Hash, Verify};
use crate::checks::jwt::key::KeyFault;

/// Shorter keys are too weak ([RFC 7518 §3.3](https://www.rfc-editor.org/rfc/rfc7518#section-3.3)), longer ones cost the worker too much.
const BITS: std::ops::RangeInclusive<usize> = 2048..=4096;

/// The key of a modulus and an exponent, the largest byte first. Its exponent is odd, and from 3 to 2³³ - 1.
pub(crate) fn key(modulus: &[u8], exponent: &[u8]) -> Result<PublicKey, KeyFault> {
    let (modulus, exponent) = (without_zeros(modulus), without_zeros(exponent));
    if modulus.len() > BITS.end() / 8 {
        return Err(KeyFault::Bits);
    }
    if exponent.is_empty() || exponent.len() > 8 {
        return Err(KeyFault::Exponent);
    }
    let [modulus, exponent] = [modulus, exponent].map(BoxedUint::from_be_slice_vartime);
    PublicKey::new_with_size_limits(modulus, exponent, BITS).map_err(|error| match error {
        Error::ModulusTooSmall | Error::ModulusTooLarge => KeyFault::Bits,
        Error::InvalidModulus => KeyFault::Malformed("n"),
        _ => KeyFault::Exponent,
    })
}

/// Some write zeros before a number, which count for nothing.
fn without_zeros(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    number.get(zeros..).unwrap_or_default()
}

// === impl PublicKey ===

impl Verify for PublicKey {
    /// The salt of PSS is as long as the hash ([RFC 7518 §3.5](https://www.rfc-editor.org/rfc/rfc7518#section-3.5)).
    fn verify(&self, algorithm: Algorithm, signed: &[u8], signature: &[u8]) -> bool {
        let outcome = match (algorithm.family, algorithm.hash) {
            (Family::RsaPkcs1, Hash::Sha256) => self.pkcs1v15_verify::<Sha256>(signed, signature),
            (Family::RsaPkcs1, Hash::Sha384) => self.pkcs1v15_verify::<Sha384>(signed, signature),
            (Family::RsaPkcs1, Hash::Sha512) => self.pkcs1v15_verify::<Sha512>(signed, signature),
            (Family::RsaPss, Hash::Sha256) => self.pss_verify::<Sha256>(signed, signature),
            (Family::RsaPss, Hash::Sha384) => self.pss_verify::<Sha384>(signed, signature),
            (Family::RsaPss, Hash::Sha512) => self.pss_verify::<Sha512>(signed, signature),
            _ => return false,
        };
        outcome.is_ok()
    }
}
