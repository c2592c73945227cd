use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::atomic::{AtomicUsize, Ordering},
};

use inproxy_envoy::{Cluster, Envoy, Listener, Module, Options, Source, StartError, StatsConfig, find};
use serde_json::Value;
use tokio::sync::OnceCell;

use crate::{Server, module};

/// A listener with filters in front of an upstream, that a test describes before it opens it.
#[derive(Debug)]
pub struct Proxy {
    listener: Listener,
    clusters: Vec<Cluster>,
    modules: Vec<Module>,
}

// === impl Proxy ===

impl Proxy {
    /// A proxy without filters in front of a server.
    pub fn before(upstream: &Server) -> Self {
        Self::before_address(upstream.address())
    }

    /// A proxy without filters in front of an address.
    pub fn before_address(upstream: SocketAddr) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("test-{}-", COUNT.fetch_add(1, Ordering::Relaxed));
        Self {
            clusters: vec![Cluster::new(format!("{name}upstream"), [upstream])],
            listener: Listener::new(&name, format!("{name}upstream")),
            modules: Vec::new(),
        }
    }

    /// Adds a filter of `tests/filters`, with its configuration. In its text, `$name` stands for the name of the cluster that was given as `name`.
    #[must_use]
    pub fn filter(self, root_id: &str, configuration: Value) -> Self {
        self.filter_of(module("tests/filters"), root_id, &configuration.to_string())
    }

    /// Adds a filter of any module, with its configuration as it is.
    #[must_use]
    pub fn filter_of(self, path: PathBuf, root_id: &str, configuration: &str) -> Self {
        let configuration = configuration.replace('$', &self.listener.name);
        self.module(path, root_id, configuration)
    }

    /// Adds the probe of `tests/probe`, with its script. In it, `@name` stands for the name of the cluster that was given as `name`.
    #[must_use]
    pub fn probe(self, script: &str) -> Self {
        let script = script.replace('@', &self.listener.name);
        self.module(module("tests/probe"), "probe", script)
    }

    /// As [`probe`](Self::probe), with another module in the probe's place.
    #[must_use]
    pub fn probe_of(self, path: PathBuf, script: &str) -> Self {
        self.module(path, "probe", script.to_owned())
    }

    fn module(mut self, path: PathBuf, root_id: &str, configuration: String) -> Self {
        self.modules.push(Module { root_id: root_id.to_owned(), configuration: Some(configuration), ..Module::new(path) });
        self
    }

    /// Adds a cluster that filters call as `$name`.
    #[must_use]
    pub fn cluster(mut self, name: &str, endpoints: &[SocketAddr]) -> Self {
        self.clusters.push(Cluster::new(format!("{}{name}", self.listener.name), endpoints));
        self
    }

    /// Sets whether bodies are delivered while headers are held.
    #[must_use]
    pub fn hold_headers(mut self, hold: bool) -> Self {
        for module in &mut self.modules {
            module.hold_headers = hold;
        }
        self
    }

    /// Changes the listener.
    #[must_use]
    pub fn with(mut self, change: impl FnOnce(&mut Listener)) -> Self {
        change(&mut self.listener);
        self
    }

    /// Opens it in the Envoy of this process.
    pub async fn open(self) -> SocketAddr {
        let listener = self.listener.name.clone();
        let envoy = shared().await;
        self.open_in(envoy).await.unwrap_or_else(|error| panic!("{error}\n{}", log_of(envoy, &listener)))
    }

    /// Opens it in an Envoy.
    ///
    /// # Errors
    ///
    /// If Envoy does not take it.
    pub async fn open_in(mut self, envoy: &Envoy) -> Result<SocketAddr, StartError> {
        envoy.put_clusters(&self.clusters).await?;
        self.listener.filters.extend(self.modules.into_iter().map(Source::Inline));
        envoy.put_listener(&self.listener).await
    }
}

fn log_of(envoy: &Envoy, listener: &str) -> String {
    envoy.log().lines().filter(|line| line.contains(listener)).collect::<Vec<_>>().join("\n")
}

/// An Envoy of the caller's own, for cases that may harm it, or that change it.
pub async fn throw_away() -> Envoy {
    Envoy::start(&options()).await.unwrap_or_else(|error| panic!("{error}"))
}

/// As [`throw_away`], with more than one worker: threads that have a VM each.
pub async fn throw_away_with(workers: u32) -> Envoy {
    let mut options = options();
    options.workers = workers;
    Envoy::start(&options).await.unwrap_or_else(|error| panic!("{error}"))
}

/// As [`throw_away`], which is told of filters' metrics.
pub async fn throw_away_showing(stats: StatsConfig) -> Envoy {
    let mut options = options();
    options.stats = stats;
    Envoy::start(&options).await.unwrap_or_else(|error| panic!("{error}"))
}

/// The Envoy of this process. It ends with the process.
async fn shared() -> &'static Envoy {
    static SHARED: OnceCell<Envoy> = OnceCell::const_new();
    SHARED.get_or_init(throw_away).await
}

fn options() -> Options {
    let binary = find(None::<&Path>, |_| {}).unwrap_or_else(|error| panic!("{error}"));
    Options::new(binary)
}
