//! Who counts: tables that all workers share.

use std::{
    rc::Rc,
    time::{Duration, SystemTime},
};

use inproxy::{
    prelude::*,
    shared::{SharedError, Slots},
    task, time,
};

use super::{limit::Ask, stored::Shared};
use crate::{
    bucket::{Bucket, Fill},
    config::{self, global::Entry},
    decision::Decision,
    global::{self, RateLimitResponse},
    quota::{self, Ask as Quota, Grant, Limit, Remembered, State},
};

/// Who counts the requests of a limit.
#[derive(Debug)]
pub(crate) enum Count {
    Quota(Quotas),
    Bucket { fill: Fill, buckets: Slots<Shared<Bucket>> },
    Global(config::global::Settings),
}

/// What comes of it.
#[derive(Debug, Default)]
pub(crate) struct Counted {
    pub(crate) granted: bool,
    /// How much is left, if that is known.
    pub(crate) decision: Option<Decision>,
    /// For the upstream, and for the client.
    pub(crate) request_headers: Vec<(String, String)>,
    pub(crate) response_headers: Vec<(String, String)>,
    /// What the client of a refused request gets; empty for the filter's own.
    pub(crate) body: Vec<u8>,
    /// What is given back when the request is over.
    pub(crate) in_use: Option<InUse>,
}

/// Mixer's quotas, in the proxy's shared data.
#[derive(Debug)]
pub(crate) struct Quotas {
    limit: Limit,
    deduplicate_by: Option<HeaderName>,
    generation: Duration,
    states: Rc<Slots<Shared<State>>>,
    remembered: Slots<Shared<Remembered>>,
}

/// What a request has in use: given back when it is dropped.
#[derive(Debug)]
pub(crate) struct InUse(Option<Share>);

/// What a quota has granted.
#[derive(Clone, Debug)]
struct Share {
    states: Rc<Slots<Shared<State>>>,
    key: Vec<u8>,
    amount: u64,
    limit: quota::Amount,
}

/// What is in use until it is given back is remembered for so long: a worker that dies gives nothing back.
const IN_USE: Duration = Duration::from_secs(3600);

/// So long after what is in use could not be given back, it is tried again.
const AGAIN: Duration = Duration::from_secs(1);

/// A worker that was not first so often has had bad luck, and others have counted meanwhile.
const ATTEMPTS: u32 = 64;

// === impl Count ===

impl Count {
    /// Takes what it counts by.
    pub(crate) fn try_new(limit: &mut config::Limit) -> Result<Self> {
        let name = |what: &str| format!("rate_limit/{}/{what}", limit.name);
        let slots = limit.keys.div_ceil(Slots::<u64>::WAYS.into());
        match (limit.quota.take(), limit.bucket.take(), limit.global.take()) {
            (Some(settings), None, None) => {
                let amounts = settings.limit(limit.dimensions.keys()).map_err(|error| Error::msg(format!("quota.{error}")))?;
                Ok(Self::Quota(Quotas {
                    states: Rc::new(Slots::new(name(&format!("{:x}", fingerprint(&amounts))), slots).with_attempts(ATTEMPTS)),
                    remembered: Slots::new(name("ids"), slots).with_attempts(ATTEMPTS),
                    deduplicate_by: settings.deduplicate_by,
                    generation: settings.min_deduplication_duration.get(),
                    limit: amounts,
                }))
            }
            (None, Some(settings), None) => {
                let fill = settings.fill().map_err(|error| Error::msg(format!("bucket.{error}")))?;
                Ok(Self::Bucket { buckets: Slots::new(name(&format!("{:x}", fingerprint(&fill))), slots).with_attempts(ATTEMPTS), fill })
            }
            (None, None, Some(settings)) if !limit.dimensions.is_empty() => {
                Err(Error::msg(format!("dimensions: they are for what is counted here; {:?} counts by global.descriptors", settings.cluster.name())))
            }
            (None, None, Some(settings)) if settings.descriptors.iter().all(Vec::is_empty) => Err(Error::msg(
                "global.descriptors: nothing is counted without any: write for example [[{\"key\": \"remote_address\", \"value\": \"source_address\"}]]",
            )),
            (None, None, Some(settings)) => Ok(Self::Global(settings)),
            (None, None, None) => Err(Error::msg("nobody counts: add \"quota\", \"bucket\" or \"global\"")),
            _ => Err(Error::msg("quota, bucket, global: one of them counts, not several")),
        }
    }

