//! What Istio's labels say of a request or a connection. Each is read from the proxy when it is asked for, and what several need, once.

use std::{
    borrow::Cow,
    cell::{Cell, OnceCell},
    rc::Rc,
};

use inproxy::{
    attributes::{AttributeError, Attributes, Certificate, IstioPeer, TrafficDirection},
    prelude::*,
};

use crate::{
    config::istio::{Istio, Reporter},
    istio::{Label, Service, UNKNOWN, Workload, service},
};

/// What is the same for all that goes through the proxy.
#[derive(Debug)]
pub(crate) struct Here {
    workload: Workload,
    /// The operator's, or else what the listener's direction says, once it was asked.
    reporter: Cell<Option<Reporter>>,
    host_fallback: bool,
}

/// What is spoken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Protocol {
    #[default]
    Http,
    Grpc,
    Tcp,
}

/// What is known of a request or a connection.
pub(crate) struct Facts<'a> {
    here: &'a Here,
    attributes: Attributes<'a>,
    protocol: Protocol,
    /// Who the peer is, if its headers have said so.
    told: Option<Rc<Workload>>,
    /// The request's host, where the proxy does not show it any more.
    host: Option<&'a str>,
    peer: OnceCell<Rc<Workload>>,
    service: OnceCell<Service>,
}

// === impl Here ===

impl Here {
    pub(crate) fn new(settings: &Istio, plugin: &Plugin) -> Self {
        let node = plugin.node().istio();
        let workload = Workload {
            name: node.workload().unwrap_or_default(),
            namespace: node.namespace().unwrap_or_default(),
            app: node.label("app").unwrap_or_default(),
            version: node.label("version").unwrap_or_default(),
            service: node.label("service.istio.io/canonical-name").unwrap_or_default(),
            revision: node.label("service.istio.io/canonical-revision").unwrap_or_default(),
            cluster: node.cluster().unwrap_or_default(),
        };
        Self { workload: workload.known(), reporter: Cell::new(settings.reporter), host_fallback: !settings.disable_host_header_fallback }
    }

    pub(crate) fn reporter(&self, attributes: Attributes<'_>) -> Reporter {
        self.reporter.get().unwrap_or_else(|| {
            let reporter = match attributes.xds().listener_direction() {
                Ok(TrafficDirection::Outbound) => Reporter::Source,
                Ok(_) => Reporter::Destination,
                // Not now: perhaps the next time.
                Err(_) => return Reporter::Destination,
            };
            self.reporter.set(Some(reporter));
            reporter
        })
    }
}

// === impl Protocol ===

impl Protocol {
    /// What a request is, by its content type.
    pub(crate) fn of(content_type: Option<&[u8]>) -> Self {
        match content_type {
            Some(b"application/grpc" | b"application/grpc+proto" | b"application/grpc+json") => Self::Grpc,
            _ => Self::Http,
        }
    }
}

// === impl Facts ===

impl<'a> Facts<'a> {
    pub(crate) fn new(here: &'a Here, attributes: Attributes<'a>, protocol: Protocol) -> Self {
        Self { here, attributes, protocol, told: None, host: None, peer: OnceCell::new(), service: OnceCell::new() }
    }

    /// With what headers have said of the peer.
    pub(crate) fn with_peer(mut self, peer: Option<Rc<Workload>>) -> Self {
        self.told = peer;
        self
    }

    /// With the request's host as it was.
    pub(crate) fn with_host(mut self, host: &'a str) -> Self {
        self.host = Some(host);
        self
    }

