//! Lists: what is looked up of a request, and decisions that are kept.

mod fetched;

use std::{
    rc::Rc,
    time::{Duration, SystemTime},
};

use inproxy::{
    attributes::{AttributeError, Optional},
    cache::Cache,
    envoy::cel::CelError,
    metrics::{Counter, Family},
    prelude::*,
    time::Instant,
};

use self::fetched::Fetched;
use super::Asked;
use crate::{
    checks::list::{Entries, Judge, Value},
    config::list::{EntryType, Lookup, Settings},
    policy::{Kept, Outcome, Undecided},
};

/// A list, and what has been decided by it.
#[derive(Debug)]
pub(crate) struct List {
    lookup: Lookup,
    judge: Judge,
    entries: Held,
    decisions: Option<Decisions>,
}

#[derive(Debug)]
enum Held {
    /// In the configuration.
    Here(Entries),
    /// From a service.
    Fetched(Rc<Fetched>),
}

/// Decisions that hold for a while, whatever becomes of the list.
#[derive(Debug)]
struct Decisions {
    kept: Cache<Value, Rc<Kept>>,
    began: Instant,
    hits: Family<Counter, 1>,
}

/// As many as Mixer's client kept.
const MOST_DECISIONS: usize = 10_000;

/// Clients choose what is looked up: of long values none is kept.
const LONGEST_KEPT: usize = 128;

// === impl List ===

impl List {
    pub(crate) fn try_new(name: &str, settings: Settings, plugin: &mut Plugin) -> Result<Self> {
        let here = settings.validate().map_err(|error| Error::msg(format!("checks.{name}.list.{error}")))?;
        let judge = Judge::new(settings.blacklist, settings.caching_interval.get(), settings.caching_use_count);
        // What never changes needs nothing to hold it, and is found as soon as a decision about it; but patterns are tried one after the other.
        let changes = settings.provider.is_some() || settings.entry_type == EntryType::Regex;
        let keeps = changes && settings.caching_use_count > 0 && !settings.caching_interval.get().is_zero();
        let decisions = if keeps { Some(Decisions::try_new(plugin)?) } else { None };
        let entries = match &settings.provider {
            Some(provider) => Held::Fetched(Fetched::begin(name, provider.clone(), &settings, plugin)?),
            None => Held::Here(here),
        };
        Ok(Self { lookup: settings.value, judge, entries, decisions })
    }

    /// The value of an expression, which is evaluated before the first wait.
    pub(crate) fn prepare(&self, request: &Request) -> Option<Result<Vec<u8>, CelError>> {
        match &self.lookup {
            Lookup::Expression(expression) | Lookup::AddressExpression(expression) => Some(expression.evaluate_bytes(request)),
            Lookup::SourceAddress | Lookup::Principal | Lookup::Header(_) => None,
        }
    }

    /// What it says of a request; `prepared` is what [`prepare`](Self::prepare) has said.
    pub(crate) async fn check(&self, name: &str, asked: &Asked<'_>, prepared: Option<&Result<Vec<u8>, CelError>>) -> Outcome {
        let value = self.value(asked, prepared)?;
        if let Some(verdict) = self.decisions.as_ref().and_then(|decisions| decisions.find(name, &value)) {
            return Ok(verdict);
        }
        let verdict = match &self.entries {
            Held::Here(entries) => self.judge.judge(entries, &value),
            Held::Fetched(fetched) => fetched.with(|entries| self.judge.judge(entries, &value)).await?,
        };
        if let Some(decisions) = &self.decisions {
            let validity = self.judge.validity();
            decisions.keep(value, Kept::new(verdict.clone(), validity.uses), validity.duration);
        }
        Ok(verdict)
    }

    fn value(&self, asked: &Asked<'_>, prepared: Option<&Result<Vec<u8>, CelError>>) -> Result<Value, Undecided> {
        let none = |error: AttributeError| Undecided::new(format!("there is nothing to look up: {error}"));
        match &self.lookup {
            Lookup::SourceAddress => Ok(asked.attributes.source().address().map_err(none)?.ip().into()),
            Lookup::Principal => {
                let name = asked.attributes.connection().peer_certificate().uri_san().optional().map_err(none)?;
                Ok(Value::Text(name.unwrap_or_default()))
            }
            Lookup::Header(name) => Ok(Value::only(asked.headers.get_all(name))),
            Lookup::Expression(_) | Lookup::AddressExpression(_) => match prepared {
                Some(Ok(bytes)) if matches!(self.lookup, Lookup::AddressExpression(_)) => Ok(Value::address(bytes)),
                Some(Ok(bytes)) => Ok(Value::text(bytes)),
                Some(Err(error)) => Err(Undecided::new(format!("there is nothing to look up: {error}"))),
                None => Err(Undecided::new("there is nothing to look up: the expression was not evaluated")),
            },
        }
    }
}

// === impl Decisions ===

impl Decisions {
    fn try_new(plugin: &mut Plugin) -> Result<Self> {
        Ok(Self { kept: Cache::new(MOST_DECISIONS), began: Instant::now(), hits: plugin.counter_family("auth.cache_hits", ["check"])? })
    }

    fn find(&self, name: &str, value: &Value) -> Option<crate::policy::Verdict> {
        let verdict = self.kept.get(value, self.now())?.take().cloned()?;
        self.hits.with([name]).increment();
        Some(verdict)
    }

    fn keep(&self, value: Value, decision: Kept, duration: Duration) {
        if value.len() <= LONGEST_KEPT {
            self.kept.insert(value, Rc::new(decision), duration, self.now());
        }
    }

    /// On the clock that only goes forward.
    fn now(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + self.began.elapsed()
    }
}
