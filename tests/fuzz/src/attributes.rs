//! A proxy that answers with anything: attributes, headers, expressions, signatures, and rules that go by them.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use arbitrary::Unstructured;
use inproxy::{
    abi::{Host, Pairs, Status, encode_pairs, enter, vm as proxy},
    attributes::{Attributes, Certificate, IstioPeer, IstioWorkload, Locality, Metadata},
    config::{PerRoute, Rules},
    envoy::{Hash, PrivateKey, PublicKey, cel::Expression, uncompress},
    headers::Headers,
    hooks::{Action, Finished, HttpHooks, RequestHeaders},
    prelude::*,
};

use crate::{pairs::walk, vm};

/// Asks for all that there is.
#[filter(root_id = "fuzz_attributes", hooks(request_headers, log))]
struct Curious {
    expression: Expression,
    rules: Rules<u8>,
    routes: PerRoute<u8>,
    key: PublicKey,
    own_key: PrivateKey,
}

#[config]
struct Settings {
    rules: Rules<u8>,
    routes: PerRoute<u8>,
}

const SETTINGS: &[u8] = br#"{
    "rules": { "rules": [
        { "match": { "hosts": ["example.com", "*.example.com:8443"], "paths": ["/api", "=/login"] }, "config": 1 },
        { "match": { "routes": ["checkout"] }, "config": 2 },
        { "match": { "paths": ["/a/"] }, "config": 3 }
    ] },
    "routes": { "default": 0, "routes": { "checkout": 1 } }
}"#;

impl Configure for Curious {
    type Config = Settings;

    fn configure(Settings { rules, routes }: Settings, _: &mut Plugin) -> Result<Self> {
        let (key, own_key) = (PublicKey::from_der([0])?, PrivateKey::from_der([0])?);
        Ok(Self { expression: Expression::compile("true")?, rules, routes, key, own_key })
    }
}

impl HttpHooks for Curious {
    type Stream = ();

    fn on_request_headers(&self, (): &mut (), request: RequestHeaders<'_>) -> Action {
        headers(&request.headers());
        let (rule, route) = (self.rules.of(&request), self.routes.of(&request));
        assert!(rule.is_ok() || route.is_err(), "the name of the route is read in two ways");
        all(request.attributes());
        let _ = (self.expression.evaluate_bool(&request), self.expression.evaluate_text(&request), self.expression.evaluate_bytes(&request));
        let _ = (self.expression.evaluate_int(&request), self.expression.evaluate_uint(&request), self.expression.evaluate_double(&request));
        let _ = (self.expression.evaluate_duration(&request), self.expression.evaluate_time(&request));
        self.expression.evaluate(&request).iter().for_each(|value| walk(value, 0));
        let _ = (self.key.verify(Hash::Sha256, b"signature", b"text"), self.own_key.sign(Hash::Sha512, b"text"));
        let _ = uncompress(b"zlib", 1 << 10);
        Action::Continue
    }

    fn on_log(&self, (): &mut (), finished: Finished<'_>) {
        let _ = (finished.request_headers().iter().count(), finished.response_headers().get("x"), finished.replied());
        response(finished.attributes());
    }
}

/// What is read alone, and what is looked up in all of them, is the same.
fn headers(headers: &Headers<'_>) {
    let all: Vec<_> = VM.with(|(proxy, _)| {
        let pairs = proxy.pairs.borrow();
        Pairs::new(&**pairs).map(|(name, value)| (name.to_vec(), value.to_vec())).collect()
    });
    assert_eq!(headers.iter().count(), all.len());
    let names = all.iter().filter_map(|(name, _)| HeaderName::try_from(std::str::from_utf8(name).ok()?).ok());
    for name in names.chain([HeaderName::from_static("x-none")]) {
        // Envoy looks for `host` under its other name.
        let own = if name.as_str() == "host" { ":authority" } else { name.as_str() };
        let first = all.iter().find(|(other, _)| other == own.as_bytes()).map(|(_, value)| value);
        assert_eq!(headers.get(&name).map(|value| value.as_bytes().to_vec()).as_ref(), first, "{name:?}");
        assert_eq!(headers.contains(&name), first.is_some(), "{name:?}");
    }
}

