use inproxy::{
    config::Match,
    envoy::cel::{CelError, Expression},
    prelude::*,
};

use super::Check;
use crate::{config, policy::Requirement};

/// Which requests need which checks, by their places.
#[derive(Debug)]
pub(crate) struct Rule {
    name: String,
    matches: Option<Match>,
    when: Option<Expression>,
    require: Requirement<usize>,
    shadow: bool,
}

/// What is to be done about one request: all that must be known before the first wait.
#[derive(Debug)]
pub(crate) struct Plan<'a> {
    /// The rule that counts.
    pub(crate) rule: Option<&'a Rule>,
    /// Rules that only watch.
    pub(crate) shadows: Vec<&'a Rule>,
    pub(crate) is_grpc: bool,
    /// The values of expressions, by the names of their checks.
    prepared: Vec<(&'a str, Result<Vec<u8>, CelError>)>,
    /// So much of the body is to be read first: what these rules' checks need.
    pub(crate) body: Option<usize>,
}

/// Nobody knows whether a rule is for a request.
#[derive(Debug)]
pub(crate) struct Unclear<'a> {
    pub(crate) rule: &'a Rule,
    pub(crate) error: Error,
}

// === impl Rule ===

impl Rule {
    pub(crate) fn try_new(place: usize, rule: config::Rule, checks: &[String]) -> Result<Self> {
        let require = rule.require.resolve(checks).map_err(|error| Error::msg(format!("rules[{place}].require: {error}")))?;
        let name = if rule.name.is_empty() { format!("rules[{place}]") } else { rule.name };
        Ok(Self { name, matches: rule.r#match, when: rule.when, require, shadow: rule.shadow })
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn require(&self) -> &Requirement<usize> {
        &self.require
    }

    fn takes(&self, request: &Request) -> Result<bool> {
        if let Some(matches) = &self.matches
            && !matches.takes(request)?
        {
            return Ok(false);
        }
        let Some(when) = &self.when else { return Ok(true) };
        when.evaluate_bool(request).map_err(|error| Error::new(error).context(format!("{}.when", self.name)))
    }
}

// === impl Plan ===

impl<'a> Plan<'a> {
    /// Which rules are for a request.
    ///
    /// # Errors
    ///
    /// An expression that cannot be evaluated: nobody knows whether its rule is for this request.
    pub(crate) fn of(rules: &'a [Rule], checks: &'a [Check], request: &Request) -> Result<Self, Unclear<'a>> {
        let is_grpc = request.headers().get("content-type").is_some_and(|kind| kind.as_bytes().starts_with(b"application/grpc"));
        let mut plan = Self { rule: None, shadows: Vec::new(), is_grpc, prepared: Vec::new(), body: None };
        for rule in rules {
            if rule.shadow {
                // It must not harm, also if it cannot be evaluated.
                match rule.takes(request) {
                    Ok(true) => plan.shadows.push(rule),
                    Ok(false) => {}
                    Err(error) => log::warn!("{error:#}"),
                }
            } else if rule.takes(request).map_err(|error| Unclear { rule, error })? {
                plan.rule = Some(rule);
                break;
            }
        }
        for rule in plan.rule.iter().chain(&plan.shadows) {
            for check in rule.require.checks().into_iter().filter_map(|place| checks.get(*place)) {
                if plan.prepared(check.name()).is_none() {
                    plan.prepared.extend(check.prepare(request).map(|value| (check.name(), value)));
                }
            }
        }
        if request.has_body() && !is_upgrade(request) {
            let asked = plan.shadows.iter().copied().chain(plan.rule).flat_map(|rule| rule.require.checks());
            plan.body = asked.filter_map(|place| checks.get(*place)?.needs_of_the_body()).max();
        }
        Ok(plan)
    }

    /// The value of a check's expression.
    pub(crate) fn prepared(&self, check: &str) -> Option<&Result<Vec<u8>, CelError>> {
        self.prepared.iter().find(|(name, _)| *name == check).map(|(_, value)| value)
    }
}

/// Whether the connection is to become one of another protocol: what follows is no body, and the client waits for the response before it sends it.
fn is_upgrade(request: &Request) -> bool {
    let headers = request.headers();
    let upgrades = headers.get("connection").is_some_and(|value| value.to_string_lossy().to_ascii_lowercase().contains("upgrade"));
    upgrades && headers.contains("upgrade")
}
