//! `cargo inproxy run`: a filter in a real Envoy, between real sockets.

use std::{
    io::IsTerminal,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use http_body_util::Full;
use hyper::{
    Request, Response, StatusCode,
    body::Bytes,
    header::{CONTENT_TYPE, HeaderName, HeaderValue},
};
use inproxy_envoy::{Cluster, Delivery, Envoy, Listener, Module, Options, client, upstream::Upstream};

use crate::{Answer, Built, Error, Project, Sample, build, watch::Snapshot};

/// The cluster behind the filter.
pub(crate) const UPSTREAM: &str = "upstream";

/// How a filter is run.
#[derive(Clone, Debug, Default)]
pub struct RunOptions {
    /// The folder of the filter's crate.
    pub dir: PathBuf,
    /// An Envoy to use, in the place of one that is found or installed.
    pub envoy: Option<PathBuf>,
    /// Where to listen; 0 picks a free port.
    pub port: u16,
    /// Ends after the sample requests; so it does without a terminal.
    pub once: bool,
    /// Delivers the filter anew when its sources or its configuration change.
    pub watch: bool,
}

/// Everything that runs around a filter.
struct Stage {
    envoy: Envoy,
    address: SocketAddr,
    delivery: Delivery,
    _servers: Vec<Upstream>,
}

/// Builds a filter, runs it in Envoy, shows the sample requests, and serves until it is interrupted.
///
/// # Errors
///
/// [`Error`]; [`Error::Unexpected`] if a sample request was not answered as expected.
pub async fn run(options: &RunOptions) -> Result<(), Error> {
    let project = Project::read(&options.dir)?;
    let built = build(&options.dir)?;
    if built.inspected.kind_of(&project.filter.root_id) != "http" {
        return Err(Error::NoHttpFilter { path: built.path, plugins: built.inspected.plugins() });
    }
    say("Built", &format!("{} ({} KiB)", built.path.display(), built.size() / 1024));
    let mut stage = Stage::set(options, &project, &built).await?;
    say("Serving", &format!("http://{} (Envoy's admin interface: http://{})", stage.address, stage.envoy.admin().address()));
    let wrong = stage.show(&project.run.request).await?;
    if options.once || !std::io::stdin().is_terminal() {
        return if wrong == 0 { Ok(()) } else { Err(Error::Unexpected(wrong)) };
    }
    say("Ready", if options.watch { "Save a change to see it live; Ctrl-C ends" } else { "Ctrl-C ends" });
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted.map_err(Error::Listen),
        ended = stage.serve(options) => ended,
    }
}

// === impl Stage ===

impl Stage {
    async fn set(options: &RunOptions, project: &Project, built: &Built) -> Result<Self, Error> {
        let binary = inproxy_envoy::find(options.envoy.as_deref(), |installing| say("Fetching", installing))?;
        let mut servers = vec![Upstream::serve(|request| async move { echo(&request) }).await.map_err(Error::Listen)?];
        let mut clusters = Vec::new();
        for service in &project.run.cluster {
            let answers: Arc<[Answer]> = service.answer.clone().into();
            let server = Upstream::serve(move |request| {
                let answer = answer(&answers, &request);
                async move { answer }
            });
            let server = server.await.map_err(Error::Listen)?;
            clusters.push(Cluster::new(&service.name, [server.address()]));
            servers.push(server);
        }
        clusters.extend(servers.first().map(|upstream| Cluster::new(UPSTREAM, [upstream.address()])));

        let envoy = Envoy::start(&Options::new(binary)).await?;
        envoy.put_clusters(&clusters).await?;
        let mut delivery = Delivery::new("filter", envoy.dir());
        deliver(&mut delivery, project, built)?;
        let mut listener = Listener::new("ingress", UPSTREAM).with_filter(delivery.source());
        listener.address.set_port(options.port);
        let address = envoy.put_listener(&listener).await?;
        // The listener is there either way: Envoy does not wait for a filter that it refused.
        taken(&envoy, (0, 0)).await?;
        Ok(Self { envoy, address, delivery, _servers: servers })
    }

    /// Sends the sample requests and prints what comes back; how many were not answered as expected.
    async fn show(&self, samples: &[Sample]) -> Result<usize, Error> {
        let mut wrong = 0;
        for sample in samples {
            let response = client::send(self.address, request(sample)?).await?;
            println!("\n  {} {}  ({})", sample.method, sample.path, sample.title);
            println!("    {}", response.status());
            for (name, value) in response.headers().iter().filter(|(name, _)| !OF_EVERY_RESPONSE.contains(&name.as_str())) {
                println!("    {name}: {}", String::from_utf8_lossy(value.as_bytes()));
            }
            for line in String::from_utf8_lossy(response.body()).lines() {
                println!("    | {line}");
            }
            if let Some(expected) = sample.expect.filter(|expected| *expected != response.status().as_u16()) {
                println!("    expected {expected}");
                wrong += 1;
            }
        }
        println!();
        Ok(wrong)
    }

