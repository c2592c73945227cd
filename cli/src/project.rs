//! `inproxy.toml`: how a filter is shown at work.

use std::{collections::BTreeMap, fs, io, path::Path};

use serde::Deserialize;

use crate::Error;

/// What stands in `inproxy.toml`, beside a filter's Cargo.toml. Without the file everything has its default.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Project {
    /// The filter and its configuration.
    #[serde(default)]
    pub filter: Filter,
    /// What `cargo inproxy run` puts around it.
    #[serde(default)]
    pub run: Run,
}

/// The filter and its configuration.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Filter {
    /// Which filter of the module; needed only if it has several.
    #[serde(default)]
    pub root_id: String,
    /// Its configuration, which it gets as JSON.
    #[serde(default)]
    pub config: Option<toml::Table>,
    /// Whether it reads bodies while it holds the headers: sets `allow_on_headers_stop_iteration`.
    #[serde(default)]
    pub held: bool,
}

/// What `cargo inproxy run` puts around the filter: clusters, and requests that show what it does.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// Clusters that the filter calls.
    #[serde(default)]
    pub cluster: Vec<Service>,
    /// Requests that are sent through the filter.
    #[serde(default)]
    pub request: Vec<Sample>,
}

/// A cluster, with a server that answers by rule.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// The cluster's name.
    pub name: String,
    /// Its answers; the first that fits is given, 404 if none does.
    #[serde(default)]
    pub answer: Vec<Answer>,
}

/// One answer of a server.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// The request headers that it is for; all must have just this value.
    #[serde(default)]
    pub when: BTreeMap<String, String>,
    /// The status.
    #[serde(default = "ok")]
    pub status: u16,
    /// The headers.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// The body.
    #[serde(default)]
    pub body: String,
}

/// One request that shows what the filter does.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sample {
    /// What it shows.
    pub title: String,
    /// The method.
    #[serde(default = "get")]
    pub method: String,
    /// Path and query.
    #[serde(default = "slash")]
    pub path: String,
    /// The headers.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// The body.
    #[serde(default)]
    pub body: String,
    /// The status that must come back.
    pub expect: Option<u16>,
}

// === impl Project ===

impl Project {
    /// Reads the `inproxy.toml` of a folder; what it says by default if there is none.
    ///
    /// # Errors
    ///
    /// [`Error::Project`] with line and column of the fault.
    pub fn read(dir: &Path) -> Result<Self, Error> {
        let path = dir.join("inproxy.toml");
        let mut project: Self = match fs::read_to_string(&path) {
            Ok(text) => toml::from_str(&text).map_err(|error| Error::Project { path, error: Box::new(error) })?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Self::default(),
            Err(error) => return Err(Error::File { path, error }),
        };
        if project.run.request.is_empty() {
            project.run.request.push(Sample {
                title: "a plain request".to_owned(),
                method: get(),
                path: slash(),
                headers: BTreeMap::new(),
                body: String::new(),
                expect: None,
            });
        }
        Ok(project)
    }

    /// The filter's configuration as it is given to the proxy.
    pub fn configuration(&self) -> Option<String> {
        self.filter.config.as_ref().and_then(|config| serde_json::to_string(config).ok())
    }
}

fn ok() -> u16 {
    200
}

fn get() -> String {
    "GET".to_owned()
}

fn slash() -> String {
    "/".to_owned()
}
