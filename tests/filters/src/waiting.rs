//! Filters that wait for a time, and plugins with tasks of their own.

use std::{
    cell::{Cell, RefCell},
    future::ready,
    pin::pin,
    rc::Rc,
    time::Duration,
};

use inproxy::{
    future,
    prelude::*,
    task,
    time::{self, Instant},
};

/// Sleeps before and after the upstream is asked, and tells how long it took.
#[filter(root_id = "sleeper")]
#[config]
#[derive(Debug)]
pub struct Sleeper {
    before_ms: u64,
    #[serde(default)]
    after_ms: u64,
}

impl HttpFilter for Sleeper {
    async fn handle(&self, request: Request, next: Next) -> Result<Response> {
        let start = Instant::now();
        time::sleep(Duration::from_millis(self.before_ms)).await;
        let before = start.elapsed().as_millis();
        let mut response = next.run(request).await;
        time::sleep(Duration::from_millis(self.after_ms)).await;
        response.headers_mut().insert("x-before", before.to_string())?;
        response.headers_mut().insert("x-all", start.elapsed().as_millis().to_string())?;
        response.headers_mut().insert("x-epoch", time::now()?.duration_since(std::time::UNIX_EPOCH)?.as_secs().to_string())?;
        Ok(response)
    }
}

/// Asks a service, but does not wait for longer than it is told.
#[filter(root_id = "impatient")]
#[config]
#[derive(Debug)]
pub struct Impatient {
    service: Cluster,
    patience_ms: u64,
}

impl HttpFilter for Impatient {
    async fn handle(&self, request: Request, next: Next) -> Result<Response> {
        let asked = time::timeout(Duration::from_millis(self.patience_ms), self.service.get("/").send()).await;
        let outcome = match asked {
            Ok(answer) => answer?.status().as_u16().to_string(),
            Err(elapsed) => elapsed.to_string(),
        };
        let mut response = next.run(request).await;
        response.headers_mut().insert("x-outcome", outcome)?;
        Ok(response)
    }
}

/// Has a task that asks a service again and again; requests are told its last answer.
#[filter(root_id = "refreshed")]
#[derive(Debug)]
pub struct Refreshed {
    latest: Rc<RefCell<String>>,
    requests: Rc<Cell<u32>>,
}

/// Whom [`Refreshed`] asks, and how often.
#[config]
pub struct Refresh {
    source: Cluster,
    path: String,
    period_ms: u64,
}

impl Configure for Refreshed {
    type Config = Refresh;

    fn configure(config: Refresh, plugin: &mut Plugin) -> Result<Self> {
        let latest = Rc::new(RefCell::new("nothing".to_owned()));
        let filled = Rc::clone(&latest);
        let refused = config.path == "/refused";
        plugin.spawn(async move {
            let mut interval = time::interval(Duration::from_millis(config.period_ms));
            loop {
                interval.tick().await;
                match config.source.get(&config.path).send().await {
                    Ok(answer) => *filled.borrow_mut() = String::from_utf8_lossy(answer.body()).into_owned(),
                    Err(error) => log::warn!(path = config.path.as_str(), error:%; "the source has no answer"),
                }
            }
        });
        if refused {
            return Err(Error::msg("this path is not allowed"));
        }
        Ok(Self { latest, requests: Rc::default() })
    }
}

impl HttpFilter for Refreshed {
    async fn handle(&self, request: Request, next: Next) -> Result<Response> {
        let requests = Rc::clone(&self.requests);
        // Counts a while after the request.
        task::spawn(async move {
            time::sleep(Duration::from_millis(20)).await;
            requests.set(requests.get() + 1);
        });
        let mut response = next.run(request).await;
        response.headers_mut().insert("x-latest", self.latest.borrow().as_str())?;
        response.headers_mut().insert("x-requests", self.requests.get().to_string())?;
        Ok(response)
    }
}

/// Sets a timer in a tick, and takes it away in the same tick.
#[filter(root_id = "fickle")]
#[config]
#[derive(Debug)]
pub struct Fickle;

impl HttpFilter for Fickle {
    async fn handle(&self, request: Request, next: Next) -> Result<Response> {
        time::sleep(Duration::from_millis(5)).await;
        let _ = future::select(pin!(time::sleep(Duration::from_millis(20))), ready(())).await;
        Ok(next.run(request).await)
    }
}
