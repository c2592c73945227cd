//! The filter: between the proxy and the checks.

mod asked;
mod check;
mod edits;
mod ext_authz;
mod jwt;
mod list;
mod metrics;
mod reply;
mod rules;

use inproxy::prelude::*;

use self::{
    asked::{Asked, Body},
    check::Check,
    metrics::Metrics,
    rules::{Plan, Rule, Unclear},
};
use crate::{
    config::{Settings, Unmatched},
    policy::{Code, Denial, Edit, Edits, Outcome, Undecided, Verdict},
};

/// Lets a request pass if the checks that it needs say so.
#[filter]
#[derive(Debug)]
pub struct Auth {
    checks: Vec<Check>,
    rules: Vec<Rule>,
    unmatched: Unmatched,
    shadow: bool,
    /// Headers in which only checks say something, and no client.
    reserved: Vec<Edit>,
    metrics: Metrics,
}

impl Configure for Auth {
    type Config = Settings;

    fn configure(settings: Settings, plugin: &mut Plugin) -> Result<Self> {
        let names: Vec<String> = settings.checks.keys().cloned().collect();
        let checks = settings.checks.into_iter().map(|(name, check)| Check::try_new(name, check, plugin)).collect::<Result<Vec<_>>>()?;
        let rules = settings.rules.into_iter().enumerate().map(|(place, rule)| Rule::try_new(place, rule, &names)).collect::<Result<_, _>>()?;
        let reserved = checks.iter().flat_map(Check::reserved).map(|name| Edit::Remove(name.to_owned())).collect();
        Ok(Self { checks, rules, unmatched: settings.unmatched, shadow: settings.shadow, reserved, metrics: Metrics::new(plugin)? })
    }
}

impl HttpFilter for Auth {
    async fn handle(&self, mut request: Request, next: Next) -> Result<Response> {
        // Whoever is asked sees of them what no client has written; also when other checks let the request pass than those that write there.
        edits::change(request.headers_mut(), &self.reserved)?;
        // Expressions can be evaluated now, and not after somebody was asked.
        let plan = match Plan::of(&self.rules, &self.checks, &request) {
            Ok(plan) => plan,
            Err(unclear) if self.shadow => {
                self.pass_unclear(&unclear);
                return Ok(next.run(request).await);
            }
            Err(unclear) => return Err(unclear.error),
        };
        let body = match plan.body {
            Some(limit) => Some(request.peek_body(limit).await),
            None => None,
        };
        self.guard(request, body.as_ref(), &plan, next).await
    }
}

impl Auth {
    async fn guard(&self, mut request: Request, body: Body<'_>, plan: &Plan<'_>, next: Next) -> Result<Response> {
        for rule in &plan.shadows {
            let outcome = self.ask(rule, plan, &request, body).await;
            self.metrics.shadow(rule.name(), &outcome);
        }
        let outcome = match plan.rule {
            Some(rule) => self.ask(rule, plan, &request, body).await,
            None if self.unmatched == Unmatched::Allow => Ok(Verdict::allow()),
            None => Ok(Verdict::deny(Code::PERMISSION_DENIED, "no rule is for this request")),
        };
        if self.shadow {
            self.metrics.shadow(plan.rule.map_or("unmatched", Rule::name), &outcome);
        } else {
            self.metrics.request(&outcome);
        }
        let edits = match outcome {
            Ok(Verdict::Allow(edits)) => edits,
            _ if self.shadow => Edits::default(),
            Ok(Verdict::Deny(denial)) => return reply::denied(&denial, plan.is_grpc, "auth_denied"),
            Err(undecided) => return reply::denied(&undecided.denial, plan.is_grpc, "auth_undecided"),
        };
        for (name, value) in &edits.filter_state {
            request.attributes().filter_state().set(name, value)?;
        }
        edits::change(request.headers_mut(), &edits.request)?;
        let mut response = next.run(request).await;
        edits::change(response.headers_mut(), &edits.response)?;
        Ok(response)
    }

    /// Asks the checks that a rule needs.
    async fn ask(&self, rule: &Rule, plan: &Plan<'_>, request: &Request, body: Body<'_>) -> Outcome {
        let asked = Asked { headers: request.headers(), attributes: request.attributes(), body };
        let ask = async |place: usize| match self.checks.get(place) {
            Some(check) => check.ask(&asked, plan, &self.metrics).await,
            None => Ok(Verdict::Deny(Denial::new(Code::INTERNAL, ""))),
        };
        rule.require().ask(&ask).await
    }

    /// Nothing is refused, also if nobody knows which rule a request needs.
    fn pass_unclear(&self, unclear: &Unclear<'_>) {
        log::warn!("{:#}", unclear.error);
        self.metrics.shadow(unclear.rule.name(), &Err(Undecided::new("")));
    }
}
