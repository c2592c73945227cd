//! Access loggers.

use inproxy::{attributes::Optional, hooks::Finished, log, prelude::*};

/// Logs what it is told of each request.
#[access_logger]
#[config]
#[derive(Debug)]
pub struct Tell {
    #[serde(default)]
    prefix: String,
}

impl AccessLogger for Tell {
    fn log(&self, stream: Finished<'_>) {
        let text = |value: Option<inproxy::headers::HeaderValue>| value.map(|value| value.to_string_lossy().into_owned()).unwrap_or_default();
        let code = stream.attributes().response().code().map(|code| code.as_u16()).optional();
        log::info!(
            "{}{} {} -> {code:?} {} {} {:?} replied {}",
            self.prefix,
            text(stream.request_headers().get(":method")),
            text(stream.request_headers().get(":path")),
            text(stream.response_headers().get("x-upstream")),
            text(stream.response_trailers().get("x-trailer")),
            stream.attributes().response().code_details().optional(),
            stream.replied(),
        );
    }
}

// ANCHOR: batches
use std::{cell::RefCell, rc::Rc, time::Duration};

use inproxy::time;

/// Where the lines go, and how many are kept while that is slow.
#[config]
#[derive(Debug)]
pub struct Collector {
    collector: Cluster,
    #[serde(default = "enough")]
    at_most: usize,
}

fn enough() -> usize {
    10_000
}

/// Sends a line for each request to a collector, once a second.
#[access_logger]
#[derive(Debug)]
pub struct Batches {
    lines: Rc<RefCell<Vec<String>>>,
    at_most: usize,
}

impl Configure for Batches {
    type Config = Collector;

    fn configure(Collector { collector, at_most }: Collector, plugin: &mut Plugin) -> Result<Self> {
        let lines = Rc::new(RefCell::new(Vec::new()));
        let pending = Rc::clone(&lines);
        plugin.spawn(async move {
            let mut ticks = time::interval(Duration::from_secs(1));
            loop {
                ticks.tick().await;
                let lines: Vec<String> = pending.take();
                if lines.is_empty() {
                    continue;
                }
                if let Err(error) = collector.post("/lines").body(lines.join("\n")).send().await.and_then(|answer| answer.require_success()) {
                    log::warn!("{} lines were not collected: {error}", lines.len());
                }
            }
        });
        Ok(Self { lines, at_most })
    }
}

impl AccessLogger for Batches {
    fn log(&self, stream: Finished<'_>) {
        let attributes = stream.attributes();
        let path = stream.request_headers().get(":path").map(|path| path.to_string_lossy().into_owned());
        let line = format!("{} {}", attributes.response().code().map_or(0, |code| code.as_u16()), path.unwrap_or_default());
        let mut lines = self.lines.borrow_mut();
        if lines.len() < self.at_most {
            lines.push(line);
        }
    }
}
// ANCHOR_END: batches

/// Panics at some requests.
#[access_logger]
#[config]
#[derive(Debug)]
pub struct FallsOver;

impl AccessLogger for FallsOver {
    #[allow(clippy::panic, reason = "that is what it is for")]
    fn log(&self, stream: Finished<'_>) {
        if stream.request_headers().get(":path").is_some_and(|path| path == "/fall") {
            panic!("told to");
        }
        log::info!("logged");
    }
}
