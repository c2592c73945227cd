use inproxy::prelude::*;

use super::{Asked, metrics::Metrics, rules::Plan};
use crate::{
    checks::{api_key::ApiKey, basic::Basic, denier::Denier},
    config,
    policy::{Outcome, Verdict},
};

/// A check, and what the operator calls it.
#[derive(Debug)]
pub(crate) struct Check {
    name: String,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Denier(Denier),
    ApiKey(ApiKey),
    Basic(Basic),
}

// === impl Check ===

impl Check {
    pub(crate) fn try_new(name: String, settings: config::Check, _plugin: &mut Plugin) -> Result<Self> {
        let kind = match settings {
            config::Check::Denier(settings) => settings
                .denial()
                .map(|denial| Kind::Denier(Denier::new(denial, settings.valid_duration.get(), settings.valid_use_count)))
                .map_err(|error| Error::msg(format!("checks.{name}.denier.{error}")))?,
            config::Check::ApiKey(settings) => {
                settings.into_inner().check().map(Kind::ApiKey).map_err(|error| Error::msg(format!("checks.{name}.api_key.{error}")))?
            }
            config::Check::Basic(settings) => {
                settings.into_inner().check().map(Kind::Basic).map_err(|error| Error::msg(format!("checks.{name}.basic.{error}")))?
            }
        };
        Ok(Self { name, kind })
    }

    /// The header in which only this check says something.
    pub(crate) fn reserved(&self) -> Option<&str> {
        match &self.kind {
            Kind::Denier(_) => None,
            Kind::ApiKey(keys) => Some(keys.consumer_header()),
            Kind::Basic(basic) => basic.user_header(),
        }
    }

    /// What it says of a request. What it says no to carries its name, as Mixer's adapters did.
    pub(crate) async fn ask(&self, asked: &Asked<'_>, plan: &Plan<'_>, metrics: &Metrics) -> Outcome {
        let mut outcome: Outcome = match &self.kind {
            Kind::Denier(denier) => Ok(denier.check().0),
            Kind::ApiKey(keys) => Ok(keys.check(asked)),
            Kind::Basic(basic) => Ok(basic.check(asked)),
        };
        let _ = plan;
        if let Ok(Verdict::Deny(denial)) = &mut outcome {
            if !denial.message.is_empty() {
                denial.message.insert(0, ':');
                denial.message.insert_str(0, &self.name);
            }
        }
        if let Err(undecided) = &outcome {
            log::warn!("{}: {}", self.name, undecided.reason);
        }
        metrics.check(&self.name, &outcome);
        outcome
    }
}
