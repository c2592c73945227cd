//! What is offered and what is admitted, over time: `cargo run -p rate-limit --example chart`.
//!
//! Half a minute of load goes through the real Envoy, with two workers, at a bucket and at a quota. It writes `chart.csv` and `chart.svg` anew.

#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "this runs on the host, not in the proxy: a failure ends it"
)]

mod drawing;

use std::{fs, path::Path, time::Duration};

use futures_util::future::join_all;
use inproxy_test::{HostKind, Proxy, Request, Running, json};
use rate_limit::RateLimit;
use tokio::time::{Instant, sleep_until};

use self::drawing::{Second, drawing, to_csv};

/// How long it takes, in seconds.
const LENGTH: f64 = 30.0;

/// How many requests are offered each second: at the beginning and at the end, and half way.
const OFFERED: (f64, f64) = (20.0, 200.0);

/// The paths of the two limits.
const PATHS: [&str; 2] = ["/bucket", "/window"];

/// When requests are sent, in seconds: the ramp's integral crosses a whole number.
fn times() -> Vec<f64> {
    const STEPS: u32 = 100_000;
    let (mut times, mut sum) = (Vec::new(), 0.0);
    for step in 0..STEPS {
        let time = LENGTH * f64::from(step) / f64::from(STEPS);
        let height = 1.0 - (time - LENGTH / 2.0).abs() / (LENGTH / 2.0);
        sum += (OFFERED.0 + (OFFERED.1 - OFFERED.0) * height) * LENGTH / f64::from(STEPS);
        if sum >= 1.0 {
            sum -= 1.0;
            times.push(time);
        }
    }
    times
}

/// Sends a request at its time, whatever became of those before; its status.
async fn send(proxy: &Running, began: Instant, time: f64, path: &str) -> u16 {
    sleep_until(began + Duration::from_secs_f64(time)).await;
    proxy.send(Request::get(path)).await.status()
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let limits = json!([
        { "name": "bucket", "match": { "paths": [PATHS[0]] }, "fail_open": false, "bucket": { "max_tokens": 100, "tokens_per_fill": 5, "fill_interval": "100ms" } },
        { "name": "window", "match": { "paths": [PATHS[1]] }, "fail_open": false, "quota": { "max_amount": 250, "valid_duration": "5s" } },
    ]);
    let proxy = Proxy::<RateLimit>::on(HostKind::Envoy, "chart").configure(json!({ "limits": limits })).workers(2).start().await;
    let (times, began) = (times(), Instant::now() + Duration::from_millis(100));
    let sent = PATHS.map(|path| join_all(times.iter().map(|time| send(&proxy, began, *time, path))));
    let [bucket, window] = sent;
    let (bucket, window) = tokio::join!(bucket, window);
    let mut seconds = vec![Second::default(); LENGTH as usize];
    for (place, time) in times.iter().enumerate() {
        let Some(second) = seconds.get_mut(*time as usize) else { continue };
        second.offered += 1;
        for (limit, statuses) in [&bucket, &window].into_iter().enumerate() {
            match statuses.get(place) {
                Some(200) => second.admitted[limit] += 1,
                Some(429) => second.refused[limit] += 1,
                other => panic!("a request at {time} s got {other:?}"),
            }
        }
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    fs::write(folder.join("chart.csv"), to_csv(&seconds)).unwrap();
    fs::write(folder.join("chart.svg"), drawing(&seconds)).unwrap();
}
