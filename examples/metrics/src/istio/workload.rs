/// What stands for what is not known.
pub(crate) const UNKNOWN: &str = "unknown";

/// Who sends or serves a request. What is not known is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Workload {
    pub(crate) name: String,
    pub(crate) namespace: String,
    pub(crate) app: String,
    pub(crate) version: String,
    /// The canonical service.
    pub(crate) service: String,
    /// Its revision.
    pub(crate) revision: String,
    pub(crate) cluster: String,
}

// === impl Workload ===

impl Workload {
    /// One of which something is known: its canonical service is the workload, if it has none, and the revision the latest.
    pub(crate) fn known(mut self) -> Self {
        if self.service.is_empty() {
            self.service.clone_from(&self.name);
        }
        if self.revision.is_empty() {
            "latest".clone_into(&mut self.revision);
        }
        self
    }

    /// From the metadata of an endpoint: `workload;namespace;canonical_service;canonical_revision`, and the cluster, if it is told.
    pub(crate) fn of_endpoint(text: &str) -> Option<Self> {
        let mut parts = text.split(';').map(str::to_owned);
        let mut next = || parts.next();
        let of =
            Self { name: next()?, namespace: next()?, service: next()?, revision: next()?, cluster: next().unwrap_or_default(), ..Self::default() };
        Some(of.known())
    }
}
