//! Metrics of all kinds, changed as the request's path says.

use std::time::Duration;

use inproxy::{
    metrics::{Counter, Family, Gauge, Group, Histogram, Member, UpDownCounter},
    prelude::*,
};

/// Has one metric of each kind, with and without labels.
#[filter(root_id = "metrics_of_each_kind")]
#[derive(Debug)]
pub struct Metrics {
    sets: Vec<[Vec<u8>; 2]>,
    counter: Counter,
    gauge: Gauge,
    under_way: UpDownCounter,
    took: Histogram,
    took_us: Histogram,
    requests: Family<Counter, 2>,
    levels: Family<Gauge, 1>,
    open: Family<UpDownCounter, 1>,
    sizes: Family<Histogram, 1>,
    group: Group,
    group_total: Member<Counter>,
    group_size: Member<Histogram>,
}

/// How [`Metrics`] are defined.
#[config]
pub struct Settings {
    #[serde(default = "counter")]
    counter: String,
    #[serde(default = "label")]
    label: String,
    #[serde(default)]
    at_most: Option<usize>,
    #[serde(default)]
    buckets: Option<Vec<u64>>,
    /// How many label sets a group may have in all VMs together.
    #[serde(default)]
    together: Option<usize>,
    /// The labels of the group.
    #[serde(default)]
    group: Vec<String>,
    /// Label sets that `/sets` counts.
    #[serde(default)]
    sets: Vec<[Vec<u8>; 2]>,
}

fn counter() -> String {
    "metrics.counter".to_owned()
}

fn label() -> String {
    "code".to_owned()
}

impl Configure for Metrics {
    type Config = Settings;

    fn configure(config: Settings, plugin: &mut Plugin) -> Result<Self> {
        let mut requests = plugin.counter_family("metrics_requests_total", ["status_code", &config.label])?;
        if let Some(at_most) = config.at_most {
            requests = requests.at_most(at_most);
        }
        if let Some(buckets) = config.buckets {
            plugin.histogram_buckets("metrics_sizes", &buckets)?;
        }
        // ANCHOR: group
        let mut group = plugin.metric_group(&config.group);
        let group_total = group.counter("metrics_group_total");
        let group_size = group.histogram("metrics_group_size");
        let mut group = group.build()?;
        // ANCHOR_END: group
        if let Some(at_most) = config.together {
            group = group.at_most_together(at_most);
        }
        Ok(Self {
            group,
            group_total,
            group_size,
            sets: config.sets,
            counter: plugin.counter(&config.counter)?,
            gauge: plugin.gauge("metrics.gauge")?,
            under_way: plugin.up_down_counter("metrics.under_way")?,
            took: plugin.histogram("metrics_took_ms")?,
            took_us: plugin.histogram("metrics_took_us")?,
            requests,
            levels: plugin.gauge_family("metrics_level", ["tank"])?,
            open: plugin.up_down_counter_family("metrics_open", ["door"])?,
            sizes: plugin.histogram_family("metrics_sizes", ["code"])?,
        })
    }
}

impl Metrics {
    fn change(&self, what: &str, number: u64) {
        match what {
            "counter" => self.counter.add(number),
            "gauge" => self.gauge.set(number),
            "up" => self.under_way.add(number),
            "down" => self.under_way.sub(number),
            "took" => {
                self.took.record_duration(Duration::from_micros(number));
                self.took_us.record_duration(Duration::from_micros(number));
            }
            "level" => self.levels.with(["a.b"]).set(number),
            "open" => self.open.with(["front"]).add(number),
            "close" => self.open.with(["front"]).sub(number),
            "size" => self.sizes.with(["200"]).record(number),
            "again" => (0..number).for_each(|_| self.requests.with(["200", "/a.b"]).increment()),
            "distinct" => (0..number).for_each(|nth| self.requests.with([nth.to_string().as_str(), "/"]).increment()),
            "group" => {
                // ANCHOR: group_use
                let series = self.group.with(&[number.to_string().as_bytes(), b"/a.b"]);
                series.of(&self.group_total).increment();
                series.of(&self.group_size).record(number);
                // ANCHOR_END: group_use
            }
            "short" => self.group.with(&[number.to_string().as_bytes()]).of(&self.group_total).increment(),
            "long" => self.group.with(&[number.to_string().as_bytes(), b"/a.b", b"", b"", b"one too many"]).of(&self.group_total).increment(),
            "sets" => self.sets.iter().for_each(|set| self.requests.with(set.each_ref()).increment()),
            _ => {}
        }
    }
}

impl HttpFilter for Metrics {
    async fn handle(&self, request: Request, next: Next) -> Result<Response> {
        let held = request.headers().contains("x-hold").then(|| self.under_way.hold());
        let path = request.path();
        let mut parts = path.as_ref().and_then(HeaderValue::to_str).unwrap_or_default().split('/').skip(1);
        while let (Some(what), Some(number)) = (parts.next(), parts.next()) {
            self.change(what, number.parse()?);
        }
        let mut response = next.run(request).await;
        drop(held);
        let values = [self.counter.value()?, self.gauge.value()?, self.under_way.value()?].map(|value| value.to_string());
        response.headers_mut().insert("x-values", values.join(" "))?;
        response.headers_mut().insert("x-label-sets", self.requests.label_sets().to_string())?;
        Ok(response)
    }
}
