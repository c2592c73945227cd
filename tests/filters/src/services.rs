//! Services of Envoy's bootstrap, and filters that work with them.

use std::{cell::Cell, time::Duration};

use inproxy::{log, metrics::Counter, prelude::*, queue::Queue, shared::Shared, time};

// ANCHOR: refresh
/// Fetches the list of those who are refused, for the filters of all workers.
#[service]
#[config]
#[derive(Debug)]
pub struct Refresh {
    lists: Cluster,
    every_ms: u64,
}

impl Service for Refresh {
    async fn run(&self) -> Result<()> {
        let refused = Shared::<String>::new("refresh/refused");
        loop {
            let list = self.lists.get("/refused").send().await?.require_success()?;
            refused.set(&String::from_utf8(list.into_body())?)?;
            time::sleep(Duration::from_millis(self.every_ms)).await;
        }
    }
}

/// Refuses who is on the list; anybody, as long as there is none.
#[filter]
#[config]
#[derive(Debug)]
pub struct Listed;

impl HttpFilter for Listed {
    async fn handle(&self, request: Request, next: Next) -> Result<Response> {
        let user = request.headers().get("x-user").map(|user| user.to_string_lossy().into_owned()).unwrap_or_default();
        match Shared::<String>::new("refresh/refused").get()? {
            None => Ok(Response::new(StatusCode::SERVICE_UNAVAILABLE)),
            Some(list) if list.lines().any(|refused| refused == user) => Ok(Response::new(StatusCode::FORBIDDEN)),
            Some(_) => Ok(next.run(request).await),
        }
    }
}
// ANCHOR_END: refresh

// ANCHOR: export
/// Sends on what the filters of all workers hand in.
#[service]
#[derive(Debug)]
pub struct Export {
    collector: Cluster,
    pending: Queue,
}

/// Where to.
#[config]
#[derive(Debug)]
pub struct Collector {
    collector: Cluster,
}

impl Configure for Export {
    type Config = Collector;

    fn configure(Collector { collector }: Collector, _: &mut Plugin) -> Result<Self> {
        Ok(Self { collector, pending: Queue::register("export/pending")? })
    }
}

impl Service for Export {
    async fn run(&self) -> Result<()> {
        loop {
            let report = self.pending.receive().await?;
            self.collector.post("/reports").body(report).send().await?.require_success()?;
        }
    }
}

/// Hands in each path.
#[filter]
#[config]
#[derive(Debug)]
pub struct Reports;

impl HttpFilter for Reports {
    async fn handle(&self, request: Request, next: Next) -> Result<Response> {
        if let (Some(pending), Some(path)) = (Queue::resolve("", "export/pending")?, request.headers().get(":path")) {
            pending.enqueue(path.as_bytes())?;
        }
        Ok(next.run(request).await)
    }
}
// ANCHOR_END: export

/// Counts where it runs, fails so many times, and is done.
#[service]
#[derive(Debug)]
pub struct Fails {
    left: Cell<u32>,
    runs: Counter,
}

/// How often.
#[config]
#[derive(Debug)]
pub struct Times {
    times: u32,
}

impl Configure for Fails {
    type Config = Times;

    fn configure(Times { times }: Times, plugin: &mut Plugin) -> Result<Self> {
        Ok(Self { left: Cell::new(times), runs: plugin.counter("service_runs")? })
    }
}

impl Service for Fails {
    async fn run(&self) -> Result<()> {
        self.runs.increment();
        if self.left.get() > 0 {
            self.left.set(self.left.get() - 1);
            return Err(Error::msg("not yet"));
        }
        log::info!("the service is done");
        Ok(())
    }
}