    pub(crate) fn deduplicate_by(&self) -> Option<&HeaderName> {
        match self {
            Self::Quota(quotas) => quotas.deduplicate_by.as_ref(),
            Self::Bucket { .. } | Self::Global(_) => None,
        }
    }

    /// What a service counts by.
    pub(crate) fn descriptors(&self) -> &[Vec<Entry>] {
        match self {
            Self::Global(settings) => &settings.descriptors,
            Self::Bucket { .. } | Self::Quota(_) => &[],
        }
    }

    pub(crate) async fn count(&self, name: &str, ask: &Ask, now: SystemTime) -> Result<Counted> {
        let key = bounded(quota::key(name, &ask.dimensions));
        match self {
            Self::Quota(quotas) => Ok(quotas.count(key, ask, now)?),
            Self::Bucket { fill, buckets } => {
                let mut taken = None;
                // One that has filled up again is as good as none.
                let fills = fill.max_tokens.div_ceil(fill.tokens_per_fill.max(1)).min(u64::from(u32::MAX)) as u32;
                let ttl = fill.fill_interval.saturating_mul(fills.saturating_add(1));
                buckets.try_update(&key, now, ttl, |bucket| {
                    let mut bucket = bucket.map_or_else(|| Bucket::full(fill, since_epoch(now)), |Shared(bucket)| bucket);
                    let said = bucket.take(ask.amount, fill, since_epoch(now));
                    taken = Some(said);
                    said.granted.then_some(Shared(bucket))
                })?;
                let taken = taken.ok_or_else(|| Error::msg("the table did not ask"))?;
                let decision = Decision { granted: taken.granted, limit: fill.max_tokens, left: taken.left, reset: Some(taken.next_fill) };
                Ok(decision.into())
            }
            Self::Global(settings) => {
                let hits = u32::try_from(ask.amount).unwrap_or(u32::MAX);
                let question = global::question(&settings.domain, &ask.descriptors, hits);
                let call = settings.cluster.grpc(global::SERVICE).call(global::METHOD, &question).timeout(settings.timeout.get());
                let said = global::read(call.send::<RateLimitResponse>().await?)?;
                Ok(Counted {
                    granted: said.granted,
                    decision: said.decision,
                    request_headers: said.request_headers,
                    response_headers: said.response_headers,
                    body: said.body,
                    in_use: None,
                })
            }
        }
    }
}

// === impl Counted ===

impl From<Decision> for Counted {
    fn from(decision: Decision) -> Self {
        Self { granted: decision.granted, decision: Some(decision), ..Self::default() }
    }
}

// === impl Quotas ===

