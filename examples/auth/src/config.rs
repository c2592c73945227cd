//! What the operator writes.

pub(crate) mod api_key;
pub(crate) mod basic;
pub(crate) mod denier;
pub(crate) mod ext_authz;
mod hushed;
pub(crate) mod jwt;
pub(crate) mod list;
#[cfg(not(target_family = "wasm"))]
mod schema;
mod secret;
pub(crate) mod source;

use std::collections::BTreeMap;

use inproxy::{config::Match, envoy::cel::Expression, prelude::*};

use self::hushed::Hushed;
use crate::policy::Requirement;

/// The filter's configuration: checks by name, and which requests need which of them.
#[config(schema)]
#[derive(Debug, Default)]
pub struct Settings {
    /// The checks, by names of the operator's choice.
    #[serde(default)]
    pub(crate) checks: BTreeMap<String, Check>,
    /// The first rule that matches a request counts.
    #[serde(default)]
    pub(crate) rules: Vec<Rule>,
    /// What becomes of a request that no rule matches.
    #[serde(default)]
    pub(crate) unmatched: Unmatched,
    /// Nothing is refused: what would be is counted and logged.
    #[serde(default)]
    pub(crate) shadow: bool,
}

/// A check of one kind.
#[config(schema)]
#[derive(Debug)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Check {
    /// It always says no.
    Denier(denier::Settings),
    /// It looks something up in a list.
    List(Box<list::Settings>),
    /// It wants a key that belongs to a consumer.
    ApiKey(Hushed<api_key::Settings>),
    /// It wants a user name and a password.
    Basic(Hushed<basic::Settings>),
    /// It asks a service.
    ExtAuthz(Box<ext_authz::Settings>),
    /// It wants a token of an issuer.
    Jwt(Box<Hushed<jwt::Settings>>),
}

/// Which requests need which checks.
#[config(schema)]
#[derive(Debug)]
pub(crate) struct Rule {
    /// What logs and metrics call it.
    #[serde(default)]
    pub(crate) name: String,
    /// Which requests it is for, by host, route, method and path; all, if it is not there.
    pub(crate) r#match: Option<Match>,
    /// Which of these, by an expression in CEL. One that cannot be evaluated refuses the request: ask whether a header is there before asking for its value.
    pub(crate) when: Option<Expression>,
    /// What they need; an empty list lets them pass.
    pub(crate) require: Requirement<String>,
    /// It refuses nothing, and the next rules are looked at too.
    #[serde(default)]
    pub(crate) shadow: bool,
}

/// What becomes of a request that no rule matches.
#[config(schema)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Unmatched {
    /// It is refused.
    #[default]
    Deny,
    /// It passes.
    Allow,
}

// === impl Check ===

impl Check {
    /// Whether requests pass that it can say nothing of.
    pub(crate) fn fails_open(&self) -> bool {
        match self {
            Self::Denier(_) | Self::ApiKey(_) | Self::Basic(_) => false,
            Self::List(settings) => settings.fail_open,
            Self::ExtAuthz(settings) => settings.fail_open,
            Self::Jwt(settings) => settings.get().fail_open,
        }
    }
}
