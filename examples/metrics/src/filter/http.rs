use std::rc::Rc;

use inproxy::{
    attributes::Attributes,
    headers::Headers,
    hooks::{Action, Finished, HttpHooks, RequestBody, RequestHeaders, ResponseBody, ResponseHeaders},
    metrics::GroupSeries,
    prelude::*,
};

use super::{
    facts::{Facts, Protocol},
    made::Made,
    own::Own,
    peers::{Peers, Told},
    source::Stream,
    standard::Standard,
};
use crate::{
    config::{Exclude, Settings, istio::Reporter},
    istio::{Applies, Value, Workload},
    messages::Messages,
    pattern,
};

/// Counts requests.
#[filter(hooks(request_headers, request_body, response_headers, response_body, log))]
#[derive(Debug)]
pub struct Metrics {
    own: Vec<Own>,
    standard: Option<Standard>,
    made: Made,
    peers: Option<Peers>,
    exclude: Exclude,
}

/// What is remembered of a request.
#[derive(Debug, Default)]
pub struct Request {
    /// What its headers say, once they were here. A request that a filter before this one has answered never comes.
    read: Option<Read>,
    /// If it is of gRPC, and messages are counted.
    call: Option<Box<Call>>,
    heard: Heard,
}

/// What both sides have told of themselves.
#[derive(Debug, Default)]
struct Heard {
    client: Told,
    server: Told,
}

/// What a request's headers say.
#[derive(Clone, Copy, Debug)]
struct Read {
    /// It is not counted, for its user agent.
    excluded: bool,
    protocol: Protocol,
}

/// A gRPC request.
#[derive(Debug, Default)]
struct Call {
    sent: Messages,
    received: Messages,
    /// Those that are not counted yet.
    new: [u64; 2],
    host: String,
    answered: bool,
    /// Where they are counted, once the answer has begun.
    series: Option<Vec<GroupSeries>>,
}

const CONTENT_TYPE: HeaderName = HeaderName::from_static("content-type");
const USER_AGENT: HeaderName = HeaderName::from_static("user-agent");
const AUTHORITY: HeaderName = HeaderName::from_static(":authority");

// === impl Metrics ===

impl Configure for Metrics {
    type Config = Settings;

    fn configure(settings: Settings, plugin: &mut Plugin) -> Result<Self> {
        let made = Made::try_new(settings.attributes)?;
        let peers = settings.istio.as_ref().is_some_and(|istio| istio.metadata_exchange).then(|| Peers::try_new(plugin)).transpose()?;
        let taken = settings.istio.as_ref().map(Standard::names).unwrap_or_default();
        let standard = settings
            .istio
            .map(|istio| Standard::try_new(&[Applies::Request, Applies::Messages], istio, &made, settings.label_sets, plugin))
            .transpose()?;
        Ok(Self { own: Own::all(settings.metrics, &taken, &made, settings.label_sets, plugin)?, standard, made, peers, exclude: settings.exclude })
    }
}

impl HttpHooks for Metrics {
    type Stream = Request;

    fn on_request_headers(&self, stream: &mut Request, mut request: RequestHeaders<'_>) -> Action {
        if let (Some(peers), Some(standard)) = (&self.peers, &self.standard) {
            let reporter = standard.here.reporter(request.attributes());
            stream.heard.client = peers.request(request.headers_mut(), reporter);
        }
        let headers = request.headers();
        let read = self.read(&headers);
        stream.read = Some(read);
        let counts = self.standard.as_ref().is_some_and(|standard| standard.has(Applies::Messages));
        if counts && read.protocol == Protocol::Grpc && !read.excluded && !self.excludes(request.attributes()) {
            let host = headers.get(&AUTHORITY).map(|host| host.to_string_lossy().into_owned()).unwrap_or_default();
            stream.call = Some(Box::new(Call { host, ..Call::default() }));
        }
        Action::Continue
    }

    fn on_request_body(&self, stream: &mut Request, mut body: RequestBody<'_>) -> Action {
        if let Some(call) = &mut stream.call {
            let buffer = body.buffer();
            let [sent, _] = &mut call.new;
            *sent += call.sent.begin_in(buffer.len(), |range| buffer.read_range(range).ok());
            self.count_messages(stream, body.attributes());
        }
        body.while_headers_are_held()
    }

