use std::{net::SocketAddr, rc::Rc, time::Duration};

use inproxy::{
    Method,
    attributes::{AttributeError, Certificate, Optional, Peer as End},
    cache::Cache,
    grpc::GrpcError,
    prelude::*,
    random, time,
};

use super::{Asked, metrics::Metrics};
use crate::{
    checks::ext_authz::{
        Body, Decisions, Failure, Key, Peer, Told,
        grpc::{CheckResponse, Grpc},
        http::{Answer, Http},
    },
    config::ext_authz::{Protocol, Settings, WithRequestBody},
    policy::{Code, Denial, Edits, Kept, Outcome, Undecided, Verdict},
};

/// A service that decides.
#[derive(Debug)]
pub(crate) struct ExtAuthz {
    service: Service,
    timeout: Duration,
    body: Option<WithRequestBody>,
    failure: Failure,
    kept: Option<Remembered>,
}

#[derive(Debug)]
enum Service {
    Grpc(Cluster, Grpc),
    Http(Cluster, Http),
}

/// Decisions that are used again.
#[derive(Debug)]
struct Remembered {
    decisions: Decisions,
    cache: Cache<Key, Rc<Kept>>,
    valid_duration: Duration,
    valid_use_count: Option<u32>,
}

const SERVICE: &str = "envoy.service.auth.v3.Authorization";

/// How many bytes an answer over HTTP may have: the module's memory never gets smaller again.
const LARGEST_ANSWER: usize = 1024 * 1024;

// === impl ExtAuthz ===

impl ExtAuthz {
    pub(crate) fn try_new(settings: Settings, plugin: &mut Plugin) -> Result<Self> {
        settings.check(plugin.can_hold_bodies())?;
        let protocol = settings.protocol()?;
        let (body, failure) = (settings.with_request_body, settings.failure());
        let kept = settings.cache.map(|cache| {
            let headers: Vec<String> = cache.key.iter().map(|name| name.as_str().to_owned()).collect();
            Ok::<_, Error>(Remembered {
                decisions: Decisions::new(&headers, random::bytes()?),
                cache: Cache::new(cache.max_entries),
                valid_duration: cache.valid_duration.get(),
                valid_use_count: cache.valid_use_count,
            })
        });
        let (service, timeout) = match (protocol, settings.grpc, settings.http) {
            (Protocol::Grpc(grpc), Some(at), _) => (Service::Grpc(at.cluster, grpc), at.timeout),
            (Protocol::Http(http), _, Some(at)) => (Service::Http(at.cluster, http), at.timeout),
            _ => return Err(Error::msg("the service is reached over one of grpc and http")),
        };
        Ok(Self { service, timeout: timeout.get(), body, failure, kept: kept.transpose()? })
    }

    /// How much of a body it needs, in bytes.
    pub(crate) fn needs_of_the_body(&self) -> Option<usize> {
        self.body.map(|body| body.max_request_bytes)
    }

    /// What is changed in a request that passes though it did not decide.
    pub(crate) fn edits_of_an_open_failure(&self) -> Edits {
        self.failure.edits()
    }

    /// # Errors
    ///
    /// If the service does not decide.
    pub(crate) async fn ask(&self, asked: &Asked<'_>, name: &str, metrics: &Metrics) -> Outcome {
        let told = match self.told(asked) {
            Ok(Ok(told)) => told,
            Ok(Err(too_large)) => return Ok(Verdict::Deny(too_large)),
            Err(error) => return Err(self.failure.undecided(format!("the request cannot be read: {error:#}"))),
        };
        let kept = self.kept.as_ref().and_then(|kept| Some((kept, kept.decisions.key(&told)?)));
        if let Some((kept, key)) = kept {
            let verdict = kept.get(key);
            metrics.kept(name, verdict.is_some());
            if let Some(verdict) = verdict {
                return Ok(verdict);
            }
        }
        let verdict = match &self.service {
            Service::Grpc(cluster, grpc) => self.ask_grpc(cluster, grpc, told).await?,
            Service::Http(cluster, http) => self.ask_http(cluster, http, &told).await?,
        };
        if let Some((kept, key)) = kept {
            kept.keep(key, &verdict);
        }
        Ok(verdict)
    }

    async fn ask_grpc(&self, cluster: &Cluster, grpc: &Grpc, told: Told) -> Outcome {
        let call = cluster.grpc(SERVICE).call("Check", &grpc.question(told)).timeout(self.timeout);
        match call.send::<CheckResponse>().await {
            Ok(answer) => grpc.verdict(answer),
            // Its message is the service's own, which may say anything of the request.
            Err(GrpcError::Status(status)) => Err(self.failure.undecided(format!("the service did not answer: gRPC status {}", status.code))),
            Err(error) => Err(self.failure.undecided(error.to_string())),
        }
    }

