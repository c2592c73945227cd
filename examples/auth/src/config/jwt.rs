use std::collections::BTreeMap;

use inproxy::{config::Duration, prelude::*};

use super::source::{Source, SourceError};
use crate::{
    checks::jwt::{
        Jwt, Lenience,
        algorithm::{Algorithm, AlgorithmError},
        claims::Expected,
        export::Export,
        freshness::Policy,
        key_set::{KeySet, KeySetError},
        object::Object,
        verifier::Verifier,
    },
    policy::{Challenge, RealmError},
};

/// Whose tokens pass, and who is told what is in them.
#[config(schema)]
#[derive(Debug)]
pub(crate) struct Settings {
    /// Who has issued the tokens: their `iss`, exactly. If it is not there, whoever has a key of `jwks`.
    issuer: Option<String>,
    /// A token must be for one of these: its `aud`. If there is none, for anybody.
    #[serde(default)]
    audiences: Vec<String>,
    /// A token must be about one of these: its `sub`. If there is none, about anybody.
    #[serde(default)]
    subjects: Vec<String>,
    /// Which algorithms tokens may be signed with, such as `RS256`; all that this build has, if there is none.
    #[serde(default)]
    algorithms: Vec<String>,
    /// The `typ` that tokens must have, such as `at+jwt`; any or none, if there is none here.
    #[serde(default)]
    types: Vec<String>,
    /// The issuer's keys.
    pub(crate) jwks: Jwks,
    /// Where a token may be.
    #[serde(default = "usual_sources")]
    sources: Vec<Source>,
    /// A token must say when it expires.
    #[serde(default = "yes")]
    require_expiration: bool,
    /// A token must expire within this time.
    max_lifetime: Option<Duration>,
    /// How much the issuer's clock and ours may differ.
    #[serde(default = "a_minute")]
    clock_skew: Duration,
    /// Longer tokens are refused.
    #[serde(default = "eight_kibibytes")]
    max_token_bytes: usize,
    /// The upstream gets the token too.
    #[serde(default)]
    forward: bool,
    /// Claims that the upstream gets, and the request headers in which it does. The name of a claim may be a path, such as `realm.roles`. What the client says in these headers is removed, from every request.
    #[serde(default)]
    claims_to_headers: BTreeMap<String, HeaderName>,
    /// Claims that other filters get, and the names of the filter state in which they do.
    #[serde(default)]
    claims_to_filter_state: BTreeMap<String, String>,
    /// The request header in which the upstream gets all claims, in base64.
    payload_header: Option<HeaderName>,
    /// What `www-authenticate` names as the realm.
    realm: Option<String>,
    /// Requests without a token pass.
    #[serde(default)]
    allow_missing: bool,
    /// Requests pass, whatever token they have: a good one tells the upstream who they are of.
    #[serde(default)]
    allow_missing_or_failed: bool,
    /// Requests pass by which browsers ask whether they may send another one.
    #[serde(default)]
    bypass_cors_preflight: bool,
    /// Requests pass whose token cannot be checked, since there are no keys.
    #[serde(default)]
    pub(crate) fail_open: bool,
}

/// A set of keys, as JSON: here, or from a service.
#[config(schema)]
#[derive(Debug)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Jwks {
    /// The set itself.
    Inline(Object),
    /// Who has it.
    Remote(Remote),
}

/// A service that has a set of keys.
#[config(schema)]
#[derive(Clone, Debug)]
pub(crate) struct Remote {
    /// The cluster of the service.
    pub(crate) cluster: Cluster,
    /// The path of the set.
    pub(crate) path: String,
    /// Its `:authority`; the cluster's name, if it is not there.
    pub(crate) authority: Option<String>,
    /// How long an answer may take.
    #[serde(default = "a_second")]
    pub(crate) timeout: Duration,
    /// Larger sets are refused.
    #[serde(default = "sixty_four_kibibytes")]
    pub(crate) max_bytes: usize,
    /// Whether it is fetched at the start, and not when the first token comes.
    #[serde(default = "yes")]
    pub(crate) prefetch: bool,
    /// How long a set is good.
    #[serde(default = "ten_minutes")]
    cache_duration: Duration,
    /// How much longer it is used while no newer one can be fetched.
    #[serde(default = "an_hour")]
    max_stale: Duration,
    /// The pause after a fetch that failed.
    #[serde(default = "a_second")]
    failed_refetch: Duration,
    /// The pause between two fetches for tokens whose keys are not in the set. New keys are found sooner with a short one; and anybody can have a fetch made by such a token.
    #[serde(default = "five_seconds")]
    unknown_key_cooldown: Duration,
}

