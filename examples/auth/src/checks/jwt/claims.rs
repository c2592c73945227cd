//! What the claims of a token must be.

use std::time::Duration;

use serde_json::Value;

use super::{object::Object, refusal::Refusal};

/// What the operator wants of a token ([RFC 7519 §4.1](https://www.rfc-editor.org/rfc/rfc7519#section-4.1)).
#[derive(Clone, Debug)]
pub(crate) struct Expected {
    /// Whose tokens; anybody's, if it is not there.
    pub(crate) issuer: Option<String>,
    /// One of these; any, if there is none.
    pub(crate) audiences: Vec<String>,
    /// One of these; any, if there is none.
    pub(crate) subjects: Vec<String>,
    pub(crate) require_expiration: bool,
    /// For how much longer a token may be valid.
    pub(crate) max_lifetime: Option<Duration>,
    /// By how much clocks may differ.
    pub(crate) clock_skew: Duration,
}

/// Later times cannot be told apart to the second.
const LATEST: f64 = 9_007_199_254_740_992.0;

// === impl Expected ===

impl Expected {
    /// Whether claims are as they must be, so long after 1970.
    pub(crate) fn check(&self, claims: &Object, now: Duration) -> Result<(), Refusal> {
        let issuer = claims.text("iss").map_err(Refusal::Text)?;
        let subject = claims.text("sub").map_err(Refusal::Text)?;
        if self.issuer.is_some() && issuer != self.issuer.as_deref() {
            return Err(Refusal::Issuer);
        }
        if !self.subjects.is_empty() && !self.subjects.iter().any(|allowed| Some(allowed.as_str()) == subject) {
            return Err(Refusal::Subject);
        }
        self.check_times(claims, now)?;
        let audiences = audiences(claims)?;
        if !self.audiences.is_empty() && !self.audiences.iter().any(|allowed| audiences.contains(&allowed.as_str())) {
            return Err(Refusal::Audience);
        }
        Ok(())
    }

    fn check_times(&self, claims: &Object, now: Duration) -> Result<(), Refusal> {
        let (now, skew) = (now.as_secs_f64(), self.clock_skew.as_secs_f64());
        let [expires, begins, issued] = ["exp", "nbf", "iat"].map(|name| time(claims, name));
        let (expires, begins, issued) = (expires?, begins?, issued?);
        match expires {
            None if self.require_expiration || self.max_lifetime.is_some() => return Err(Refusal::NoExpiration),
            Some(expires) if now >= expires + skew => return Err(Refusal::Expired),
            Some(expires) if self.max_lifetime.is_some_and(|most| expires > now + most.as_secs_f64() + skew) => return Err(Refusal::Lifetime),
            _ => {}
        }
        if [begins, issued].into_iter().flatten().any(|begins| begins > now + skew) {
            return Err(Refusal::NotYet);
        }
        Ok(())
    }
}

/// A time in seconds since 1970; fractions are allowed.
fn time(claims: &Object, name: &'static str) -> Result<Option<f64>, Refusal> {
    let Some(time) = claims.get(name) else { return Ok(None) };
    time.as_f64().filter(|time| (0.0..=LATEST).contains(time)).map(Some).ok_or(Refusal::Time(name))
}

/// One or a list.
fn audiences(claims: &Object) -> Result<Vec<&str>, Refusal> {
    match claims.get("aud") {
        None => Ok(Vec::new()),
        Some(Value::String(one)) => Ok(vec![one]),
        Some(Value::Array(all)) => all.iter().map(|one| one.as_str().ok_or(Refusal::AudienceForm)).collect(),
        Some(_) => Err(Refusal::AudienceForm),
    }
}
