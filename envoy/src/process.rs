use std::{
    collections::BTreeMap,
    fs::{self, File},
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::Mutex,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    admin::Admin,
    client::ClientError,
    config::{Cluster, Listener, Module, TcpListener, bootstrap, discovery_response},
    delivery::put,
    stats::StatsConfig,
};

/// Runs the command in its arguments until it ends, or until standard input ends: when whoever started us is gone, for whatever reason, so is Envoy, and so is
/// its folder, the first argument.
const UNTIL_STDIN_ENDS: &str = r#"dir=$1; shift; exec 3<&0; "$@" 3<&- & pid=$!
(cat <&3 >/dev/null; : >"$dir/abandoned"; kill "$pid" 2>/dev/null) & cat=$!
wait "$pid"; code=$?; kill "$cat" 2>/dev/null; [ -e "$dir/abandoned" ] && rm -rf "$dir"; exit "$code""#;

/// How long Envoy may take to start, or to take over an update.
const PATIENCE: Duration = Duration::from_secs(30);

/// How an Envoy is run.
#[derive(Clone, Debug)]
pub struct Options {
    /// The binary; see [`find`](crate::find).
    pub binary: PathBuf,
    /// How many worker threads it has.
    pub workers: u32,
    /// What it logs, as `--component-log-level` takes it.
    pub log: String,
    /// The metadata of its node.
    pub node_metadata: Value,
    /// The only core that it runs on, with Linux's `taskset`; all unless set.
    pub core: Option<usize>,
    /// How often it sums up histograms.
    pub stats_flush_interval: Duration,
    /// What it starts beside its listeners, once, on its main thread.
    pub services: Vec<Module>,
    /// What it is told of filters' metrics.
    pub stats: StatsConfig,
}

/// A running Envoy with its own folder, its own ports, and listeners and clusters that can be changed. It is stopped when this is dropped.
#[derive(Debug)]
pub struct Envoy {
    admin: Admin,
    dir: TempDir,
    process: Mutex<Child>,
    resources: tokio::sync::Mutex<Resources>,
    workers: u32,
}

#[derive(Debug, Default)]
struct Resources {
    version: u64,
    listeners: BTreeMap<String, Value>,
    clusters: BTreeMap<String, Value>,
}