fn all(attributes: Attributes<'_>) {
    let a = attributes;
    let _ = (a.request().path(), a.request().url_path(), a.request().query(), a.request().host(), a.request().scheme(), a.request().method());
    let _ = (a.request().header("x"), a.request().referer(), a.request().useragent(), a.request().time(), a.request().id(), a.request().protocol());
    let _ = (a.request().duration(), a.request().headers_bytes(), a.request().size(), a.request().total_size());
    for peer in [a.source(), a.destination()] {
        let _ = (peer.address(), peer.address_text(), peer.port());
    }
    let of = a.connection();
    let _ = (of.id(), of.mtls(), of.peer_certificate_valid(), of.requested_server_name(), of.tls_version(), of.termination_details());
    let _ = (of.transport_failure_reason(), of.peer_certificate_pem(), of.sha256_peer_certificate_digest());
    [of.peer_certificate(), of.local_certificate()].iter().for_each(certificate);
    let _ = (a.plugin().name(), a.plugin().root_id(), a.plugin().vm_id());
    let _ = (a.filter_state().get("key"), a.filter_state().own("key"), a.filter_state().set("key", "value"));
    let xds = a.xds();
    let _ = (xds.route_name(), xds.virtual_host_name(), xds.cluster_name(), xds.filter_chain_name(), xds.listener_direction());
    let node = xds.node();
    let _ = (node.id(), node.cluster());
    locality(&node.locality());
    let of_xds = [xds.route_metadata("n"), xds.virtual_host_metadata("n"), xds.cluster_metadata("n"), xds.listener_metadata("n")];
    of_xds.iter().chain(&[node.metadata(), a.metadata("n"), a.filter_state().fields("key")]).for_each(metadata);
    workload(&node.istio());
    workload(&a.istio().workload());
    peer(&a.istio().downstream_peer());
    let _ = a.raw(["some", "path"]);
    response(a);
}

fn response(a: Attributes<'_>) {
    let of = a.response();
    let _ = (of.code(), of.code_details(), of.grpc_status(), of.header("x"), of.trailer("x"), of.headers_bytes(), of.size());
    let _ = (of.total_size(), of.backend_latency(), of.flags().map(|flags| format!("{flags:?}")));
    let of = a.upstream();
    let _ = (of.address(), of.address_text(), of.port(), of.local_address(), of.tls_version(), of.transport_failure_reason());
    let _ = (of.request_attempt_count(), of.cx_pool_ready_duration(), of.num_endpoints(), of.peer_certificate_pem());
    locality(&of.locality());
    certificate(&of.peer_certificate());
    peer(&a.istio().upstream_peer());
}

fn certificate(of: &Certificate<'_>) {
    let _ = (of.subject(), of.dns_san(), of.uri_san());
}

fn locality(of: &Locality<'_>) {
    let _ = (of.region(), of.zone(), of.sub_zone());
}

fn metadata(of: &Metadata<'_>) {
    let _ = (of.text("key"), of.number(["a", "b"]), of.boolean("key"), of.list("key"), of.map("key"), of.entries());
    of.get("key").iter().for_each(|value| walk(value, 4));
}

fn peer(of: &IstioPeer<'_>) {
    let _ = (of.name(), of.workload(), of.kind(), of.namespace(), of.identity(), of.label("app"), of.text(["a", "b"]));
}

fn workload(of: &IstioWorkload<'_>) {
    let _ = (of.name(), of.workload(), of.namespace(), of.owner(), of.cluster(), of.mesh(), of.label("app"));
}

/// A proxy that has one answer for each kind of question.
#[derive(Default)]
struct Answers {
    configured: Cell<bool>,
    panicked: vm::Panicked,
    property: RefCell<Vec<u8>>,
    pairs: RefCell<Vec<u8>>,
    foreign: RefCell<Vec<u8>>,
    status: Cell<u32>,
}

