//! The metrics of the cookbook: what `docs/cookbook/metrics.md` shows.

use inproxy::{
    metrics::{Counter, Family, Histogram, UpDownCounter},
    prelude::*,
    time::Instant,
};

// ANCHOR: requests
/// Counts requests by method, code and route, and measures how long they take.
#[filter(root_id = "cookbook_requests")]
#[derive(Debug)]
pub struct Requests {
    total: Family<Counter, 3>,
    duration: Family<Histogram, 1>,
    under_way: UpDownCounter,
    errors: Counter,
}

/// Nothing to configure.
#[config]
#[derive(Debug)]
pub struct Nothing;

/// The upper bounds of the buckets, in milliseconds.
const BUCKETS: [u64; 4] = [5, 50, 500, 5000];

impl Configure for Requests {
    type Config = Nothing;

    fn configure(_: Nothing, plugin: &mut Plugin) -> Result<Self> {
        plugin.histogram_buckets("edge_request_duration_ms", &BUCKETS)?;
        Ok(Self {
            total: plugin.counter_family("edge_requests_total", ["method", "code", "route"])?.at_most(500),
            duration: plugin.histogram_family("edge_request_duration_ms", ["route"])?,
            under_way: plugin.up_down_counter("edge_requests_under_way")?,
            errors: plugin.counter("edge_errors_total")?,
        })
    }
}

impl HttpFilter for Requests {
    async fn handle(&self, request: Request, next: Next) -> Result<Response> {
        let began = Instant::now();
        // Taken back when this function ends, however it does.
        let _under_way = self.under_way.hold();
        // A client may send any method: what is not one of the usual counts as one.
        let method = match request.method() {
            Some(method) if ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"].contains(&method.as_str()) => method.to_string(),
            _ => "other".to_owned(),
        };
        let route = request.route_name().unwrap_or_default();
        let response = next.run(request).await;
        if response.status().is_server_error() {
            self.errors.increment();
        }
        self.total.with([method.as_str(), response.status().as_str(), &route]).increment();
        self.duration.with([&route]).record_duration(began.elapsed());
        Ok(response)
    }
}
// ANCHOR_END: requests
