use std::time::SystemTime;

use inproxy::{attributes::Optional, config::Match, envoy::cel::Expression, prelude::*, random};

use super::count::{Count, Counted};
use crate::{
    config::{self, dimension::Source, global::Entry},
    global::Descriptor,
    quota::{Dimensions, Value},
};

/// A limit: which requests it is for, and who counts them.
#[derive(Debug)]
pub(crate) struct Limit {
    name: String,
    matches: Option<Match>,
    when: Option<Expression>,
    dimensions: Vec<(String, Source)>,
    amount: Option<Expression>,
    count: Count,
    fail_open: bool,
    enforced_percent: u64,
}

/// What a request asks of a limit.
#[derive(Debug)]
pub(crate) struct Ask {
    pub(crate) dimensions: Dimensions,
    /// For a service that counts.
    pub(crate) descriptors: Vec<Descriptor>,
    pub(crate) amount: u64,
    /// By which it is known again when it is sent once more.
    pub(crate) id: Option<HeaderValue>,
}

// === impl Limit ===

impl Limit {
    pub(crate) fn try_new(mut limit: config::Limit) -> Result<Self> {
        if limit.name.is_empty() || limit.name.len() > 64 {
            return Err(Error::msg("name: must have 1 to 64 bytes"));
        }
        if limit.enforced_percent > 100 {
            return Err(Error::msg(format!("enforced_percent: {} of a hundred: write 0 to 100", limit.enforced_percent)));
        }
        Ok(Self {
            count: Count::try_new(&mut limit)?,
            name: limit.name,
            matches: limit.r#match,
            when: limit.when,
            dimensions: limit.dimensions.into_iter().collect(),
            amount: limit.amount,
            fail_open: limit.fail_open,
            enforced_percent: if limit.shadow { 0 } else { limit.enforced_percent.into() },
        })
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn fails_open(&self) -> bool {
        self.fail_open
    }

    /// Whether what it refuses is refused: by chance, if it is to be only some.
    pub(crate) fn enforces(&self) -> bool {
        self.enforced_percent >= 100 || random::number() % 100 < self.enforced_percent
    }

    /// What a request asks of it; `None` if the limit is not for this request.
    pub(crate) fn ask(&self, request: &Request) -> Result<Option<Ask>> {
        if let Some(matches) = &self.matches
            && !matches.takes(request)?
        {
            return Ok(None);
        }
        if let Some(when) = &self.when
            && !when.evaluate_bool(request)?
        {
            return Ok(None);
        }
        let amount = match &self.amount {
            None => 1,
            Some(amount) => {
                let amount = amount.evaluate_int(request)?;
                amount.try_into().map_err(|_| Error::msg(format!("the amount of a request is {amount}, which is below zero")))?
            }
        };
        let mut dimensions = Dimensions::new();
        for (name, source) in &self.dimensions {
            if let Some(value) = value(source, request)? {
                dimensions.insert(name.clone(), value);
            }
        }
        let descriptors =
            self.count.descriptors().iter().filter_map(|entries| descriptor(entries, request).transpose()).collect::<Result<Vec<_>>>()?;
        if descriptors.is_empty() && !self.count.descriptors().is_empty() {
            return Ok(None);
        }
        let id = self.count.deduplicate_by().and_then(|header| request.headers().get(header));
        Ok(Some(Ask { dimensions, descriptors, amount, id }))
    }

    pub(crate) async fn count(&self, ask: &Ask, now: SystemTime) -> Result<Counted> {
        self.count.count(&self.name, ask, now).await
    }
}

/// A descriptor; `None` if one of its values is not there.
fn descriptor(entries: &[Entry], request: &Request) -> Result<Option<Descriptor>> {
    let entries = entries.iter().map(|entry| Ok(value(&entry.value, request)?.map(|value| (entry.key.clone(), value.to_text()))));
    entries.collect()
}

fn value(source: &Source, request: &Request) -> Result<Option<Value>> {
    Ok(match source {
        Source::Client => Some(Value::Address(request.source().address()?.ip())),
        Source::Principal => request.connection().peer_certificate().uri_san().optional()?.map(Value::Text),
        Source::Header(name) => request.headers().get(name).map(|value| Value::Text(value.to_string_lossy().into_owned())),
        Source::Cel(expression) => Some(Value::Text(expression.evaluate_text(request)?)),
        Source::CelInt(expression) => Some(Value::Int(expression.evaluate_int(request)?)),
        Source::CelDouble(expression) => Some(Value::Float(expression.evaluate_double(request)?)),
        Source::CelBool(expression) => Some(Value::Bool(expression.evaluate_bool(request)?)),
        Source::Text(text) => Some(Value::Text(text.clone())),
    })
}
