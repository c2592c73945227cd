//! The filter: between the proxy and what counts.

mod answer;
mod count;
mod limit;
mod metrics;
mod stored;

use inproxy::{prelude::*, time};

use self::{
    answer::Answers,
    count::{Counted, InUse},
    limit::{Ask, Limit},
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

/// What the limits have said that have let a request pass.
#[derive(Debug, Default)]
struct Passed {
    tightest: Option<Decision>,
    response_headers: Vec<(String, String)>,
    /// Given back when the request is over.
    in_use: Vec<InUse>,
}

// === impl RateLimit ===

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
    async fn handle(&self, mut request: Request, next: Next) -> Result<Response> {
        // Expressions can be evaluated now, and not after somebody was asked.
        let asked: Vec<_> = self.limits.iter().filter_map(|limit| limit.ask(&request).transpose().map(|ask| (limit, ask))).collect();
        let mut passed = Passed::default();
        for (limit, ask) in asked {
            match self.ask(limit, ask, &mut request).await {
                Ok(counted) if counted.granted => {
                    self.metrics.count(limit.name(), Said::Granted);
                    passed.add(counted);
                }
                Ok(_) if !limit.enforces() => self.metrics.count(limit.name(), Said::ShadowLimited),
                Ok(counted) => {
                    self.metrics.count(limit.name(), Said::Limited);
                    return Ok(self.answers.limited(&request, &counted));
                }
                Err(error) if limit.fails_open() || !limit.enforces() => {
                    self.metrics.count(limit.name(), Said::UndecidedAllowed);
                    log::warn!("{}, which lets the request pass: {error:#}", limit.name());
                }
                Err(error) => {
                    self.metrics.count(limit.name(), Said::Undecided);
                    log::warn!("{}: {error:#}", limit.name());
                    return Ok(self.answers.undecided(&request));
                }
            }
        }
        let mut response = next.run(request).await;
        self.answers.tell(&mut response, passed.tightest.as_ref(), &passed.response_headers);
        Ok(response)
    }
}

impl RateLimit {
    /// What a limit says. What it wants the upstream to be told is part of that: without it the limit has not decided.
    async fn ask(&self, limit: &Limit, ask: Result<Ask>, request: &mut Request) -> Result<Counted> {
        let counted = limit.count(&ask?, time::now()?).await?;
        if counted.granted {
            for (name, value) in &counted.request_headers {
                request.headers_mut().append(name.as_str(), value.as_str())?;
            }
        }
        Ok(counted)
    }
}

// === impl Passed ===

impl Passed {
    fn add(&mut self, counted: Counted) {
        if let Some(decision) = counted.decision {
            self.tightest = Some(decision.tighter(self.tightest));
        }
        self.response_headers.extend(counted.response_headers);
        self.in_use.extend(counted.in_use);
    }
}