/// Settings that cannot be meant.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SettingsError {
    #[error("sources: a token must be somewhere: name a header, a query parameter or a cookie")]
    NoSource,
    #[error("sources[{0}].{1}")]
    Source(usize, SourceError),
    #[error("algorithms[{0}]: {1}")]
    Algorithm(usize, AlgorithmError),
    #[error("jwks.inline: {0}")]
    KeySet(#[from] KeySetError),
    #[error("jwks.inline.keys[{0}]: {1}")]
    Key(usize, String),
    #[error("jwks.remote.path: {0:?} is no path: it begins with a slash")]
    Path(String),
    #[error("jwks.remote.{0}: a pause of nothing would have the service asked without end")]
    NoPause(&'static str),
    #[error("{0}: {1} is no header for claims")]
    Header(&'static str, String),
    #[error(transparent)]
    Realm(#[from] RealmError),
}

// === impl Settings ===

impl Settings {
    /// The check, without its keys.
    pub(crate) fn check(&self) -> Result<Jwt, SettingsError> {
        if self.sources.is_empty() {
            return Err(SettingsError::NoSource);
        }
        let source = |(place, source): (usize, &Source)| source.clone().try_into_policy().map_err(|error| SettingsError::Source(place, error));
        let algorithm = |(place, name): (usize, &String)| name.parse().map_err(|error| SettingsError::Algorithm(place, error));
        let algorithms: Vec<Algorithm> = self.algorithms.iter().enumerate().map(algorithm).collect::<Result<_, _>>()?;
        let lenience = match (self.allow_missing, self.allow_missing_or_failed) {
            (_, true) => Lenience::MissingOrFailed,
            (true, false) => Lenience::Missing,
            (false, false) => Lenience::Nothing,
        };
        Ok(Jwt {
            sources: self.sources.iter().enumerate().map(source).collect::<Result<_, _>>()?,
            verifier: Verifier {
                algorithms: if algorithms.is_empty() { Algorithm::all() } else { algorithms },
                types: self.types.clone(),
                expected: self.expected(),
                max_token_bytes: self.max_token_bytes,
            },
            export: self.export()?,
            forward: self.forward,
            challenge: Challenge::try_new("Bearer", self.realm.as_deref())?,
            lenience,
            bypass_cors_preflight: self.bypass_cors_preflight,
        })
    }

    fn expected(&self) -> Expected {
        Expected {
            issuer: self.issuer.clone(),
            audiences: self.audiences.clone(),
            subjects: self.subjects.clone(),
            require_expiration: self.require_expiration,
            max_lifetime: self.max_lifetime.map(Duration::get),
            clock_skew: self.clock_skew.get(),
        }
    }

    fn export(&self) -> Result<Export, SettingsError> {
        let claims = self.claims_to_headers.iter().map(|(path, name)| own_header("claims_to_headers", name).map(|name| (path.clone(), name)));
        let payload_header = self.payload_header.as_ref().map(|name| own_header("payload_header", name)).transpose()?;
        let filter_state = self.claims_to_filter_state.iter().map(|(path, name)| (path.clone(), name.clone()));
        Ok(Export { headers: claims.collect::<Result<_, _>>()?, filter_state: filter_state.collect(), payload_header })
    }
}

// === impl SettingsError ===

impl SettingsError {
    /// With the name of the check.
    pub(crate) fn of(self, name: &str) -> Error {
        Error::msg(format!("checks.{name}.jwt.{self}"))
    }
}

// === impl Jwks ===

impl Jwks {
    /// The keys of a set that is here. One that is out of order is a mistake, one that is for something else is not.
    pub(crate) fn inline(set: &Object) -> Result<KeySet, SettingsError> {
        let keys = KeySet::try_new(set)?;
        match keys.left_out.iter().find(|(_, fault)| fault.is_mistake()) {
            Some((place, fault)) => Err(SettingsError::Key(*place, fault.to_string())),
            None => Ok(keys),
        }
    }
}

// === impl Remote ===

impl Remote {
    pub(crate) fn policy(&self) -> Result<Policy, SettingsError> {
        if !self.path.starts_with('/') {
            return Err(SettingsError::Path(self.path.clone()));
        }
        for (name, pause) in [("failed_refetch", self.failed_refetch), ("unknown_key_cooldown", self.unknown_key_cooldown)] {
            if pause.get().is_zero() {
                return Err(SettingsError::NoPause(name));
            }
        }
        Ok(Policy {
            cache_duration: self.cache_duration.get(),
            max_stale: self.max_stale.get(),
            failed_refetch: self.failed_refetch.get(),
            unknown_key_cooldown: self.unknown_key_cooldown.get(),
        })
    }
}

fn own_header(setting: &'static str, name: &HeaderName) -> Result<String, SettingsError> {
    let name = name.as_str();
    if name.starts_with(':') || matches!(name, "host" | "content-length" | "transfer-encoding" | "connection" | "upgrade" | "te") {
        return Err(SettingsError::Header(setting, name.to_owned()));
    }
    Ok(name.to_owned())
}

/// As Envoy's filter: `Authorization: Bearer …`, then the parameter `access_token`.
fn usual_sources() -> Vec<Source> {
    vec![Source::header_with_prefix(HeaderName::from_static("authorization"), "Bearer "), Source::query("access_token")]
}

fn yes() -> bool {
    true
}

fn a_second() -> Duration {
    Duration::from_secs(1)
}

fn five_seconds() -> Duration {
    Duration::from_secs(5)
}

fn a_minute() -> Duration {
    Duration::from_secs(60)
}

fn ten_minutes() -> Duration {
    Duration::from_secs(600)
}

fn an_hour() -> Duration {
    Duration::from_secs(3600)
}

fn eight_kibibytes() -> usize {
    8 * 1024
}

fn sixty_four_kibibytes() -> usize {
    64 * 1024
}
