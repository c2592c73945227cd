use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use inproxy::{
    metrics::{Counter, Family},
    prelude::*,
    random,
    task::{Abandoned, SingleFlight},
    time::{self, Instant},
};

use crate::{
    checks::list::{Entries, News, Remote},
    config::list::{Provider, Settings},
    policy::Undecided,
};

/// A list that a task of the plugin keeps fresh. Each VM has its own.
#[derive(Debug)]
pub(super) struct Fetched {
    name: String,
    provider: Provider,
    remote: RefCell<Remote>,
    began: Instant,
    /// Whether it was fetched once, with whatever outcome.
    tried: Cell<bool>,
    fetches: SingleFlight<(), ()>,
    counted: Family<Counter, 2>,
}

// === impl Fetched ===

impl Fetched {
    pub(super) fn begin(name: &str, provider: Provider, settings: &Settings, plugin: &mut Plugin) -> Result<Rc<Self>> {
        let (refresh_interval, ttl) = (settings.refresh_interval.get(), settings.ttl.get());
        let list = Rc::new(Self {
            name: name.to_owned(),
            remote: RefCell::new(Remote::new(settings.entry_type, settings.overrides.clone(), refresh_interval, ttl)),
            provider,
            began: Instant::now(),
            tried: Cell::new(false),
            fetches: SingleFlight::new(),
            counted: plugin.counter_family("auth.list_fetches", ["check", "outcome"])?,
        });
        plugin.spawn(Rc::clone(&list).keep_fresh());
        Ok(list)
    }

    /// What a look at the list says. The very first one is waited for.
    pub(super) async fn with<T>(self: &Rc<Self>, look: impl FnOnce(&Entries) -> T) -> Result<T, Undecided> {
        if !self.tried.get() {
            // Who does not get it in time, or has come too late for it, is told below.
            let _ = time::timeout(self.provider.wait.get(), self.fetch_once()).await;
        }
        match self.remote.borrow().entries(self.began.elapsed()) {
            Ok(entries) => Ok(look(entries)),
            Err(reason) => Err(Undecided::new(format!("there is no list: {}", reason.unwrap_or("it was not fetched yet")))),
        }
    }

    async fn keep_fresh(self: Rc<Self>) {
        loop {
            let began = Instant::now();
            if self.fetch_once().await.is_err() {
                return;
            }
            let pause = self.remote.borrow().pause(self.began.elapsed());
            // Somewhat sooner: before the list is purged if the interval is all of its time, and not by all workers at once.
            time::sleep_until(began + (pause - pause / 20 - random::duration(pause / 20))).await;
        }
    }

    /// Fetches it, once for all who ask for that at the same time.
    async fn fetch_once(self: &Rc<Self>) -> Result<(), Abandoned> {
        let list = Rc::clone(self);
        self.fetches.run((), move || list.fetch()).await
    }

    async fn fetch(self: Rc<Self>) {
        let body = self.body().await;
        let now = self.began.elapsed();
        let news = self.remote.borrow_mut().fetched(body, now);
        self.tried.set(true);
        let outcome = match &news {
            Ok(News::Installed(count)) => {
                log::info!("{}: a list with {count} entries", self.name);
                "installed"
            }
            Ok(News::Unchanged) => "unchanged",
            Err(error) => {
                log::warn!("{}: the list was not fetched: {error}", self.name);
                "failed"
            }
        };
        self.counted.with([&self.name, outcome]).increment();
    }

    async fn body(&self) -> Result<Vec<u8>, String> {
        let Provider { cluster, path, authority, timeout, max_bytes, .. } = &self.provider;
        let mut call = cluster.get(path).timeout(timeout.get()).max_body(*max_bytes);
        if let Some(authority) = authority {
            call = call.authority(authority);
        }
        let answer = call.send().await.map_err(|error| error.to_string())?;
        match answer.status() {
            StatusCode::OK => Ok(answer.into_body()),
            status => Err(format!("cluster {:?} answered with status {status}", cluster.name())),
        }
    }
}
