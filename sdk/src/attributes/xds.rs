use super::{AttributeError, Attributes, IstioWorkload, Locality, Metadata, decode, locality};

/// What the [configuration](https://www.envoyproxy.io/docs/envoy/v1.40.0/intro/arch_overview/advanced/attributes#configuration-attributes) says of where the stream came by.
///
/// Route, virtual host and cluster are known once the proxy has chosen them, which it does before the first filter; [`AttributeError::Missing`] if none matches. An edit of the request's headers has them chosen anew, when the request goes on: until then the first choice is told, to the filters behind too.
///
/// # Examples
///
/// ```
/// # use inproxy::{attributes::AttributeError, prelude::*};
/// fn where_to(request: &Request) -> Result<String, AttributeError> {
///     let xds = request.attributes().xds();
///     Ok(format!("{}: {} -> {}", xds.node().id()?, xds.route_name()?, xds.cluster_name()?))
/// }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Xds<'a>(Attributes<'a>);

/// The proxy itself, as it was started or as its control plane knows it: [`Node`](https://www.envoyproxy.io/docs/envoy/v1.40.0/api-v3/config/core/v3/base.proto#config-core-v3-node).
///
/// In Istio its metadata describe the [workload](Self::istio).
///
/// # Examples
///
/// ```
/// use inproxy::{attributes::{AttributeError, Optional}, prelude::*};
///
/// fn app(request: &Request) -> Result<Option<String>, AttributeError> {
///     request.attributes().xds().node().metadata().text(["LABELS", "app"]).optional()
/// }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Node<'a>(Attributes<'a>);

/// Which way a listener's traffic goes: [`TrafficDirection`](https://www.envoyproxy.io/docs/envoy/v1.40.0/api-v3/config/core/v3/base.proto#enum-config-core-v3-trafficdirection).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TrafficDirection {
    /// The configuration does not say.
    Unspecified,
    /// To the workload beside the proxy.
    Inbound,
    /// From the workload beside the proxy.
    Outbound,
}

// === impl Xds ===

impl<'a> Xds<'a> {
    pub(super) const fn new(attributes: Attributes<'a>) -> Self {
        Self(attributes)
    }

    /// The proxy itself.
    pub fn node(&self) -> Node<'a> {
        Node(self.0)
    }

    /// Metadata of the route.
    pub fn route_metadata(&self, namespace: &'a str) -> Metadata<'a> {
        Metadata::new(self.0, "xds\0route_metadata\0filter_metadata", Some(namespace))
    }

    /// Metadata of the virtual host.
    pub fn virtual_host_metadata(&self, namespace: &'a str) -> Metadata<'a> {
        Metadata::new(self.0, "xds\0virtual_host_metadata\0filter_metadata", Some(namespace))
    }

    /// Metadata of the cluster.
    pub fn cluster_metadata(&self, namespace: &'a str) -> Metadata<'a> {
        Metadata::new(self.0, "xds\0cluster_metadata\0filter_metadata", Some(namespace))
    }

    /// Metadata of the listener.
    pub fn listener_metadata(&self, namespace: &'a str) -> Metadata<'a> {
        Metadata::new(self.0, "xds\0listener_metadata\0filter_metadata", Some(namespace))
    }

    /// Metadata of the endpoint that was chosen. From the response's headers on.
    pub fn upstream_host_metadata(&self, namespace: &'a str) -> Metadata<'a> {
        Metadata::new(self.0, "xds\0upstream_host_metadata\0filter_metadata", Some(namespace))
    }

    /// Metadata of the endpoint's locality. From the response's headers on.
    pub fn upstream_host_locality_metadata(&self, namespace: &'a str) -> Metadata<'a> {
        Metadata::new(self.0, "xds\0upstream_host_locality_metadata\0filter_metadata", Some(namespace))
    }
}

/// # Errors
///
/// All answer [`AttributeError`].
impl Xds<'_> {
    /// The name of the route; empty if it has none.
    pub fn route_name(&self) -> Result<String, AttributeError> {
        self.0.decoded("xds\0route_name", decode::text)
    }

    /// The name of the virtual host.
    pub fn virtual_host_name(&self) -> Result<String, AttributeError> {
        self.0.decoded("xds\0virtual_host_name", decode::text)
    }

    /// The name of the cluster.
    pub fn cluster_name(&self) -> Result<String, AttributeError> {
        self.0.decoded("xds\0cluster_name", decode::text)
    }

    /// The name of the filter chain; empty if it has none.
    pub fn filter_chain_name(&self) -> Result<String, AttributeError> {
        self.0.decoded("xds\0filter_chain_name", decode::text)
    }

    /// Which way the listener's traffic goes.
    pub fn listener_direction(&self) -> Result<TrafficDirection, AttributeError> {
        self.0.decoded("xds\0listener_direction", |bytes| match decode::int(bytes)? {
            0 => Some(TrafficDirection::Unspecified),
            1 => Some(TrafficDirection::Inbound),
            2 => Some(TrafficDirection::Outbound),
            _ => None,
        })
    }
}

// === impl Node ===

impl<'a> Node<'a> {
    /// What its operator says of it.
    pub fn metadata(&self) -> Metadata<'a> {
        Metadata::new(self.0, "xds\0node\0metadata", None)
    }

    /// What its metadata say of the workload that it belongs to, in Istio.
    pub fn istio(&self) -> IstioWorkload<'a> {
        IstioWorkload::new(*self)
    }

    /// Where it runs.
    pub fn locality(&self) -> Locality<'a> {
        Locality::new(self.0, locality::OF_THE_NODE)
    }
}

/// # Errors
///
/// All answer [`AttributeError`].
impl Node<'_> {
    /// Its id.
    pub fn id(&self) -> Result<String, AttributeError> {
        self.0.decoded("xds\0node\0id", decode::text)
    }

    /// Which service it is of; in Istio `<app>.<namespace>`.
    pub fn cluster(&self) -> Result<String, AttributeError> {
        self.0.decoded("xds\0node\0cluster", decode::text)
    }
}