    /// Delivers what changes, until it is dropped.
    async fn serve(&mut self, options: &RunOptions) -> Result<(), Error> {
        let mut seen = Snapshot::take(&options.dir);
        loop {
            tokio::time::sleep(Duration::from_millis(200)).await;
            self.envoy.still_running()?;
            let now = Snapshot::take(&options.dir);
            if !options.watch || now == seen {
                continue;
            }
            seen = now;
            // What is wrong with a change is no reason to stop serving what was there before.
            if let Err(error) = self.renew(&options.dir).await {
                say("Kept", &format!("what was there: {error}"));
            }
        }
    }

    async fn renew(&mut self, dir: &Path) -> Result<(), Error> {
        let started = Instant::now();
        let project = Project::read(dir)?;
        let built = build(dir)?;
        let before = updates(&self.envoy).await?;
        deliver(&mut self.delivery, &project, &built)?;
        taken(&self.envoy, before).await?;
        say("Live", &format!("after {:.1} s", started.elapsed().as_secs_f64()));
        self.show(&project.run.request).await.map(drop)
    }
}

/// What Envoy and the demonstration's server add to every response.
const OF_EVERY_RESPONSE: [&str; 5] = ["content-length", "content-type", "date", "server", "x-envoy-upstream-service-time"];

fn deliver(delivery: &mut Delivery, project: &Project, built: &Built) -> Result<(), Error> {
    let module = Module {
        root_id: project.filter.root_id.clone(),
        configuration: project.configuration(),
        hold_headers: project.filter.held,
        ..Module::new(&built.path)
    };
    delivery.deliver(&module).map_err(|error| Error::File { path: built.path.clone(), error })?;
    Ok(())
}

/// How many deliveries Envoy has read, and how many of them it has refused.
async fn updates(envoy: &Envoy) -> Result<(u64, u64), Error> {
    const PREFIX: &str = "extension_config_discovery.http_filter.filter.";
    let stats = envoy.admin().stats(PREFIX).await?;
    let stat = |what: &str| stats.get(&format!("{PREFIX}{what}")).copied().unwrap_or(0);
    Ok((stat("config_reload"), stat("config_fail")))
}

/// Waits until Envoy has read one more delivery.
///
/// # Errors
///
/// [`Error::Refused`] with what Envoy and the filter said, if it refused that one.
async fn taken(envoy: &Envoy, before: (u64, u64)) -> Result<(), Error> {
    loop {
        envoy.still_running()?;
        let (read, refused) = updates(envoy).await?;
        if refused > before.1 {
            return Err(Error::Refused(reasons(&envoy.log())));
        }
        if read > before.0 {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Why a filter was refused: what it said itself, once, though every VM says it; else the end of Envoy's log.
pub(crate) fn reasons(log: &str) -> String {
    let said = log.lines().filter_map(|line| Some(line.split_once("wasm log")?.1.split_once(": ")?.1));
    let mut reasons: Vec<_> = said.rev().take(4).collect();
    if reasons.is_empty() {
        reasons = log.lines().rev().take(4).collect();
    }
    reasons.reverse();
    reasons.dedup();
    reasons.join("\n")
}

fn request(sample: &Sample) -> Result<Request<Full<Bytes>>, Error> {
    let mut request = Request::builder().method(sample.method.as_str()).uri(&sample.path);
    for (name, value) in &sample.headers {
        request = request.header(name, value);
    }
    request.body(Full::from(sample.body.clone())).map_err(|error| Error::Sample { title: sample.title.clone(), reason: error.to_string() })
}

/// The upstream: tells what reached it.
fn echo(request: &Request<Bytes>) -> Response<Full<Bytes>> {
    let mut seen = format!("the upstream saw {} {}\n", request.method(), request.uri());
    for (name, value) in request.headers().iter().filter(|(name, _)| !name.as_str().starts_with("x-envoy-")) {
        seen.push_str(&format!("{name}: {}\n", String::from_utf8_lossy(value.as_bytes())));
    }
    if !request.body().is_empty() {
        seen.push_str(&format!("\n{}\n", String::from_utf8_lossy(request.body())));
    }
    let mut response = Response::new(Full::from(seen));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    response
}

/// A service of `inproxy.toml`.
fn answer(answers: &[Answer], request: &Request<Bytes>) -> Response<Full<Bytes>> {
    let fits = |answer: &&Answer| {
        answer.when.iter().all(|(name, value)| request.headers().get(name).is_some_and(|found| found.as_bytes() == value.as_bytes()))
    };
    let Some(answer) = answers.iter().find(fits) else {
        let mut response = Response::new(Full::default());
        *response.status_mut() = StatusCode::NOT_FOUND;
        return response;
    };
    let mut response = Response::new(Full::from(answer.body.clone()));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in &answer.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response.headers_mut().append(name, value);
        }
    }
    response
}

/// One line of progress, as cargo writes its own.
pub(crate) fn say(verb: &str, what: &str) {
    eprintln!("{verb:>12} {what}");
}