    pub(crate) fn value(&self, label: Label) -> Cow<'_, str> {
        use Label::*;
        let is_source = self.is_source();
        let value = match label {
            Reporter => Cow::Borrowed(if is_source { "source" } else { "destination" }),
            SourceWorkload => Cow::Borrowed(&*self.source().name),
            SourceWorkloadNamespace => Cow::Borrowed(&*self.source().namespace),
            SourceApp => Cow::Borrowed(&*self.source().app),
            SourceVersion => Cow::Borrowed(&*self.source().version),
            SourceCanonicalService => Cow::Borrowed(&*self.source().service),
            SourceCanonicalRevision => Cow::Borrowed(&*self.source().revision),
            SourceCluster => Cow::Borrowed(&*self.source().cluster),
            DestinationWorkload => Cow::Borrowed(&*self.destination().name),
            DestinationWorkloadNamespace => Cow::Borrowed(&*self.destination().namespace),
            DestinationApp => Cow::Borrowed(&*self.destination().app),
            DestinationVersion => Cow::Borrowed(&*self.destination().version),
            DestinationCanonicalService => Cow::Borrowed(&*self.destination().service),
            DestinationCanonicalRevision => Cow::Borrowed(&*self.destination().revision),
            DestinationCluster => Cow::Borrowed(&*self.destination().cluster),
            SourcePrincipal if is_source => principal(self.attributes.upstream().local_certificate()),
            SourcePrincipal => principal(self.attributes.connection().peer_certificate()),
            DestinationPrincipal if is_source => principal(self.attributes.upstream().peer_certificate()),
            DestinationPrincipal => principal(self.attributes.connection().local_certificate()),
            DestinationService => Cow::Borrowed(&*self.service().host),
            DestinationServiceName => Cow::Borrowed(&*self.service().name),
            DestinationServiceNamespace if self.service().namespace.is_empty() => Cow::Borrowed(&*self.destination().namespace),
            DestinationServiceNamespace => Cow::Borrowed(&*self.service().namespace),
            RequestProtocol => Cow::Borrowed(match self.protocol {
                Protocol::Http => "http",
                Protocol::Grpc => "grpc",
                Protocol::Tcp => "tcp",
            }),
            ResponseFlags => Cow::Owned(self.attributes.response().flags().unwrap_or_default().to_string()),
            ConnectionSecurityPolicy if is_source => Cow::Borrowed(UNKNOWN),
            ConnectionSecurityPolicy => Cow::Borrowed(if self.attributes.connection().mtls().unwrap_or(false) { "mutual_tls" } else { "none" }),
            // A client that has left before an answer has none.
            ResponseCode => Cow::Owned(self.attributes.response().code().map_or_else(|_| "0".to_owned(), |code| code.as_str().to_owned())),
            GrpcResponseStatus if self.protocol != Protocol::Grpc => return Cow::Borrowed(""),
            // Without a status it is "unknown", by its number.
            GrpcResponseStatus => Cow::Owned(self.attributes.response().grpc_status().unwrap_or(2).to_string()),
        };
        if value.is_empty() { Cow::Borrowed(UNKNOWN) } else { value }
    }

    fn is_source(&self) -> bool {
        self.here.reporter(self.attributes) == Reporter::Source
    }

    fn source(&self) -> &Workload {
        if self.is_source() { &self.here.workload } else { self.peer() }
    }

    fn destination(&self) -> &Workload {
        if self.is_source() { self.peer() } else { &self.here.workload }
    }

    fn peer(&self) -> &Workload {
        self.peer.get_or_init(|| match &self.told {
            Some(told) => Rc::clone(told),
            None => Rc::new(self.found_peer().unwrap_or_else(|| Workload::default().known())),
        })
    }

    /// Whom Istio's own exchange has found, or else what the endpoint's metadata say.
    fn found_peer(&self) -> Option<Workload> {
        let istio = self.attributes.istio();
        if !self.is_source() {
            return workload(istio.downstream_peer()).ok();
        }
        let of_endpoint = || Workload::of_endpoint(&self.attributes.xds().upstream_host_metadata("istio").text("workload").ok()?);
        workload(istio.upstream_peer()).ok().or_else(of_endpoint)
    }

    fn service(&self) -> &Service {
        self.service.get_or_init(|| {
            let xds = self.attributes.xds();
            let told = || {
                let services = xds.cluster_metadata("istio").list("services").ok()?;
                let service = services.first()?.map()?;
                let text = |key: &str| service.iter().find(|(name, _)| name == key).and_then(|(_, value)| Some(value.text()?.to_owned()));
                Some([text("name")?, text("host").unwrap_or_default(), text("namespace").unwrap_or_default()])
            };
            service(&xds.route_name().unwrap_or_default(), &xds.cluster_name().unwrap_or_default(), told, || self.host())
        })
    }

    fn host(&self) -> String {
        match self.host {
            _ if !self.here.host_fallback || self.protocol == Protocol::Tcp => UNKNOWN.to_owned(),
            Some(host) => host.to_owned(),
            None => self.attributes.request().host().unwrap_or_default(),
        }
    }
}

/// A peer that Istio has found.
fn workload(peer: IstioPeer<'_>) -> Result<Workload, AttributeError> {
    let found = Workload {
        name: peer.workload()?,
        namespace: peer.namespace().unwrap_or_default(),
        app: peer.app().unwrap_or_default(),
        version: peer.version().unwrap_or_default(),
        service: peer.service().unwrap_or_default(),
        revision: peer.revision().unwrap_or_default(),
        cluster: peer.cluster().unwrap_or_default(),
    };
    Ok(found.known())
}

fn principal(of: Certificate<'_>) -> Cow<'static, str> {
    Cow::Owned(of.uri_san().unwrap_or_default())
}