/// Envoy did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// Its folder could not be written, or it could not be started.
    #[error("cannot start Envoy: {0}")]
    Io(#[from] io::Error),
    /// It has ended.
    #[error("Envoy ended ({status}); its log:\n{log}")]
    Ended {
        /// How.
        status: ExitStatus,
        /// The end of its log.
        log: String,
    },
    /// It did not get ready.
    #[error("Envoy was not ready after {PATIENCE:?}; its log:\n{log}")]
    Late {
        /// The end of its log.
        log: String,
    },
    /// It refused a listener.
    #[error("Envoy refused the listener: {reason}")]
    Refused {
        /// What its administration interface says.
        reason: String,
    },
    /// Its administration interface did not answer.
    #[error("Envoy's administration interface: {0}")]
    Admin(#[from] ClientError),
}

// === impl Options ===

impl Options {
    /// One worker, and the log of wasm modules.
    pub fn new(binary: impl Into<PathBuf>) -> Self {
        Self {
            binary: binary.into(),
            workers: 1,
            log: "wasm:info".to_owned(),
            node_metadata: Value::Object(Default::default()),
            core: None,
            stats_flush_interval: Duration::from_secs(5),
            services: Vec::new(),
            stats: StatsConfig::default(),
        }
    }
}

// === impl Envoy ===

impl Envoy {
    /// Starts an Envoy without listeners, and waits until it is ready.
    ///
    /// # Errors
    ///
    /// [`StartError`].
    pub async fn start(options: &Options) -> Result<Self, StartError> {
        let dir = tempfile::Builder::new().prefix("inproxy-envoy-").tempdir()?;
        let path = |name: &str| dir.path().join(name);
        put(&path("listeners.json"), discovery_response(0, &[]).to_string().as_bytes())?;
        put(&path("clusters.json"), discovery_response(0, &[]).to_string().as_bytes())?;
        fs::write(path("bootstrap.json"), bootstrap(&path("listeners.json"), &path("clusters.json"), options).to_string())?;
        let log = File::create(path("envoy.log"))?;
        let process = Command::new("sh")
            .args(["-c", UNTIL_STDIN_ENDS, "envoy"])
            .arg(dir.path())
            .args(options.core.iter().flat_map(|core| ["taskset".to_owned(), "--cpu-list".to_owned(), core.to_string()]))
            .arg(&options.binary)
            .args([
                "--disable-hot-restart",
                "--log-level",
                "warning",
                "--drain-time-s",
                "1",
                "--file-flush-interval-msec",
                "20",
                "--component-log-level",
            ])
            .args([&options.log, "--concurrency", &options.workers.to_string()])
            .arg("--config-path")
            .arg(path("bootstrap.json"))
            .arg("--admin-address-path")
            .arg(path("admin"))
            .stdin(Stdio::piped())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?;
        let mut envoy = Self {
            admin: Admin::new(SocketAddr::from(([127, 0, 0, 1], 0))),
            dir,
            process: Mutex::new(process),
            resources: tokio::sync::Mutex::default(),
            workers: options.workers,
        };
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(address) = fs::read_to_string(envoy.dir.path().join("admin")).ok().and_then(|text| text.parse().ok()) {
                envoy.admin = Admin::new(address);
                if matches!(envoy.admin.get("/ready").await, Ok(Some(_))) {
                    return Ok(envoy);
                }
            }
            envoy.still_running()?;
            envoy.wait_until(deadline).await?;
        }
    }

    /// Its administration interface.
    pub fn admin(&self) -> Admin {
        self.admin
    }

    /// How much time its threads have had on a core since it started, as Linux's scheduler counts it.
    ///
    /// # Errors
    ///
    /// If it has ended, or the system does not tell.
    pub fn cpu_time(&self) -> io::Result<Duration> {
        let mut time = Duration::ZERO;
        for task in fs::read_dir(self.in_proc()?.join("task"))?.flatten() {
            // A thread may just have ended.
            let stat = fs::read_to_string(task.path().join("schedstat")).unwrap_or_default();
            time += Duration::from_nanos(stat.split(' ').next().and_then(|nanos| nanos.parse().ok()).unwrap_or(0));
        }
        Ok(time)
    }

    /// How many bytes of the machine's memory it has, with those of its VMs, as Linux counts them.
    ///
    /// # Errors
    ///
    /// If it has ended, or the system does not tell.
    pub fn resident_memory(&self) -> io::Result<u64> {
        let status = fs::read_to_string(self.in_proc()?.join("status"))?;
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB")?.parse::<u64>().ok());
        resident.map(|kilobytes| kilobytes * 1024).ok_or_else(|| io::ErrorKind::InvalidData.into())
    }

    /// Envoy's own process, as Linux shows it: the one that was started only watches over it.
    fn in_proc(&self) -> io::Result<PathBuf> {
        let watch = self.process.lock().map_err(|_| io::ErrorKind::Other)?.id();
        let children = fs::read_to_string(format!("/proc/{watch}/task/{watch}/children"))?;
        let is_envoy = |process: &PathBuf| fs::read_to_string(process.join("comm")).is_ok_and(|name| name.trim() == "envoy");
        children.split_whitespace().map(|child| Path::new("/proc").join(child)).find(is_envoy).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// A folder that is removed with it.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// All that it has logged.
    pub fn log(&self) -> String {
        fs::read(self.dir.path().join("envoy.log")).map(|log| String::from_utf8_lossy(&log).into_owned()).unwrap_or_default()
    }

    /// Waits until it has logged `text`; `false` if it does not.
    pub async fn logs(&self, text: &str) -> bool {
        self.logs_from(0, text).await
    }

    /// As [`logs`](Self::logs), behind the first `start` bytes of the log.
    pub async fn logs_from(&self, start: usize, text: &str) -> bool {
        let deadline = Instant::now() + Duration::from_secs(5);
        while !self.log().get(start..).is_some_and(|log| log.contains(text)) {
            if self.wait_until(deadline).await.is_err() {
                return false;
            }
        }
        true
    }

    /// Adds clusters, or changes those of the same names; they are there when this returns.
    ///
    /// # Errors
    ///
    /// [`StartError`].
    pub async fn put_clusters(&self, clusters: &[Cluster]) -> Result<(), StartError> {
        let mut resources = self.resources.lock().await;
        resources.clusters.extend(clusters.iter().map(|cluster| (cluster.name.clone(), cluster.to_json())));
        resources.version += 1;
        let version = resources.version;
        self.write("clusters.json", version, &resources.clusters)?;
        let deadline = Instant::now() + PATIENCE;
        loop {
            let dump = self.admin.json("/config_dump?resource=dynamic_active_clusters&mask=version_info").await?;
            let configs = dump.pointer("/configs").and_then(Value::as_array).cloned().unwrap_or_default();
            // Clusters that did not change keep the version in which they came: one of this version says that the update was read.
            if configs.iter().any(|config| config.get("version_info").and_then(Value::as_str) == Some(&version.to_string())) {
                return Ok(());
            }
            self.still_running()?;
            self.wait_until(deadline).await?;
        }
    }

    /// Adds a listener, or changes the one of the same name, and returns where it listens.
    ///
    /// # Errors
    ///
    /// [`StartError::Refused`] if Envoy does not take it, as with a module that refuses its configuration; why is in the [log](Self::log).
    pub async fn put_listener(&self, listener: &Listener) -> Result<SocketAddr, StartError> {
        self.put(&listener.name, listener.to_json()).await
    }

    /// As [`put_listener`](Self::put_listener), of a TCP listener.
    ///
    /// # Errors
    ///
    /// As of [`put_listener`](Self::put_listener).
    pub async fn put_tcp_listener(&self, listener: &TcpListener) -> Result<SocketAddr, StartError> {
        self.put(&listener.name, listener.to_json()).await
    }

    async fn put(&self, name: &str, mut json: Value) -> Result<SocketAddr, StartError> {
        let mut resources = self.resources.lock().await;
        resources.version += 1;
        let version = resources.version;
        if let Some(json) = json.as_object_mut() {
            // Where only filters change, Envoy exchanges them in place, and does not count when workers have them.
            json.insert("metadata".to_owned(), json!({ "filter_metadata": { "inproxy": { "version": version } } }));
        }
        let previous = resources.listeners.insert(name.to_owned(), json);
        let before = self.added_to_workers().await?;
        self.write("listeners.json", version, &resources.listeners)?;
        let taken = self.listening(name, version).await;
        if taken.is_ok() {
            self.on_every_worker(before).await?;
        }
        if taken.is_err() {
            // Else it would be tried, and refused, with every further update.
            match previous {
                Some(previous) => resources.listeners.insert(name.to_owned(), previous),
                None => resources.listeners.remove(name),
            };
        }
        taken
    }

    async fn listening(&self, name: &str, version: u64) -> Result<SocketAddr, StartError> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let dump = self.admin.json(&format!("/config_dump?resource=dynamic_listeners&name_regex={name}")).await?;
            let state = dump.pointer("/configs/0");
            if let Some(reason) = state.and_then(|state| state.pointer("/error_state/details")).and_then(Value::as_str) {
                return Err(StartError::Refused { reason: reason.to_owned() });
            }
            let active = state.and_then(|state| state.pointer("/active_state/version_info")).and_then(Value::as_str);
            if active == Some(&version.to_string())
                && let Some(address) = self.address_of(name).await?
            {
                return Ok(address);
            }
            self.still_running()?;
            self.wait_until(deadline).await?;
        }
    }

    /// How often a listener was added to a worker.
    async fn added_to_workers(&self) -> Result<u64, StartError> {
        const ADDED: &str = "listener_manager.listener_create_success";
        Ok(self.admin.stat(ADDED).await?.unwrap_or(0))
    }

    /// Waits until a listener that is active has come to all workers. Before that, the first connections would all go to one of them, or to the listener's former self, which closes them.
    async fn on_every_worker(&self, before: u64) -> Result<(), StartError> {
        let deadline = Instant::now() + PATIENCE;
        while self.added_to_workers().await? < before + u64::from(self.workers) {
            self.still_running()?;
            self.wait_until(deadline).await?;
        }
        Ok(())
    }

    async fn address_of(&self, name: &str) -> Result<Option<SocketAddr>, StartError> {
        let listeners = self.admin.json("/listeners?format=json").await?;
        let statuses = listeners.pointer("/listener_statuses").and_then(Value::as_array).cloned().unwrap_or_default();
        let status = statuses.iter().find(|status| status.get("name").and_then(Value::as_str) == Some(name));
        let socket = status.and_then(|status| status.pointer("/local_address/socket_address"));
        let ip = socket.and_then(|socket| socket.get("address")).and_then(Value::as_str).and_then(|ip| ip.parse().ok());
        let port = socket.and_then(|socket| socket.get("port_value")).and_then(Value::as_u64).and_then(|port| port.try_into().ok());
        Ok(ip.zip(port).map(|(ip, port)| SocketAddr::new(ip, port)))
    }

    fn write(&self, file: &str, version: u64, resources: &BTreeMap<String, Value>) -> io::Result<()> {
        let resources: Vec<_> = resources.values().cloned().collect();
        put(&self.dir.path().join(file), discovery_response(version, &resources).to_string().as_bytes())
    }

    /// Whether it runs.
    ///
    /// # Errors
    ///
    /// [`StartError::Ended`] if it does not.
    pub fn still_running(&self) -> Result<(), StartError> {
        let Ok(mut process) = self.process.lock() else { return Ok(()) };
        match process.try_wait()? {
            Some(status) => Err(StartError::Ended { status, log: self.log() }),
            None => Ok(()),
        }
    }

    /// Waits until it has ended, and says of which signal it died: `None` if it did not, or if it still runs after this time.
    pub async fn died_of(&self, within: Duration) -> Option<i32> {
        /// What a shell adds to a signal, to make an exit code of it.
        const SIGNAL: i32 = 128;
        let deadline = Instant::now() + within;
        loop {
            if let Err(StartError::Ended { status, .. }) = self.still_running() {
                return status.code().filter(|code| *code > SIGNAL).map(|code| code - SIGNAL);
            }
            self.wait_until(deadline).await.ok()?;
        }
    }

    async fn wait_until(&self, deadline: Instant) -> Result<(), StartError> {
        if Instant::now() > deadline {
            return Err(StartError::Late { log: self.log() });
        }
        tokio::time::sleep(Duration::from_millis(3)).await;
        Ok(())
    }
}

impl Drop for Envoy {
    fn drop(&mut self) {
        if let Ok(process) = self.process.get_mut() {
            drop(process.stdin.take());
            // It was told to end; what it ended with does not matter any more.
            let _ = process.wait();
        }
    }
}
