use std::fmt;

use inproxy::prelude::*;
use serde::{Deserialize, Deserializer, de};

use crate::{
    checks::basic::{Basic, BasicError, Credential as Known, CredentialError, Credentials, Path, Rule as Covered, RuleError},
    policy::Secret,
};

/// Which requests need a user name and a password: as Istio's `basic_auth` extension has it.
#[config(schema)]
#[derive(Debug)]
pub(crate) struct Settings {
    /// The first that covers a request counts; a request that none covers passes.
    #[serde(default, alias = "basic_auth_rules")]
    rules: Vec<Rule>,
    /// What `www-authenticate` names as the realm.
    #[serde(default = "istio")]
    realm: String,
    /// The request header in which the upstream finds the user's name. What the client put there is removed.
    user_header: Option<HeaderName>,
    /// The upstream sees user name and password.
    #[serde(default)]
    forward: bool,
}

/// Which requests need whose password. Exactly one of `prefix`, `exact` and `suffix` says which paths.
#[config(schema)]
#[derive(Debug)]
struct Rule {
    /// Of which hosts: `example.com`, `*.example.com` or `example.*`, without ports; of all, if there are none.
    #[serde(default)]
    hosts: Vec<String>,
    /// Paths that begin so.
    prefix: Option<String>,
    /// This path.
    exact: Option<String>,
    /// Paths that end so.
    suffix: Option<String>,
    /// With which methods; `*` stands for all.
    #[serde(alias = "request_methods")]
    methods: Vec<String>,
    /// Who may pass.
    credentials: Vec<Credential>,
}

/// `"user:password"`, base64 of it, or `{ "user": "…", "sha256": "…" }`.
#[derive(Debug)]
pub(super) enum Credential {
    Text(Secret),
    Hashed(Hashed),
}

/// A user name and the SHA-256 of the password.
#[config(schema)]
#[derive(Debug)]
pub(super) struct Hashed {
    /// The name.
    user: String,
    /// The SHA-256 of the password, in hexadecimal digits.
    sha256: Secret,
}

/// Settings that cannot be meant.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SettingsError {
    #[error("rules[{0}].credentials[{1}]: {2}")]
    Credential(usize, usize, CredentialError),
    #[error("rules[{0}]: {1}")]
    Rule(usize, RuleError),
    #[error(transparent)]
    Check(#[from] BasicError),
}

// === impl Settings ===

impl Settings {
    pub(crate) fn check(self) -> Result<Basic, SettingsError> {
        let rules = self.rules.into_iter().enumerate().map(|(place, rule)| rule.check(place)).collect::<Result<_, _>>()?;
        Ok(Basic::try_new(rules, &self.realm, self.user_header.as_ref().map(HeaderName::as_str))?.forwarding(self.forward))
    }
}

// === impl Rule ===

impl Rule {
    fn check(self, place: usize) -> Result<Covered, SettingsError> {
        let at_rule = |error| SettingsError::Rule(place, error);
        let known = self.credentials.iter().enumerate().map(|(at, credential)| {
            let known = match credential {
                Credential::Text(text) => Known::try_from_text(text),
                Credential::Hashed(hashed) => Known::try_from_hash(&hashed.user, &hashed.sha256),
            };
            known.map_err(|error| SettingsError::Credential(place, at, error))
        });
        let credentials = Credentials::new(known.collect::<Result<_, _>>()?);
        let path = Path::try_new(self.prefix, self.exact, self.suffix).map_err(at_rule)?;
        Covered::try_new(&self.hosts, path, self.methods, credentials).map_err(at_rule)
    }
}

// === impl Credential ===

impl<'de> Deserialize<'de> for Credential {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Form)
    }
}

struct Form;

impl<'de> de::Visitor<'de> for Form {
    type Value = Credential;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"user:password\", base64 of it, or {\"user\": \"…\", \"sha256\": \"…\"}")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Credential, E> {
        Ok(Credential::Text(Secret::new(text)))
    }

    fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Credential, A::Error> {
        Hashed::deserialize(de::value::MapAccessDeserializer::new(map)).map(Credential::Hashed)
    }
}

fn istio() -> String {
    "istio".to_owned()
}
