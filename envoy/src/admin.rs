use std::{collections::BTreeMap, net::SocketAddr};

use http_body_util::Full;
use hyper::{Request, body::Bytes};
use serde_json::Value;

use crate::client::{self, ClientError};

/// Envoy's [administration interface](https://www.envoyproxy.io/docs/envoy/v1.40.0/operations/admin).
#[derive(Clone, Copy, Debug)]
pub struct Admin {
    address: SocketAddr,
}

// === impl Admin ===

impl Admin {
    pub(crate) const fn new(address: SocketAddr) -> Self {
        Self { address }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What is behind a path; `None` if the answer is not 200.
    ///
    /// # Errors
    ///
    /// [`ClientError`] if there is no answer.
    pub async fn get(&self, path: &str) -> Result<Option<Bytes>, ClientError> {
        let mut request = Request::new(Full::default());
        if let Ok(uri) = path.parse() {
            *request.uri_mut() = uri;
        }
        let response = client::send(self.address, request).await?;
        Ok((response.status() == 200).then(|| response.into_body()))
    }

    /// The value of a counter or gauge; `None` if Envoy has none of this name.
    ///
    /// # Errors
    ///
    /// [`ClientError`] if there is no answer.
    pub async fn stat(&self, name: &str) -> Result<Option<u64>, ClientError> {
        Ok(self.stats(name).await?.remove(name))
    }

    /// The counters and gauges that were used, and whose names begin with `prefix`.
    ///
    /// # Errors
    ///
    /// [`ClientError`] if there is no answer.
    pub async fn stats(&self, prefix: &str) -> Result<BTreeMap<String, u64>, ClientError> {
        let json = self.json("/stats?format=json&usedonly").await?;
        let stats = json.pointer("/stats").and_then(Value::as_array).cloned().unwrap_or_default();
        let named = stats.iter().filter_map(|stat| Some((stat.get("name")?.as_str()?, stat.get("value")?.as_u64()?)));
        Ok(named.filter(|(name, _)| name.starts_with(prefix)).map(|(name, value)| (name.to_owned(), value)).collect())
    }

    /// The names of all statistics that begin with `prefix`, also of those that were never used.
    ///
    /// # Errors
    ///
    /// [`ClientError`] if there is no answer.
    pub async fn stat_names(&self, prefix: &str) -> Result<Vec<String>, ClientError> {
        let body = self.get("/stats").await?.unwrap_or_default();
        let text = String::from_utf8_lossy(&body);
        let names = text.lines().filter_map(|line| line.rsplit_once(": ")).map(|(name, _)| name);
        Ok(names.filter(|name| name.starts_with(prefix)).map(str::to_owned).collect())
    }

    /// How many values a histogram has taken.
    ///
    /// # Errors
    ///
    /// [`ClientError`] if there is no answer.
    pub async fn samples(&self, name: &str) -> Result<u64, ClientError> {
        let json = self.json("/stats?format=json&type=Histograms&histogram_buckets=detailed&usedonly").await?;
        let details = json.pointer("/stats/0/histograms/details").and_then(Value::as_array).cloned().unwrap_or_default();
        let named = details.iter().find(|histogram| histogram.get("name").and_then(Value::as_str) == Some(name));
        let buckets = named.and_then(|histogram| histogram.get("totals")).and_then(Value::as_array).cloned().unwrap_or_default();
        Ok(buckets.iter().filter_map(|bucket| bucket.get("count")?.as_u64()).sum())
    }

    /// What is behind a path, as JSON; null if it is not.
    pub(crate) async fn json(&self, path: &str) -> Result<Value, ClientError> {
        let body = self.get(path).await?.unwrap_or_default();
        Ok(serde_json::from_slice(&body).unwrap_or_default())
    }
}
