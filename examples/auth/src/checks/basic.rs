//! User names and passwords: [RFC 7617](https://www.rfc-editor.org/rfc/rfc7617), with the rules of Istio's `basic_auth` extension.

mod credentials;
mod rule;

pub(crate) use self::credentials::{Credential, CredentialError, Credentials};
pub(crate) use self::rule::{Path, Rule, RuleError};

use base64ct::{Base64, Encoding};

use crate::policy::{Challenge, Code, Denial, Edit, Edits, Facts, Found, RealmError, Source, Verdict};

/// Wants a user name and a password for requests that one of its rules covers, and lets all others pass.
#[derive(Debug)]
pub(crate) struct Basic {
    rules: Vec<Rule>,
    source: Source,
    user_header: Option<String>,
    forward: bool,
    challenge: Challenge,
}

/// A check that cannot be meant.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BasicError {
    #[error("user_header: {0} is no header for a name")]
    Header(String),
    #[error(transparent)]
    Realm(#[from] RealmError),
}

// === impl Basic ===

impl Basic {
    pub(crate) fn try_new(rules: Vec<Rule>, realm: &str, user_header: Option<&str>) -> Result<Self, BasicError> {
        if let Some(name) = user_header.filter(|name| name.starts_with(':')) {
            return Err(BasicError::Header(name.to_owned()));
        }
        let source = Source::Header { name: "authorization".to_owned(), prefix: "Basic ".to_owned() };
        let challenge = Challenge::try_new("Basic", Some(realm))?;
        Ok(Self { rules, source, user_header: user_header.map(str::to_owned), forward: false, challenge })
    }

    /// Whether the upstream sees user name and password.
    #[must_use]
    pub(crate) fn forwarding(mut self, forward: bool) -> Self {
        self.forward = forward;
        self
    }

    /// The header in which only this check may say something.
    pub(crate) fn user_header(&self) -> Option<&str> {
        self.user_header.as_deref()
    }

    /// The first rule that covers the request counts.
    pub(crate) fn check(&self, facts: &impl Facts) -> Verdict {
        let Some(rule) = self.rules.iter().find(|rule| rule.covers(facts)) else { return Verdict::allow() };
        let credential = match Source::find(std::slice::from_ref(&self.source), facts) {
            Found::Missing => return self.challenged("No Basic Authentication information found."),
            Found::Ambiguous => return self.challenged("There is more than one authorization."),
            Found::One(credential) => credential,
        };
        let decoded = decoded(credential.value.as_bytes());
        let user = decoded.as_deref().and_then(|decoded| rule.credentials().user(decoded));
        let Some(user) = user else { return self.challenged("Invalid username and/or password") };
        let mut edits = Edits::default();
        if !self.forward {
            edits.request = credential.removal;
        }
        if let Some(name) = &self.user_header {
            edits.request.push(Edit::Set(name.clone(), user.as_bytes().to_vec()));
        }
        Verdict::Allow(edits)
    }

    /// With the extension's text where it had it: in the details that access logs show; its answer was empty.
    fn challenged(&self, reason: &str) -> Verdict {
        let mut denial = Denial::new(Code::UNAUTHENTICATED, reason).with_header("www-authenticate", self.challenge.as_str());
        denial.details = Some(format!("Request denied by Basic Auth check. {reason}"));
        denial.direct.body = Some(Vec::new());
        Verdict::Deny(denial)
    }
}

/// In a time that depends on the length only.
fn decoded(text: &[u8]) -> Option<Vec<u8>> {
    Base64::decode_vec(std::str::from_utf8(text).ok()?).ok()
}

#[cfg(test)]
mod tests;
