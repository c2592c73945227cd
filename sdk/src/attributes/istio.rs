use super::{AttributeError, Attributes, Keys, Metadata, Node};

/// What Istio's proxies know of each other, and of themselves.
///
/// Istio tells it in places of its own, which are not part of Envoy: the names here are those of [istio/proxy](https://github.com/istio/proxy/blob/master/extensions/common/metadata_object.h), since Istio 1.24. Filter state of the same type
/// was tried in Envoy 1.40, a running Istio was not.
///
/// # Examples
///
/// ```
/// use inproxy::{attributes::{AttributeError, Optional}, prelude::*};
///
/// /// Who calls whom: `shop/cart -> shop/payment`.
/// fn call(request: &Request) -> Result<Option<String>, AttributeError> {
///     let istio = request.attributes().istio();
///     let (caller, here) = (istio.downstream_peer(), istio.workload());
///     let Some(from) = caller.workload().optional()? else { return Ok(None) };
///     Ok(Some(format!("{}/{from} -> {}/{}", caller.namespace()?, here.namespace()?, here.workload()?)))
/// }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Istio<'a>(Attributes<'a>);

/// The workload at the other end of a connection, as Istio's metadata exchange found it.
///
/// [`AttributeError::Missing`] for what Istio does not know, and for all of a peer that is not in the mesh. It comes from the peer's proxy or from the control plane: with headers as the way of the exchange, a client that is not in the
/// mesh can make it up. To decide who may pass, use the [certificate](super::Connection::peer_certificate).
#[derive(Clone, Copy, Debug)]
pub struct IstioPeer<'a>(Metadata<'a>);

/// The workload that the proxy belongs to, as Istio's injection describes it in the [node's metadata](Node::metadata).
#[derive(Clone, Copy, Debug)]
pub struct IstioWorkload<'a>(Metadata<'a>);

// === impl Istio ===

impl<'a> Istio<'a> {
    pub(super) const fn new(attributes: Attributes<'a>) -> Self {
        Self(attributes)
    }

    /// The client. From the request's headers on.
    pub fn downstream_peer(&self) -> IstioPeer<'a> {
        self.0.filter_state().fields("downstream_peer").into()
    }

    /// The upstream. Istio's filter learns of it when the response's headers come to it: filters behind it in the chain meet the response before, and find it in `on_log`.
    pub fn upstream_peer(&self) -> IstioPeer<'a> {
        self.0.filter_state().fields("upstream_peer").into()
    }

    /// The workload that the proxy belongs to.
    pub fn workload(&self) -> IstioWorkload<'a> {
        self.0.xds().node().istio()
    }
}

// === impl IstioPeer ===

/// # Errors
///
/// All answer [`AttributeError`].
impl IstioPeer<'_> {
    /// Its name: that of the pod.
    pub fn name(&self) -> Result<String, AttributeError> {
        self.0.text("name")
    }

    /// The workload's name, such as that of the deployment.
    pub fn workload(&self) -> Result<String, AttributeError> {
        self.0.text("workload")
    }

    /// What kind of workload: `deployment`, `job`, `cronjob` or `pod`.
    pub fn kind(&self) -> Result<String, AttributeError> {
        self.0.text("type")
    }

    /// Its namespace.
    pub fn namespace(&self) -> Result<String, AttributeError> {
        self.0.text("namespace")
    }

    /// The cluster of machines where it runs.
    pub fn cluster(&self) -> Result<String, AttributeError> {
        self.0.text("cluster")
    }

    /// Its canonical service.
    pub fn service(&self) -> Result<String, AttributeError> {
        self.0.text("service")
    }

    /// The canonical revision of that.
    pub fn revision(&self) -> Result<String, AttributeError> {
        self.0.text("revision")
    }

    /// Its label `app`.
    pub fn app(&self) -> Result<String, AttributeError> {
        self.0.text("app")
    }

    /// Its label `version`.
    pub fn version(&self) -> Result<String, AttributeError> {
        self.0.text("version")
    }

    /// Its identity, where the control plane has told it.
    pub fn identity(&self) -> Result<String, AttributeError> {
        self.0.text("identity")
    }

    /// One of the further labels that the mesh's configuration names (`additional_labels` of the filter).
    pub fn label(&self, name: &str) -> Result<String, AttributeError> {
        self.0.text(["labels", name])
    }

    /// Anything else, by its keys.
    pub fn text(&self, keys: impl Keys) -> Result<String, AttributeError> {
        self.0.text(keys)
    }
}

/// For where else a proxy keeps a peer.
impl<'a> From<Metadata<'a>> for IstioPeer<'a> {
    fn from(fields: Metadata<'a>) -> Self {
        Self(fields)
    }
}

// === impl IstioWorkload ===

impl<'a> IstioWorkload<'a> {
    pub(super) fn new(node: Node<'a>) -> Self {
        Self(node.metadata())
    }
}

/// # Errors
///
/// All answer [`AttributeError`].
impl IstioWorkload<'_> {
    /// Its name: that of the pod.
    pub fn name(&self) -> Result<String, AttributeError> {
        self.0.text("NAME")
    }

    /// The workload's name, such as that of the deployment.
    pub fn workload(&self) -> Result<String, AttributeError> {
        self.0.text("WORKLOAD_NAME")
    }

    /// Its namespace.
    pub fn namespace(&self) -> Result<String, AttributeError> {
        self.0.text("NAMESPACE")
    }

    /// What has made it, such as `kubernetes://apis/apps/v1/namespaces/shop/deployments/cart`.
    pub fn owner(&self) -> Result<String, AttributeError> {
        self.0.text("OWNER")
    }

    /// The cluster of machines where it runs.
    pub fn cluster(&self) -> Result<String, AttributeError> {
        self.0.text("CLUSTER_ID")
    }

    /// Its mesh.
    pub fn mesh(&self) -> Result<String, AttributeError> {
        self.0.text("MESH_ID")
    }

    /// Its service account.
    pub fn service_account(&self) -> Result<String, AttributeError> {
        self.0.text("SERVICE_ACCOUNT")
    }

    /// One of its labels, such as `app` or `service.istio.io/canonical-name`.
    pub fn label(&self, name: &str) -> Result<String, AttributeError> {
        self.0.text(["LABELS", name])
    }
}