// === impl Answers ===

impl Answers {
    fn answer(&self, bytes: &RefCell<Vec<u8>>) -> Result<Vec<u8>, Status> {
        match Status::from_raw(self.status.get()) {
            Status::OK => Ok(bytes.borrow().clone()),
            status => Err(status),
        }
    }
}

impl Host for Answers {
    fn panicked(&self, message: &str) {
        self.panicked.with(message);
    }

    fn log_level(&self) -> Result<u32, Status> {
        Ok(if self.configured.get() { 6 } else { 4 })
    }

    fn log(&self, _: u32, message: &[u8]) -> Status {
        eprintln!("{}", message.escape_ascii());
        Status::OK
    }

    fn buffer(&self, _: u32, _: usize, _: usize) -> Result<Vec<u8>, Status> {
        Ok(SETTINGS.to_vec())
    }

    fn property(&self, _: &[u8]) -> Result<Vec<u8>, Status> {
        if self.configured.get() { self.answer(&self.property) } else { Ok(b"fuzz_attributes".to_vec()) }
    }

    fn header_pairs(&self, _: u32) -> Result<Vec<u8>, Status> {
        Ok(self.pairs.borrow().clone())
    }

    fn header(&self, _: u32, name: &[u8]) -> Result<Vec<u8>, Status> {
        let name = if name == b"host" { b":authority" } else { name };
        let pairs = self.pairs.borrow();
        Pairs::new(&**pairs).find(|(other, _)| *other == name).map(|(_, value)| value.to_vec()).ok_or(Status::NOT_FOUND)
    }

    fn foreign_function(&self, name: &[u8], _: &[u8]) -> Result<Vec<u8>, Status> {
        match name {
            _ if self.configured.get() => self.answer(&self.foreign),
            b"expr_create" => Ok(vec![0; 4]),
            // Keys are tried: it is done.
            _ => Ok(vec![8, 1]),
        }
    }
}

thread_local! {
    static VM: (Rc<Answers>, u32) = {
        let answers = Rc::new(Answers::default());
        let root = vm::root::<Curious>(&answers, SETTINGS.len());
        answers.configured.set(true);
        (answers, root)
    };
}

/// A status, an answer to functions and to expressions, headers (as the proxy encodes them, or as bytes that may be anything), and the value of every attribute.
pub(crate) fn fuzz(data: &[u8]) {
    let mut input = Unstructured::new(data);
    let (status, foreign, is_map): (u8, &[u8], bool) = input.arbitrary().unwrap_or_default();
    let mut pairs = Vec::new();
    if is_map {
        let mut map: Vec<(&[u8], &[u8])> = Vec::new();
        while let (Ok(true), Ok(pair)) = (input.arbitrary(), input.arbitrary()) {
            map.push(pair);
        }
        pairs = encode_pairs(map.into_iter());
    } else {
        let bytes: &[u8] = input.arbitrary().unwrap_or_default();
        // What lies about its lengths is read as far as it is whole. A map whose lengths are right always has its zeros.
        let read: Vec<_> = Pairs::new(bytes).collect();
        let whole = encode_pairs(read.iter().copied());
        pairs.extend_from_slice(if whole.get(..4) == bytes.get(..4) { &whole } else { bytes });
    }
    VM.with(|(answers, root)| {
        answers.status.set(u32::from(status).saturating_sub(200));
        answers.foreign.replace(foreign.to_vec());
        answers.property.replace(input.take_rest().to_vec());
        answers.pairs.replace(pairs);
        enter(Rc::clone(answers) as Rc<dyn Host>, || {
            let stream = vm::new_context();
            proxy::on_context_create(stream, *root);
            proxy::on_request_headers(stream, 0, true);
            answers.panicked.check();
            proxy::on_log(stream);
            answers.panicked.check();
            proxy::on_done(stream);
            proxy::on_delete(stream);
        });
    });
}
