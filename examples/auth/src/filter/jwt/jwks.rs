use std::{cell::RefCell, rc::Rc};

use inproxy::{
    metrics::{Counter, Family},
    prelude::*,
    task::{self, SingleFlight},
    time::{self, Instant},
};

use crate::{
    checks::jwt::{
        freshness::{Fetched, State, Unknown},
        key_set::KeySet,
    },
    config::jwt as config,
};

/// Keys of an issuer.
#[derive(Debug)]
pub(super) enum Jwks {
    Inline(Rc<KeySet>),
    Remote(Rc<Remote>),
}

/// Keys that a service has. Each VM has its own copy of them.
#[derive(Debug)]
pub(super) struct Remote {
    /// What the check is called.
    name: String,
    settings: config::Remote,
    fetched: RefCell<Fetched<Rc<KeySet>>>,
    began: Instant,
    fetches: SingleFlight<(), Option<Rc<KeySet>>>,
    counted: Family<Counter, 2>,
}

/// Why there are no keys.
const UNAVAILABLE: &str = "there are no keys: they could not be fetched";

// === impl Jwks ===

impl Jwks {
    pub(super) fn try_new(name: &str, settings: &config::Jwks, plugin: &mut Plugin) -> Result<Self> {
        match settings {
            config::Jwks::Inline(set) => {
                let keys = config::Jwks::inline(set).map_err(|error| error.of(name))?;
                note_left_out(name, &keys);
                Ok(Self::Inline(Rc::new(keys)))
            }
            config::Jwks::Remote(settings) => {
                let policy = settings.policy().map_err(|error| error.of(name))?;
                Ok(Self::Remote(Remote::begin(name, settings.clone(), Fetched::new(policy), plugin)?))
            }
        }
    }

    /// The keys, however they come; or why there are none.
    pub(super) async fn keys(&self) -> Result<Rc<KeySet>, &'static str> {
        match self {
            Self::Inline(keys) => Ok(Rc::clone(keys)),
            Self::Remote(remote) => remote.keys().await,
        }
    }

    /// Keys that are newer than those in which a token's was not; `None` if there are none, or why nobody knows.
    pub(super) async fn newer_than(&self, keys: &Rc<KeySet>) -> Result<Option<Rc<KeySet>>, &'static str> {
        match self {
            Self::Inline(_) => Ok(None),
            Self::Remote(remote) => remote.newer_than(keys).await,
        }
    }
}

// === impl Remote ===

impl Remote {
    fn begin(name: &str, settings: config::Remote, fetched: Fetched<Rc<KeySet>>, plugin: &mut Plugin) -> Result<Rc<Self>> {
        let prefetch = settings.prefetch;
        let remote = Rc::new(Self {
            name: name.to_owned(),
            settings,
            fetched: RefCell::new(fetched),
            began: Instant::now(),
            fetches: SingleFlight::new(),
            counted: plugin.counter_family("auth.jwks_fetches", ["check", "outcome"])?,
        });
        if prefetch {
            plugin.spawn(Rc::clone(&remote).prefetch());
        }
        Ok(remote)
    }

    /// Fetches the first keys, as often as it takes. From then on keys are fetched when they are needed.
    async fn prefetch(self: Rc<Self>) {
        let is_there = || self.fetched.borrow().keys().is_some();
        let pause = self.fetched.borrow().policy().failed_refetch;
        while !is_there() {
            if self.fetch_once().await.is_none() {
                time::sleep(pause).await;
            }
        }
    }

    async fn keys(self: &Rc<Self>) -> Result<Rc<KeySet>, &'static str> {
        let state = self.fetched.borrow().state(self.began.elapsed());
        match state {
            State::Fresh(keys) => Ok(keys),
            State::Stale(keys, should_fetch) => {
                if should_fetch && !self.is_fetching() {
                    let remote = Rc::clone(self);
                    task::spawn(async move { drop(remote.fetch_once().await) });
                }
                Ok(keys)
            }
            State::Unavailable if !self.is_fetching() => Err(UNAVAILABLE),
            // Keys that were waited for are used, however short they are good.
            State::Missing | State::Unavailable => self.fetch_once().await.ok_or(UNAVAILABLE),
        }
    }

    async fn newer_than(self: &Rc<Self>, keys: &Rc<KeySet>) -> Result<Option<Rc<KeySet>>, &'static str> {
        let newer = || self.fetched.borrow().keys().filter(|newer| !Rc::ptr_eq(newer, keys)).cloned();
        if let Some(newer) = newer() {
            return Ok(Some(newer));
        }
        // What is under way is waited for, whoever has caused it.
        if !self.is_fetching() {
            let unknown = self.fetched.borrow_mut().unknown_key(self.began.elapsed());
            match unknown {
                Unknown::Fetch => {}
                Unknown::Refuse => return Ok(None),
                Unknown::Unavailable => return Err(UNAVAILABLE),
            }
        }
        self.fetch_once().await.map(Some).ok_or(UNAVAILABLE)
    }

    fn is_fetching(&self) -> bool {
        self.fetches.is_under_way(&())
    }

    /// Fetches them, once for all who ask for that at the same time; it goes on when these are gone.
    async fn fetch_once(self: &Rc<Self>) -> Option<Rc<KeySet>> {
        let remote = Rc::clone(self);
        self.fetches.run((), move || remote.fetch()).await.ok().flatten()
    }

    async fn fetch(self: Rc<Self>) -> Option<Rc<KeySet>> {
        let keys = self.ask().await;
        let now = self.began.elapsed();
        let (keys, outcome) = match keys {
            Ok(keys) => {
                note_left_out(&self.name, &keys);
                let keys = Rc::new(keys);
                self.fetched.borrow_mut().succeeded(Rc::clone(&keys), now);
                (Some(keys), "fetched")
            }
            Err(reason) => {
                // Said once, and not each second for as long as the service is away.
                if self.fetched.borrow_mut().failed(now) {
                    log::warn!("{}: keys were not fetched: {reason}", self.name);
                } else {
                    log::debug!("{}: keys were not fetched: {reason}", self.name);
                }
                (None, "failed")
            }
        };
        self.counted.with([&self.name, outcome]).increment();
        keys
    }

    async fn ask(&self) -> Result<KeySet, String> {
        let config::Remote { cluster, path, authority, timeout, max_bytes, .. } = &self.settings;
        let mut call = cluster.get(path).timeout(timeout.get()).max_body(*max_bytes);
        if let Some(authority) = authority {
            call = call.authority(authority);
        }
        let answer = call.send().await.map_err(|error| error.to_string())?;
        if answer.status() != StatusCode::OK {
            return Err(format!("cluster {:?} answered with status {}", cluster.name(), answer.status()));
        }
        KeySet::parse(answer.body()).map_err(|error| error.to_string())
    }
}

fn note_left_out(name: &str, keys: &KeySet) {
    for (place, fault) in &keys.left_out {
        log::info!("{name}: keys[{place}] is not used: {fault}");
    }
}
