//! Whose key it is.

mod consumers;

pub(crate) use self::consumers::{Consumer, Consumers, ConsumersError, Identified};

use crate::policy::{Challenge, Code, Denial, Edit, Edits, Facts, Found, RealmError, Source, Verdict};

/// Lets requests pass whose key belongs to a consumer.
#[derive(Debug)]
pub(crate) struct ApiKey {
    sources: Vec<Source>,
    consumers: Consumers,
    consumer_header: String,
    forward: bool,
    challenge: Challenge,
}

/// A check that cannot be meant.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ApiKeyError {
    #[error("consumer_header: {0} is no header for a name")]
    Header(String),
    #[error(transparent)]
    Realm(#[from] RealmError),
}

// === impl ApiKey ===

impl ApiKey {
    pub(crate) fn try_new(sources: Vec<Source>, consumers: Consumers, consumer_header: &str, realm: Option<&str>) -> Result<Self, ApiKeyError> {
        if consumer_header.starts_with(':') {
            return Err(ApiKeyError::Header(consumer_header.to_owned()));
        }
        // No scheme is registered for keys, and RFC 9110 wants one in each 401: this is what the world's gateways came to, each in its way.
        let challenge = Challenge::try_new("ApiKey", realm)?;
        Ok(Self { sources, consumers, consumer_header: consumer_header.to_owned(), forward: false, challenge })
    }

    /// Whether the upstream sees the key.
    #[must_use]
    pub(crate) fn forwarding(mut self, forward: bool) -> Self {
        self.forward = forward;
        self
    }

    /// The header in which only this check may say something.
    pub(crate) fn consumer_header(&self) -> &str {
        &self.consumer_header
    }

    /// As Envoy's [`api_key_auth`](https://www.envoyproxy.io/docs/envoy/v1.40.0/configuration/http/http_filters/api_key_auth_filter): 401 without a key that is known, 403 for a consumer who may not.
    pub(crate) fn check(&self, facts: &impl Facts) -> Verdict {
        let credential = match Source::find(&self.sources, facts) {
            Found::Missing => return self.challenged("a key is missing"),
            Found::Ambiguous => return self.challenged("there is more than one key"),
            Found::One(credential) => credential,
        };
        let name = match self.consumers.identify(credential.value.as_bytes()) {
            Identified::Allowed(name) => name,
            Identified::NotAllowed => return Verdict::deny(Code::PERMISSION_DENIED, "the consumer of this key is not allowed"),
            Identified::Unknown => return self.challenged("this key is not known"),
        };
        let mut edits = Edits::default();
        if !self.forward {
            edits.request = credential.removal;
        }
        edits.request.push(Edit::Set(self.consumer_header.clone(), name.as_bytes().to_vec()));
        Verdict::Allow(edits)
    }

    fn challenged(&self, message: &str) -> Verdict {
        Verdict::Deny(Denial::new(Code::UNAUTHENTICATED, message).with_header("www-authenticate", self.challenge.as_str()))
    }
}

#[cfg(test)]
mod tests;
