//! The filter: between the proxy and what counts.

mod answer;
mod count;
mod limit;
mod metrics;
mod stored;

use inproxy::{prelude::*, time};

use self::{
    answer::Answers,
    limit::{Counted, Limit},
    metrics::{Metrics, Said},
};
use crate::{config::Settings, decision::Decision};

/// Lets so many requests pass, and no more.
#[filter]
#[derive(Debug)]
pub struct RateLimit {
    limits: Vec<Limit>,
    answers: Answers,
    metrics: Metrics,
}

impl Configure for RateLimit {
    type Config = Settings;

    fn configure(settings: Settings, plugin: &mut Plugin) -> Result<Self> {
        let answers = Answers::try_new(&settings)?;
        let mut limits = Vec::<Limit>::new();
        for (place, limit) in settings.limits.into_iter().enumerate() {
            let limit = Limit::try_new(limit).map_err(|error| error.context(format!("limits[{place}]")))?;
            if limits.iter().any(|other| other.name() == limit.name()) {
                return Err(Error::msg(format!("limits[{place}].name: there is another limit {:?}: each has its own counts", limit.name())));
            }
            limits.push(limit);
        }
        Ok(Self { limits, answers, metrics: Metrics::new(plugin)? })
    }
}

impl HttpFilter for RateLimit {
    async fn handle(&self, request: Request, next: Next) -> Result<Response> {
        // Expressions can be evaluated now, and not after somebody was asked.
        let asked: Vec<_> = self.limits.iter().filter_map(|limit| limit.ask(&request).transpose().map(|ask| (limit, ask))).collect();
        let (mut tightest, mut in_use) = (None::<Decision>, Vec::new());
        let now = time::now()?;
        for (limit, ask) in asked {
            let outcome = ask.and_then(|ask| limit.count(&ask, now));
            let decision = match outcome {
                Ok(Counted { decision, in_use: used }) => {
                    in_use.extend(used);
                    decision
                }
                Err(error) => {
                    log::warn!("{}: {error:#}", limit.name());
                    self.metrics.count(limit.name(), if limit.fails_open() { Said::UndecidedAllowed } else { Said::Undecided });
                    if limit.fails_open() {
                        continue;
                    }
                    return self.answers.undecided(&request);
                }
            };
            if !decision.granted && !limit.enforces() {
                self.metrics.count(limit.name(), Said::ShadowLimited);
                continue;
            }
            self.metrics.count(limit.name(), if decision.granted { Said::Granted } else { Said::Limited });
            if !decision.granted {
                return self.answers.limited(&request, &decision);
            }
            tightest = Some(decision.tighter(tightest));
        }
        let mut response = next.run(request).await;
        if let Some(decision) = tightest {
            self.answers.tell(&mut response, &decision)?;
        }
        drop(in_use);
        Ok(response)
    }
}
