//! Tokens: where their keys come from, and when.

mod jwks;

use std::time::{Duration, SystemTime};

use inproxy::{prelude::*, time};

use self::jwks::Jwks;
use super::Asked;
use crate::{
    checks::jwt::{self, refusal::Refusal},
    config::jwt::Settings,
    policy::{Outcome, Undecided},
};

/// A check of tokens, and the keys for it.
#[derive(Debug)]
pub(crate) struct Jwt {
    check: jwt::Jwt,
    jwks: Jwks,
}

// === impl Jwt ===

impl Jwt {
    pub(crate) fn try_new(name: &str, settings: &Settings, plugin: &mut Plugin) -> Result<Self> {
        let check = settings.check().map_err(|error| error.of(name))?;
        Ok(Self { check, jwks: Jwks::try_new(name, &settings.jwks, plugin)? })
    }

    /// The headers in which only this check says something.
    pub(crate) fn own_headers(&self) -> impl Iterator<Item = &str> {
        self.check.export.own_headers()
    }

    /// What it says of a request. Only a token of which everything but the signature is right has keys fetched.
    pub(crate) async fn ask(&self, asked: &Asked<'_>) -> Outcome {
        let presented = match self.check.find(asked) {
            Ok(presented) => presented,
            Err(verdict) => return Ok(verdict),
        };
        let token = match self.check.read(&presented, now()?) {
            Ok(token) => token,
            Err(verdict) => return Ok(verdict),
        };
        let mut keys = match self.jwks.keys().await {
            Ok(keys) => keys,
            Err(reason) => return self.check.undecided(reason),
        };
        let mut verified = token.verify(&keys);
        // Twice, since a fetch that was under way may have been answered before the token's key was there.
        for _ in 0..2 {
            if !verified.is_err_and(|refusal| refusal == Refusal::UnknownKey) {
                break;
            }
            match self.jwks.newer_than(&keys).await {
                Ok(Some(newer)) => keys = newer,
                Ok(None) => break,
                Err(reason) => return self.check.undecided(reason),
            }
            verified = token.verify(&keys);
        }
        Ok(self.check.verdict(&presented, verified))
    }
}

/// Since 1970.
fn now() -> Result<Duration, Undecided> {
    let now = time::now().map_err(|error| Undecided::new(error.to_string()))?;
    Ok(now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default())
}