    fn on_response_headers(&self, stream: &mut Request, mut response: ResponseHeaders<'_>) -> Action {
        if let (Some(peers), Some(standard)) = (&self.peers, &self.standard) {
            let reporter = standard.here.reporter(response.attributes());
            stream.heard.server = peers.response(response.headers_mut(), reporter, &stream.heard.client);
        }
        if let (Some(call), Some(standard)) = (&mut stream.call, &self.standard) {
            // At the client's side Istio's filter, which finds the server's workload, may meet the response's headers after this one.
            call.answered = standard.here.reporter(response.attributes()) == Reporter::Destination;
            self.count_messages(stream, response.attributes());
        }
        Action::Continue
    }

    fn on_response_body(&self, stream: &mut Request, mut body: ResponseBody<'_>) -> Action {
        if let Some(call) = &mut stream.call {
            let buffer = body.buffer();
            let [_, received] = &mut call.new;
            *received += call.received.begin_in(buffer.len(), |range| buffer.read_range(range).ok());
            call.answered = true;
            self.count_messages(stream, body.attributes());
        }
        body.while_headers_are_held()
    }

    fn on_log(&self, stream: &mut Request, finished: Finished<'_>) {
        let read = stream.read.unwrap_or_else(|| self.read(&finished.request_headers()));
        if read.excluded || self.excludes(finished.attributes()) {
            return;
        }
        if let Some(call) = &mut stream.call {
            // A client that leaves before the answer has sent some.
            call.answered = true;
            self.count_messages(stream, finished.attributes());
        }
        let attributes = finished.attributes();
        let facts = self.standard.as_ref().map(|standard| {
            let peer = stream.heard.peer(standard.here.reporter(attributes));
            Facts::new(&standard.here, attributes, read.protocol).with_peer(peer)
        });
        let made = self.made.of(attributes);
        self.made.leave(&made, attributes);
        let stream = Stream { attributes, made, facts };
        for own in &self.own {
            own.record(&stream);
        }
        if let Some(standard) = &self.standard {
            let series = standard.series(Applies::Request, &stream);
            standard.record(Applies::Request, &series, |value| amount(value, standard, &stream));
        }
    }
}

impl Metrics {
    fn read(&self, headers: &Headers<'_>) -> Read {
        let agent = headers.get(&USER_AGENT);
        let agent = agent.as_ref().and_then(HeaderValue::to_str);
        let excluded = agent.is_some_and(|agent| self.exclude.user_agents.iter().any(|pattern| pattern::matches(pattern, agent)));
        // Only Istio's metrics ask for it.
        let content_type = self.standard.as_ref().and_then(|_| headers.get(&CONTENT_TYPE));
        Read { excluded, protocol: Protocol::of(content_type.as_ref().map(HeaderValue::as_bytes)) }
    }

    fn excludes(&self, attributes: Attributes<'_>) -> bool {
        self.exclude.when.as_ref().is_some_and(|when| when.evaluate_bool(attributes).unwrap_or(false))
    }

    /// Counts the messages that have come, once there is an answer: who gives it is known only then.
    fn count_messages(&self, stream: &mut Request, attributes: Attributes<'_>) {
        let Some(standard) = &self.standard else { return };
        let Some(call) = stream.call.as_mut().filter(|call| call.answered && call.new != [0, 0]) else { return };
        if call.series.is_none() && self.excludes(attributes) {
            stream.call = None;
            return;
        }
        let Call { series, host, new, .. } = &mut **call;
        let series = series.get_or_insert_with(|| {
            let peer = stream.heard.peer(standard.here.reporter(attributes));
            let facts = Facts::new(&standard.here, attributes, Protocol::Grpc).with_peer(peer).with_host(host);
            standard.series(Applies::Messages, &Stream { attributes, made: self.made.of(attributes), facts: Some(facts) })
        });
        let [sent, received] = std::mem::take(new);
        standard.record(Applies::Messages, series, |value| match value {
            Value::RequestMessages => Some(sent),
            Value::ResponseMessages => Some(received),
            _ => None,
        });
    }
}

// === impl Heard ===

impl Heard {
    /// Who the peer is, if it has told.
    fn peer(&self, reporter: Reporter) -> Option<Rc<Workload>> {
        match reporter {
            Reporter::Source => self.server.workload.clone(),
            Reporter::Destination => self.client.workload.clone(),
        }
    }
}

/// What a request counts for, when it is over.
fn amount(value: Value, standard: &Standard, stream: &Stream<'_>) -> Option<u64> {
    let attributes = stream.attributes;
    match value {
        Value::One => Some(1),
        Value::DurationMilliseconds => attributes.request().duration().ok().and_then(|took| u64::try_from(took.as_millis()).ok()),
        Value::RequestBytes => attributes.request().total_size().ok(),
        Value::ResponseBytes => attributes.response().total_size().ok(),
        Value::Defined(at) => standard.defined(at, stream),
        _ => None,
    }
}
