//! JSON Web Tokens: who a client is, as an issuer has signed it.
//!
//! | file | what it knows |
//! |---|---|
//! //! | `token`, `object`, `base64url` | what a token says |
//! | `verifier`, `claims` | which tokens the operator takes |
//! | `algorithm`, `key`, `key_set` | whose signature it is |
//! | `freshness` | when keys are fetched |
//! | `export` | what the upstream gets of the claims |
//! | `refusal` | what is wrong with a token |

pub(crate) mod algorithm;
mod base64url;
pub(crate) mod claims;
pub(crate) mod export;
pub(crate) mod freshness;
pub(crate) mod key;
pub(crate) mod key_set;
pub(crate) mod object;
pub(crate) mod refusal;
pub(crate) mod token;
pub(crate) mod verifier;

use std::time::Duration;

use self::{
    export::Export,
    refusal::Refusal,
    token::{Signed, Token},
    verifier::Verifier,
};
use crate::policy::{Challenge, Code, Credential, Denial, Edits, Facts, Found, Source, Undecided, Verdict};

/// Lets a request pass that has a token of an issuer.
#[derive(Debug)]
pub(crate) struct Jwt {
    /// Where a token may be.
    pub(crate) sources: Vec<Source>,
    pub(crate) verifier: Verifier,
    pub(crate) export: Export,
    /// Whether the upstream gets the token.
    pub(crate) forward: bool,
    pub(crate) challenge: Challenge,
    pub(crate) lenience: Lenience,
    /// Whether requests pass by which browsers ask whether they may send another.
    pub(crate) bypass_cors_preflight: bool,
}

/// What passes without a valid token; nobody is then told who it is of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Lenience {
    #[default]
    Nothing,
    /// Requests without a token.
    Missing,
    /// Also those whose token is refused, or cannot be checked.
    MissingOrFailed,
}

// === impl Jwt ===

impl Jwt {
    /// The token of a request.
    ///
    /// # Errors
    ///
    /// What becomes of the request if there is none, or more than one.
    pub(crate) fn find(&self, facts: &impl Facts) -> Result<Credential, Verdict> {
        if self.bypass_cors_preflight && is_preflight(facts) {
            return Err(Verdict::allow());
        }
        match Source::find(&self.sources, facts) {
            Found::One(credential) => Ok(credential),
            Found::Missing => Err(self.refuse(Refusal::Missing)),
            Found::Ambiguous => Err(self.refuse(Refusal::Several)),
        }
    }

    /// What it says, which is still to be verified.
    ///
    /// # Errors
    ///
    /// What becomes of the request if it is refused as it is.
    pub(crate) fn read<'a>(&self, token: &'a Credential, now: Duration) -> Result<Token<'a>, Verdict> {
        self.verifier.read(token.value.as_bytes(), now).map_err(|refusal| self.refuse(refusal))
    }

    /// What becomes of the request once the signature was checked.
    pub(crate) fn verdict(&self, token: &Credential, verified: Result<Signed<'_>, Refusal>) -> Verdict {
        match verified {
            Ok(signed) => {
                let mut edits = Edits::default();
                if !self.forward {
                    edits.request.clone_from(&token.removal);
                }
                edits.extend(self.export.of(signed));
                Verdict::Allow(edits)
            }
            Err(refusal) => self.refuse(refusal),
        }
    }

    /// What becomes of the request if there are no keys.
    pub(crate) fn undecided(&self, reason: impl Into<String>) -> Result<Verdict, Undecided> {
        if self.lenience == Lenience::MissingOrFailed {
            return Ok(Verdict::allow());
        }
        let mut undecided = Undecided::new(reason);
        *undecided.denial = Denial::new(Code::UNAVAILABLE, "Jwks remote fetch is failed");
        Err(undecided)
    }

    fn refuse(&self, refusal: Refusal) -> Verdict {
        match (self.lenience, refusal) {
            (Lenience::MissingOrFailed, _) | (Lenience::Missing, Refusal::Missing) => Verdict::allow(),
            _ => Verdict::Deny(refusal.denial(&self.challenge)),
        }
    }
}

/// Whether a browser [asks if it may](https://fetch.spec.whatwg.org/#cors-preflight-request).
fn is_preflight(facts: &impl Facts) -> bool {
    let is_there = |name| facts.header(name).is_some_and(|value| !value.as_ref().is_empty());
    let is_options = facts.header(":method").is_some_and(|method| method.as_ref() == b"OPTIONS");
    is_options && is_there("origin") && is_there("access-control-request-method")
}

#[cfg(all(test, feature = "jwt-hmac", feature = "jwt-rsa", feature = "jwt-ecdsa", feature = "jwt-eddsa"))]
mod tests;
