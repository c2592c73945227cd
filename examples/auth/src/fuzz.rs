//! What the fuzz targets see of the checks.

use std::time::Duration;

use crate::checks::jwt::{algorithm::Algorithm, claims::Expected, key_set::KeySet, verifier::Verifier};

/// A check of tokens, with all that it can be asked for.
#[derive(Debug)]
pub struct Jwt {
    verifier: Verifier,
    keys: KeySet,
}

// === impl Jwt ===

impl Jwt {
    /// One that takes tokens of these keys; `None` if there is none in it that can be used.
    pub fn try_new(keys: &[u8]) -> Option<Self> {
        let expected = Expected {
            issuer: Some("https://issuer.example".to_owned()),
            audiences: vec!["shop".to_owned()],
            subjects: vec!["alice".to_owned()],
            require_expiration: true,
            max_lifetime: None,
            clock_skew: Duration::from_secs(60),
        };
        let verifier = Verifier { algorithms: Algorithm::all(), types: Vec::new(), expected, max_token_bytes: 8192 };
        Some(Self { verifier, keys: KeySet::parse(keys).ok()? })
    }

    /// The payload of a token that is taken, so long after 1970; or what its client would be told.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub fn verify(&self, token: &[u8], now: Duration) -> Result<String, String> {
        let token = self.verifier.read(token, now).map_err(|refusal| refusal.to_string())?;
        let signed = token.verify(&self.keys).map_err(|refusal| refusal.to_string())?;
        Ok(signed.payload.to_owned())
    }
}
