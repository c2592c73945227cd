//! What Envoy's bootstrap must say of filters' metrics: which labels there are in the names of statistics, and the buckets of histograms.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

/// Labels and buckets of filters' metrics, for the [`stats_config`](https://www.envoyproxy.io/docs/envoy/v1.40.0/api-v3/config/metrics/v3/stats.proto#envoy-v3-api-msg-config-metrics-v3-statsconfig) of a bootstrap.
///
/// `inproxy::metrics` writes labels into the name of a statistic, as `wasmcustom.code=.=200;.;method=.=GET;.;requests_total`. Envoy takes them out again by one regular expression for each name of a label, whichever metrics have it.
///
/// # Examples
///
/// ```
/// use inproxy_envoy::StatsConfig;
///
/// let config = StatsConfig::default().with_labels(["code"]).with_buckets("request_duration_ms", &[5, 50]);
/// assert_eq!(
///     config.to_json().to_string(),
///     r#"{"histogram_bucket_settings":[{"buckets":[5,50],"match":{"safe_regex":{"regex":"wasmcustom\\.(.*;\\.;)?request_duration_ms"}}}],"#.to_owned()
///         + r#""stats_tags":[{"regex":"^wasmcustom\\.(?:.*;\\.;)?(code=\\.=(.*?);\\.;)","tag_name":"code"}]}"#
/// );
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StatsConfig {
    labels: BTreeSet<String>,
    buckets: BTreeMap<String, Vec<u64>>,
    istio: bool,
}

/// The name of a filter's statistic, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatName {
    /// The name of the metric.
    pub metric: String,
    /// Names and values of its labels.
    pub labels: Vec<(String, String)>,
}

/// What Envoy has before the names of all statistics of wasm modules.
const NAMESPACE: &str = "wasmcustom.";
const EQUALS: &str = "=.=";
const END: &str = ";.;";

// === impl StatsConfig ===

impl StatsConfig {
    /// Adds names of labels.
    #[must_use]
    pub fn with_labels<L: Into<String>>(mut self, labels: impl IntoIterator<Item = L>) -> Self {
        self.labels.extend(labels.into_iter().map(Into::into));
        self
    }

    /// Sets the upper bounds of the buckets of a histogram, for all its label sets.
    #[must_use]
    pub fn with_buckets(mut self, metric: &str, bounds: &[u64]) -> Self {
        self.buckets.insert(metric.to_owned(), bounds.to_owned());
        self
    }

    /// Writes the expressions that Istio makes of `extraStatTags`, and has Envoy leave its own out, as Istio does: to see what will be seen there.
    #[must_use]
    pub fn as_istio(mut self) -> Self {
        self.istio = true;
        self
    }

    /// Adds the labels that names of statistics have. A family has a series from the beginning, so that the statistics of a proxy that has just been configured are enough.
    #[must_use]
    pub fn with_labels_of<'s>(self, stats: impl IntoIterator<Item = &'s str>) -> Self {
        let names = stats.into_iter().map(StatName::parse).flat_map(|name| name.labels.into_iter().map(|(label, _)| label));
        self.with_labels(names)
    }

    /// The names of the labels, as Istio's [`extraStatTags`](https://istio.io/latest/docs/reference/config/istio.mesh.v1alpha1/#ProxyConfig) takes them: it makes expressions of its own of them, which read the same names of statistics.
    pub fn labels(&self) -> impl Iterator<Item = &str> {
        self.labels.iter().map(String::as_str)
    }

    /// The bounds of a histogram's buckets.
    pub fn buckets(&self, metric: &str) -> Option<&[u64]> {
        self.buckets.get(metric).map(Vec::as_slice)
    }

    /// The `envoy.config.metrics.v3.StatsConfig` message. The expressions begin with the namespace of wasm modules, so that Envoy tries them on no other statistic.
    pub fn to_json(&self) -> Value {
        let before = if self.istio { "" } else { r"^wasmcustom\.(?:.*;\.;)?" };
        let tags = self.labels.iter().map(|label| json!({ "tag_name": label, "regex": format!(r"{before}({label}=\.=(.*?);\.;)") }));
        let buckets = self.buckets.iter().map(|(metric, bounds)| {
            let regex = format!(r"wasmcustom\.(.*;\.;)?{}", metric.replace('.', r"\."));
            json!({ "match": { "safe_regex": { "regex": regex } }, "buckets": bounds })
        });
        let mut config = serde_json::Map::new();
        for (name, values) in [("stats_tags", tags.collect::<Vec<_>>()), ("histogram_bucket_settings", buckets.collect())] {
            if !values.is_empty() {
                config.insert(name.to_owned(), Value::Array(values));
            }
        }
        if self.istio {
            config.insert("use_all_default_tags".to_owned(), json!(false));
        }
        Value::Object(config)
    }

    /// The name and the labels under which Envoy shows a statistic to Prometheus. A label that it is not told of stays in the name.
    pub fn shown(&self, stat: &str) -> StatName {
        let StatName { metric, labels } = StatName::parse(stat);
        let (labels, unknown): (Vec<_>, Vec<_>) = labels.into_iter().partition(|(label, _)| self.labels.contains(label));
        let rest: String = unknown.iter().map(|(label, value)| format!("{label}{EQUALS}{value}{END}")).collect();
        let metric = (rest + &metric).chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
        StatName { metric, labels }
    }
}

// === impl StatName ===

impl StatName {
    /// Takes the name of a statistic apart, with or without `wasmcustom.` before it.
    ///
    /// # Examples
    ///
    /// ```
    /// use inproxy_envoy::StatName;
    ///
    /// let name = StatName::parse("wasmcustom.code=.=200;.;requests_total");
    /// assert_eq!(name.metric, "requests_total");
    /// assert_eq!(name.labels, [("code".to_owned(), "200".to_owned())]);
    /// ```
    pub fn parse(stat: &str) -> Self {
        let mut rest = stat.strip_prefix(NAMESPACE).unwrap_or(stat);
        let mut labels = Vec::new();
        while let Some((label, value, behind)) = rest.split_once(END).and_then(|(label, behind)| {
            let (name, value) = label.split_once(EQUALS)?;
            Some((name, value, behind))
        }) {
            labels.push((label.to_owned(), value.to_owned()));
            rest = behind;
        }
        Self { metric: rest.to_owned(), labels }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_learned_from_names_of_statistics() {
        let stats = ["wasmcustom.a_total", "wasmcustom.code=.=__overflow__;.;route=.=__overflow__;.;b", "wasmcustom.code=.=;.;c"];
        let config = StatsConfig::default().with_labels_of(stats);
        assert_eq!(config.labels().collect::<Vec<_>>(), ["code", "route"]);
        assert_eq!(StatsConfig::default().with_labels_of(["wasmcustom.a"]).to_json(), json!({}));
    }

    #[test]
    fn a_label_that_envoy_is_not_told_of_stays_in_the_name() {
        let config = StatsConfig::default().with_labels(["code"]);
        let shown = config.shown("wasmcustom.code=.=a=.b;.;route=.=/x;.;n.m");
        assert_eq!((shown.metric.as_str(), shown.labels), ("route____x___n_m", vec![("code".to_owned(), "a=.b".to_owned())]));
    }
}
