//! Who is at the other end, as workloads tell each other in headers.

use std::{rc::Rc, time::Duration};

use inproxy::{cache::Cache, headers::HeadersMut, prelude::*, time};

use crate::{
    config::istio::Reporter,
    istio::{ID_HEADER, METADATA_HEADER, Workload, decoded, encoded},
};

/// How many peers are remembered, and for how long: they are what they were, but it costs to understand them.
const PEERS: usize = 500;
const REMEMBERED: Duration = Duration::from_secs(3600);

/// What is longer is understood each time anew: clients outside the mesh can send what they like.
const LONGEST: usize = 4096;

/// What this workload tells, and what it has heard.
pub(crate) struct Peers {
    id: HeaderValue,
    metadata: HeaderValue,
    known: Cache<Vec<u8>, Rc<Workload>>,
}

/// What one side has told.
#[derive(Debug, Default)]
pub(crate) struct Told {
    id: bool,
    metadata: bool,
    pub(crate) workload: Option<Rc<Workload>>,
}

// === impl Peers ===

impl Peers {
    pub(crate) fn try_new(plugin: &Plugin) -> Result<Self> {
        let node = plugin.node();
        let labels = node.metadata().map("LABELS").unwrap_or_default();
        let labels = labels.into_iter().filter_map(|(name, value)| Some((name, value.text()?.to_owned()))).collect();
        let metadata = encoded(|key| node.metadata().text(key).ok(), labels);
        Ok(Self { id: HeaderValue::try_from(node.id().unwrap_or_default())?, metadata: HeaderValue::try_from(metadata)?, known: Cache::new(PEERS) })
    }

    /// The request: the client's workload has told who it is, and this one tells the server's.
    pub(crate) fn request(&self, mut headers: HeadersMut<'_>, reporter: Reporter) -> Told {
        let peer = self.taken(&mut headers);
        if reporter == Reporter::Source {
            told(headers.insert(ID_HEADER, &self.id));
            told(headers.insert(METADATA_HEADER, &self.metadata));
        }
        peer
    }

    /// The response: the server's workload has told who it is, and this one tells the client's what that has told of itself.
    pub(crate) fn response(&self, mut headers: HeadersMut<'_>, reporter: Reporter, client: &Told) -> Told {
        let peer = self.taken(&mut headers);
        if reporter == Reporter::Destination {
            if client.id {
                told(headers.insert(ID_HEADER, &self.id));
            }
            if client.metadata {
                told(headers.insert(METADATA_HEADER, &self.metadata));
            }
        }
        peer
    }

    /// What headers tell: they go no further.
    fn taken(&self, headers: &mut HeadersMut<'_>) -> Told {
        let (id, metadata) = (headers.get(ID_HEADER), headers.get(METADATA_HEADER));
        if id.is_some() {
            told(headers.remove(ID_HEADER));
        }
        if metadata.is_some() {
            told(headers.remove(METADATA_HEADER));
        }
        Told { id: id.is_some(), metadata: metadata.is_some(), workload: metadata.and_then(|metadata| self.workload(metadata.as_bytes())) }
    }

    fn workload(&self, metadata: &[u8]) -> Option<Rc<Workload>> {
        let Ok(now) = time::now() else { return decoded(metadata).map(Rc::new) };
        if let Some(known) = self.known.get(metadata, now) {
            return Some(known);
        }
        let workload = Rc::new(decoded(metadata)?);
        if metadata.len() > LONGEST {
            return Some(workload);
        }
        self.known.insert(metadata.to_vec(), Rc::clone(&workload), REMEMBERED, now);
        Some(workload)
    }
}

/// A request does not suffer from what cannot be told.
fn told(edit: Result<()>) {
    if let Err(error) = edit {
        log::warn!("the exchange of metadata: {error:#}");
    }
}

impl std::fmt::Debug for Peers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Peers").field("id", &self.id).finish_non_exhaustive()
    }
}