    async fn ask_http(&self, cluster: &Cluster, http: &Http, told: &Told) -> Outcome {
        let undecided = |error: &dyn std::fmt::Display| -> Undecided { self.failure.undecided(error.to_string()) };
        let question = http.question(told);
        let method = Method::from_bytes(&question.method).map_err(|error| undecided(&error))?;
        let (Ok(path), Ok(authority)) = (std::str::from_utf8(&question.path), std::str::from_utf8(&question.authority)) else {
            return Err(undecided(&"the request's path or host is not UTF-8, and was not sent to the service"));
        };
        let mut call = cluster.request(method, path).authority(authority).timeout(self.timeout).max_body(LARGEST_ANSWER).body(question.body);
        for (name, value) in &question.headers {
            call = call.header(name.as_str(), value.as_slice()).map_err(|error| undecided(&error))?;
        }
        let answer = call.send().await.map_err(|error| undecided(&error))?;
        let headers = answer.headers().iter().map(|(name, value)| (String::from_utf8_lossy(&name).into_owned(), value.as_bytes().to_vec()));
        http.verdict(Answer { status: answer.status().as_u16(), headers: headers.collect(), body: answer.body().to_vec() })
    }

    /// What the service is told; or why the request is refused before.
    fn told(&self, asked: &Asked<'_>) -> Result<Result<Told, Denial>> {
        let body = match (self.body, asked.body) {
            (Some(needs), Some(body)) => {
                let body = body.as_ref().map_err(|error| Error::msg(error.to_string()))?;
                let is_partial = !body.is_whole() || body.as_bytes().len() > needs.max_request_bytes;
                if is_partial && !needs.allow_partial_message {
                    return Ok(Err(too_large()));
                }
                let bytes = body.as_bytes().get(..needs.max_request_bytes).unwrap_or(body.as_bytes());
                Some(Body { bytes: bytes.to_vec(), is_partial })
            }
            _ => None,
        };
        let headers = asked.headers.iter().map(|(name, value)| (String::from_utf8_lossy(&name).into_owned(), value.as_bytes().to_vec())).collect();
        let mut told = Told { headers, source: Peer::default(), destination: Peer::default(), protocol: String::new(), size: -1, time: None, body };
        if matches!(self.service, Service::Grpc(..)) {
            let attributes = asked.attributes;
            let (connection, request) = (attributes.connection(), attributes.request());
            if connection.mtls().optional()?.unwrap_or_default() {
                told.source.principal = principal(connection.peer_certificate())?;
            }
            if connection.tls_version().optional()?.is_some() {
                told.destination.principal = principal(connection.local_certificate())?;
            }
            told.source.address = address(attributes.source())?;
            told.destination.address = address(attributes.destination())?;
            told.protocol = request.protocol().optional()?.unwrap_or_default();
            told.size = request.size().optional()?.and_then(|size| size.try_into().ok()).unwrap_or(-1);
            told.time = request.time().optional()?;
        }
        Ok(Ok(told))
    }
}

// === impl Remembered ===

impl Remembered {
    fn get(&self, key: Key) -> Option<Verdict> {
        let kept = self.cache.get(&key, time::now().ok()?)?;
        let verdict = kept.take().cloned();
        if verdict.is_none() {
            self.cache.remove(&key);
        }
        verdict
    }

    fn keep(&self, key: Key, verdict: &Verdict) {
        if let Ok(now) = time::now() {
            self.cache.insert(key, Rc::new(Kept::new(verdict.clone(), self.valid_use_count)), self.valid_duration, now);
        }
    }
}

/// Whom a certificate names: its URI, else its DNS name, else its subject.
fn principal(certificate: Certificate<'_>) -> Result<String, AttributeError> {
    if let Some(uri) = certificate.uri_san().optional()?.filter(|name| !name.is_empty()) {
        return Ok(uri);
    }
    if let Some(name) = certificate.dns_san().optional()?.filter(|name| !name.is_empty()) {
        return Ok(name);
    }
    Ok(certificate.subject().optional()?.unwrap_or_default())
}

/// `None` for one that is not of IP.
fn address(end: End<'_>) -> Result<Option<SocketAddr>, AttributeError> {
    match end.address() {
        Err(AttributeError::Malformed { .. }) => Ok(None),
        address => address.optional(),
    }
}

fn too_large() -> Denial {
    let mut denial = Denial::new(Code::RESOURCE_EXHAUSTED, "");
    denial.direct.status = Some(413);
    denial.direct.body = Some(b"Payload Too Large".to_vec());
    denial
}