impl Quotas {
    fn count(&self, key: Vec<u8>, ask: &Ask, now: SystemTime) -> Result<Counted, SharedError> {
        let limit = self.limit.of(&ask.dimensions);
        let id = ask.id.as_ref().map(|id| bounded([id.as_bytes(), b";", &key].concat()));
        if let Some(id) = &id
            && let Some(grant) = self.remembered(id, now)?
        {
            return Ok(counted(ask, grant, limit, None, None));
        }
        let (mut grant, mut left, mut reset) = (Grant::default(), limit.max, None);
        let ttl = if limit.valid.is_zero() { IN_USE } else { limit.valid.saturating_add(Duration::from_secs(1)) };
        self.states.try_update(&key, now, ttl, |state| {
            let mut state = state.map(|Shared(state)| state).unwrap_or_default();
            grant = state.ask(Quota::Allocate { amount: ask.amount, best_effort: false }, limit, since_epoch(now));
            left = state.left(limit);
            reset = state.resets_in(since_epoch(now));
            (grant.amount > 0).then_some(Shared(state))
        })?;
        // Also if what follows fails.
        let share = Share { states: Rc::clone(&self.states), key, amount: grant.amount, limit };
        let in_use = InUse((grant.amount > 0).then_some(share));
        if let Some(id) = &id {
            // Another worker may have counted the same request meanwhile: what it has said holds, and this is given back.
            let mine = Remembered::new(grant, since_epoch(now), self.generation);
            let mut theirs = None;
            self.remembered.try_update(id, now, self.generation.saturating_mul(2), |found| {
                theirs = found.and_then(|Shared(found)| found.replay(since_epoch(now), self.generation));
                theirs.is_none().then_some(Shared(mine))
            })?;
            if let Some(theirs) = theirs {
                return Ok(counted(ask, theirs, limit, Some(left), reset));
            }
        }
        let mut counted = counted(ask, grant, limit, Some(left), reset);
        if limit.valid.is_zero() {
            counted.in_use = Some(in_use);
        } else {
            in_use.keep();
        }
        Ok(counted)
    }

    fn remembered(&self, id: &[u8], now: SystemTime) -> Result<Option<Grant>, SharedError> {
        let found = self.remembered.get(id, now)?;
        Ok(found.and_then(|Shared(found)| found.replay(since_epoch(now), self.generation)))
    }
}

// === impl InUse ===

impl InUse {
    /// It stays counted.
    fn keep(mut self) {
        self.0 = None;
    }
}

impl Drop for InUse {
    fn drop(&mut self) {
        let Some(share) = self.0.take() else { return };
        match share.give_back() {
            Ok(true) => return,
            // Once more: who is told by mistake that there is nothing would have it in use for an hour.
            Ok(false) => {}
            Err(error) => log::warn!("{} in use could not be given back, and will be: {error:#}", share.amount),
        }
        task::spawn(async move {
            // After an hour nobody remembers it.
            for _ in 0..IN_USE.as_secs() {
                time::sleep(AGAIN).await;
                if share.give_back().is_ok() {
                    return;
                }
            }
        });
    }
}

// === impl Share ===

impl Share {
    /// Whether there was something to give it back to.
    fn give_back(&self) -> Result<bool> {
        let now = time::now()?;
        let ttl = if self.limit.valid.is_zero() { IN_USE } else { self.limit.valid };
        let mut there = false;
        self.states.try_update(&self.key, now, ttl, |state| {
            there = state.is_some();
            let Shared(mut state) = state?;
            state.ask(Quota::Release { amount: self.amount }, self.limit, since_epoch(now));
            Some(Shared(state))
        })?;
        Ok(there)
    }
}

fn counted(ask: &Ask, grant: Grant, limit: quota::Amount, left: Option<u64>, reset: Option<Duration>) -> Counted {
    let decision = Decision { granted: grant.amount >= ask.amount, limit: limit.max, left: left.unwrap_or(0), reset };
    decision.into()
}

/// A key of a table, which takes 256 bytes: what is longer is cut, and told apart by a hash of the rest.
fn bounded(key: impl Into<Vec<u8>>) -> Vec<u8> {
    let mut key = key.into();
    if key.len() > Slots::<u64>::LONGEST_KEY {
        let hash = fingerprint(&key);
        key.truncate(Slots::<u64>::LONGEST_KEY - 8);
        key.extend_from_slice(&hash.to_le_bytes());
    }
    key
}

/// Counts of other limits are not found under the name of this one.
fn fingerprint(value: &impl std::fmt::Debug) -> u64 {
    format!("{value:?}").bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

fn since_epoch(now: SystemTime) -> Duration {
    now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}
