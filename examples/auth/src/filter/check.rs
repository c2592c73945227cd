use inproxy::{envoy::cel::CelError, prelude::*};

use super::{Asked, ext_authz::ExtAuthz, jwt::Jwt, list::List, metrics::Metrics, rules::Plan};
use crate::{
    checks::{api_key::ApiKey, basic::Basic, denier::Denier},
    config,
    policy::{Edits, Outcome, Verdict},
};

/// A check, and what the operator calls it.
#[derive(Debug)]
pub(crate) struct Check {
    name: String,
    kind: Kind,
    /// Whether requests pass that it can say nothing of.
    fail_open: bool,
}

#[derive(Debug)]
enum Kind {
    Denier(Denier),
    List(Box<List>),
    ApiKey(ApiKey),
    Basic(Basic),
    ExtAuthz(Box<ExtAuthz>),
    Jwt(Box<Jwt>),
}

// === impl Check ===

impl Check {
    pub(crate) fn try_new(name: String, settings: config::Check, plugin: &mut Plugin) -> Result<Self> {
        let fail_open = settings.fails_open();
        let kind = match settings {
            config::Check::Denier(settings) => settings
                .denial()
                .map(|denial| Kind::Denier(Denier::new(denial, settings.valid_duration.get(), settings.valid_use_count)))
                .map_err(|error| Error::msg(format!("checks.{name}.denier.{error}")))?,
            config::Check::List(settings) => Kind::List(Box::new(List::try_new(&name, *settings, plugin)?)),
            config::Check::ApiKey(settings) => {
                settings.into_inner().check().map(Kind::ApiKey).map_err(|error| Error::msg(format!("checks.{name}.api_key.{error}")))?
            }
            config::Check::Basic(settings) => {
                settings.into_inner().check().map(Kind::Basic).map_err(|error| Error::msg(format!("checks.{name}.basic.{error}")))?
            }
            config::Check::ExtAuthz(settings) => ExtAuthz::try_new(*settings, plugin)
                .map(|service| Kind::ExtAuthz(Box::new(service)))
                .map_err(|error| Error::msg(format!("checks.{name}.ext_authz.{error}")))?,
            config::Check::Jwt(settings) => Kind::Jwt(Box::new(Jwt::try_new(&name, settings.get(), plugin)?)),
        };
        Ok(Self { name, kind, fail_open })
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The value of its expression, if it has one.
    pub(crate) fn prepare(&self, request: &Request) -> Option<Result<Vec<u8>, CelError>> {
        match &self.kind {
            Kind::List(list) => list.prepare(request),
            Kind::Denier(_) | Kind::ApiKey(_) | Kind::Basic(_) | Kind::ExtAuthz(_) | Kind::Jwt(_) => None,
        }
    }

    /// The headers in which only this check says something.
    pub(crate) fn reserved(&self) -> Vec<&str> {
        match &self.kind {
            Kind::Denier(_) | Kind::List(_) | Kind::ExtAuthz(_) => Vec::new(),
            Kind::ApiKey(keys) => vec![keys.consumer_header()],
            Kind::Basic(basic) => basic.user_header().into_iter().collect(),
            Kind::Jwt(jwt) => jwt.own_headers().collect(),
        }
    }

    /// How much of a body it needs, in bytes.
    pub(crate) fn needs_of_the_body(&self) -> Option<usize> {
        match &self.kind {
            Kind::Denier(_) | Kind::List(_) | Kind::ApiKey(_) | Kind::Basic(_) | Kind::Jwt(_) => None,
            Kind::ExtAuthz(service) => service.needs_of_the_body(),
        }
    }

    /// What is changed in a request that passes though nobody knows.
    fn edits_of_an_open_failure(&self) -> Edits {
        match &self.kind {
            Kind::Denier(_) | Kind::List(_) | Kind::ApiKey(_) | Kind::Basic(_) | Kind::Jwt(_) => Edits::default(),
            Kind::ExtAuthz(service) => service.edits_of_an_open_failure(),
        }
    }

    /// What it says of a request. What it says no to carries its name, as Mixer's adapters did.
    pub(crate) async fn ask(&self, asked: &Asked<'_>, plan: &Plan<'_>, metrics: &Metrics) -> Outcome {
        let mut outcome: Outcome = match &self.kind {
            Kind::Denier(denier) => Ok(denier.check().0),
            Kind::List(list) => list.check(&self.name, asked, plan.prepared(&self.name)).await,
            Kind::ApiKey(keys) => Ok(keys.check(asked)),
            Kind::Basic(basic) => Ok(basic.check(asked)),
            Kind::ExtAuthz(service) => service.ask(asked, &self.name, metrics).await,
            Kind::Jwt(jwt) => jwt.ask(asked).await,
        };
        if let Ok(Verdict::Deny(denial)) = &mut outcome
            && !denial.message.is_empty()
        {
            denial.message.insert(0, ':');
            denial.message.insert_str(0, &self.name);
        }
        if let Err(undecided) = &outcome {
            log::warn!("{}: {}", self.name, undecided.reason);
        }
        metrics.check(&self.name, &outcome, self.fail_open);
        outcome.or_else(|undecided| if self.fail_open { Ok(Verdict::Allow(self.edits_of_an_open_failure())) } else { Err(undecided) })
    }
}
