//! The dashboard's panels, and what their queries have.

use serde_json::Value;

use super::prometheus::{Prometheus, Series};

/// A panel, with its queries and what each is called.
pub struct Panel {
    pub title: String,
    pub unit: String,
    queries: Vec<(String, String)>,
}

/// A line of a panel.
pub struct Line {
    pub name: String,
    pub points: Vec<(f64, f64)>,
}

/// How many seconds back the queries look.
const SECONDS: f64 = 62.0;

// === impl Panel ===

impl Panel {
    pub fn all() -> Vec<Self> {
        let dashboard: Value = serde_json::from_str(include_str!("../../deploy/dashboard.json")).expect("JSON");
        let panels = dashboard["panels"].as_array().expect("panels").iter().map(|panel| {
            let text = |value: &Value| value.as_str().expect("a text").to_owned();
            let queries = panel["targets"].as_array().expect("queries").iter().map(|target| (text(&target["expr"]), text(&target["legendFormat"])));
            Self { title: text(&panel["title"]), unit: text(&panel["fieldConfig"]["defaults"]["unit"]), queries: queries.collect() }
        });
        panels.collect()
    }

    /// The metrics that its queries name.
    pub fn metrics(&self) -> impl Iterator<Item = &str> {
        let words = self.queries.iter().flat_map(|(query, _)| query.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_'));
        words.filter(|word| word.starts_with("istio_") || word.starts_with("metrics_"))
    }
}

/// The lines of a panel. Each query must have some that are numbers.
pub async fn shown(panel: &Panel, prometheus: &Prometheus) -> Vec<Line> {
    let mut lines = Vec::new();
    for (query, legend) in &panel.queries {
        // Grafana puts four times the interval between two scrapes.
        let query = query.replace("$__rate_interval", "4s");
        let series = prometheus.query_range(&query, SECONDS).await;
        let has_numbers = |series: &Series| series.points.iter().any(|(_, value)| value.is_finite());
        assert!(series.iter().any(has_numbers), "{}: nothing for {query}: {series:#?}", panel.title);
        lines.extend(series.into_iter().filter(has_numbers).map(|series| Line { name: name(legend, &series), points: series.points }));
    }
    lines
}

fn name(legend: &str, series: &Series) -> String {
    series.labels.iter().fold(legend.to_owned(), |name, (label, value)| name.replace(&format!("{{{{{label}}}}}"), value))
}
