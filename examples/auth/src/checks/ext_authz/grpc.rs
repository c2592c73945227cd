//! [`envoy.service.auth.v3.Authorization`](https://www.envoyproxy.io/docs/envoy/v1.40.0/api-v3/service/auth/v3/external_auth.proto): what its `Check` is asked, and what its answer means.

mod metadata;

use std::{
    collections::BTreeMap,
    time::{SystemTime, UNIX_EPOCH},
};

pub(crate) use super::proto::envoy::service::auth::v3::{CheckRequest, CheckResponse};
use super::{
    Failure, Names, Peer, Told,
    http::{denial, on_the_request},
    names::{is_end_to_end, is_name, is_value},
    proto::{
        envoy::{
            config::core::v3 as core,
            service::auth::v3::{AttributeContext, DeniedHttpResponse, OkHttpResponse, attribute_context as context, check_response::HttpResponse},
        },
        google::protobuf::Timestamp,
    },
    told::{PARTIAL_BODY, text},
};
use crate::policy::{Code, Edit, Edits, Outcome, Undecided, Verdict};

/// What the service is told.
#[derive(Debug)]
pub(crate) struct Grpc {
    /// Which headers; all, if it is empty.
    pub(crate) allowed_headers: Names,
    pub(crate) disallowed_headers: Names,
    pub(crate) context_extensions: BTreeMap<String, String>,
    /// Bodies as bytes, and not as text.
    pub(crate) pack_as_bytes: bool,
    /// The name in the filter state under which others find what the service says beside its decision.
    pub(crate) filter_state: Option<String>,
    pub(crate) failure: Failure,
}

// === impl Grpc ===

impl Grpc {
    pub(crate) fn question(&self, told: Told) -> CheckRequest {
        let service = text(told.header("x-envoy-downstream-service-cluster"));
        let (source, destination, time) = (peer(&told.source, service), peer(&told.destination, String::new()), told.time.and_then(timestamp));
        let request = context::Request { time, http: Some(self.http(told)) };
        let attributes = AttributeContext {
            source: Some(source),
            destination: Some(destination),
            request: Some(request),
            context_extensions: self.context_extensions.clone(),
        };
        CheckRequest { attributes: Some(attributes) }
    }

    fn http(&self, told: Told) -> context::HttpRequest {
        let is_seen = |name: &str| (self.allowed_headers.is_empty() || self.allowed_headers.have(name)) && !self.disallowed_headers.have(name);
        let mut headers = BTreeMap::<String, String>::new();
        for (name, value) in told.headers.iter().filter(|(name, _)| is_seen(name) && name != PARTIAL_BODY) {
            let value = text(value);
            match headers.get_mut(name) {
                Some(values) => {
                    values.push(',');
                    values.push_str(&value);
                }
                None => drop(headers.insert(name.clone(), value)),
            }
        }
        let header = |name: &str| text(told.header(name));
        let mut http = context::HttpRequest {
            id: header("x-request-id"),
            method: header(":method"),
            path: header(":path"),
            host: header(":authority"),
            scheme: header(":scheme"),
            size: told.size,
            ..context::HttpRequest::default()
        };
        http.protocol = told.protocol;
        if let Some(body) = told.body {
            headers.insert(PARTIAL_BODY.to_owned(), body.said_to_be_partial().to_owned());
            if self.pack_as_bytes {
                http.raw_body = body.bytes;
            } else {
                http.body = String::from_utf8(body.bytes).unwrap_or_else(|error| text(error.as_bytes()));
            }
        }
        http.headers = headers;
        http
    }

    /// What an answer means.
    ///
    /// # Errors
    ///
    /// If the service says that it does not know, or says what no client and no upstream could be given.
    pub(crate) fn verdict(&self, answer: CheckResponse) -> Outcome {
        let code = answer.status.map_or(0, |status| status.code);
        let said = match (code, answer.http_response) {
            (0, Some(HttpResponse::OkResponse(ok))) => self.edits(ok, answer.dynamic_metadata).map(Verdict::Allow),
            (0, _) => self.edits(OkHttpResponse::default(), answer.dynamic_metadata).map(Verdict::Allow),
            (_, Some(HttpResponse::ErrorResponse(error))) => return Err(self.error(error)),
            (code, Some(HttpResponse::DeniedResponse(denied))) => denied_with(code, denied),
            (code, _) => denied_with(code, DeniedHttpResponse::default()),
        };
        said.map_err(|fault| self.failure.undecided(format!("the service's answer cannot be used: {fault}")))
    }

    #[expect(deprecated, reason = "a service may still say it there, and then it counts")]
    fn edits(&self, ok: OkHttpResponse, metadata: Option<super::proto::google::protobuf::Struct>) -> Result<Edits, Unusable> {
        let mut edits = Edits::default();
        for header in ok.headers {
            let (name, value, action) = mutation(header)?;
            let may_be_set = is_end_to_end(&name) || matches!(name.as_str(), ":authority" | ":method" | ":path" | ":scheme");
            edits.request.extend(may_be_set.then(|| action.edit(on_the_request(&name), value)));
        }
        for header in ok.response_headers_to_add {
            let (name, value, action) = mutation(header)?;
            edits.response.extend(is_end_to_end(&name).then(|| action.edit(name, value)));
        }
        let removed = ok.headers_to_remove.into_iter().map(|name| name.to_ascii_lowercase());
        edits.request.extend(removed.filter(|name| is_name(name) && name != "host").map(Edit::Remove));
        edits.request.extend(ok.query_parameters_to_set.into_iter().map(|parameter| Edit::SetParameter(parameter.key, parameter.value)));
        edits.request.extend(ok.query_parameters_to_remove.into_iter().map(Edit::RemoveParameter));
        if let (Some(name), Some(metadata)) = (&self.filter_state, ok.dynamic_metadata.or(metadata)) {
            edits.filter_state.push((name.clone(), metadata::to_json(metadata).to_string().into_bytes()));
        }
        Ok(edits)
    }

    /// The service says that it cannot say, and what the client is told then.
    fn error(&self, error: DeniedHttpResponse) -> Undecided {
        let status = error.status.map_or(0, |status| status.code);
        let mut undecided = self.failure.undecided("the service says that it cannot decide");
        if let Ok((status, headers)) = status_of(status, self.failure.status_on_error).and_then(|status| Ok((status, reply_headers(error.headers)?)))
        {
            undecided.denial = Box::new(denial(Code::of_http(status), status, headers, error.body.into_bytes()));
        }
        undecided
    }
}

/// What an answer has that cannot be used.
#[derive(Debug, thiserror::Error)]
enum Unusable {
    #[error("it has a header without a name and a value")]
    NoHeader,
    #[error("it has a header whose name is none")]
    Name,
    #[error("it has a header whose value would end it")]
    Value,
    #[error("it has append_action {0}, which there is none of")]
    Action(i32),
    #[error("it denies with status {0}, which is no status of an answer")]
    Status(i32),
}

/// What a header does to those of its name.
#[derive(Clone, Copy)]
enum Action {
    Append,
    AddIfAbsent,
    Overwrite,
    OverwriteIfPresent,
}

// === impl Action ===

impl Action {
    fn edit(self, name: String, value: Vec<u8>) -> Edit {
        match self {
            Self::Append => Edit::Append(name, value),
            Self::AddIfAbsent => Edit::AddIfAbsent(name, value),
            Self::Overwrite => Edit::Set(name, value),
            Self::OverwriteIfPresent => Edit::SetIfPresent(name, value),
        }
    }
}

/// The deprecated `append` counts where it is there.
#[expect(deprecated, reason = "services still say it")]
fn mutation(option: core::HeaderValueOption) -> Result<(String, Vec<u8>, Action), Unusable> {
    let action = match (option.append, option.append_action) {
        (Some(true), _) | (None, 0) => Action::Append,
        (Some(false), _) | (None, 2) => Action::Overwrite,
        (None, 1) => Action::AddIfAbsent,
        (None, 3) => Action::OverwriteIfPresent,
        (None, other) => return Err(Unusable::Action(other)),
    };
    let header = option.header.ok_or(Unusable::NoHeader)?;
    let name = header.key.to_ascii_lowercase();
    let value = if header.value.is_empty() { header.raw_value } else { header.value.into_bytes() };
    if !is_name(name.strip_prefix(':').unwrap_or(&name)) {
        return Err(Unusable::Name);
    }
    if is_value(&value) { Ok((name, value, action)) } else { Err(Unusable::Value) }
}

fn denied_with(code: i32, denied: DeniedHttpResponse) -> Result<Verdict, Unusable> {
    let said = denied.status.map_or(0, |status| status.code);
    let status = status_of(said, 403)?;
    // The client of gRPC gets what Envoy would make of the HTTP status, if the service has said one; else what the service has said.
    let own = u32::try_from(code).ok().and_then(Code::new).filter(|_| said == 0);
    let code = own.unwrap_or_else(|| Code::of_http(status));
    Ok(Verdict::Deny(denial(code, status, reply_headers(denied.headers)?, denied.body.into_bytes())))
}

fn status_of(said: i32, unless: u16) -> Result<u16, Unusable> {
    match u16::try_from(said) {
        Ok(0) => Ok(unless),
        Ok(status @ 200..600) => Ok(status),
        _ => Err(Unusable::Status(said)),
    }
}

/// The headers of an answer that has none yet.
fn reply_headers(options: Vec<core::HeaderValueOption>) -> Result<Vec<(String, Vec<u8>)>, Unusable> {
    let mut headers: Vec<(String, Vec<u8>)> = Vec::new();
    for option in options {
        let (name, value, action) = mutation(option)?;
        let is_there = headers.iter().any(|(known, _)| *known == name);
        let adds = match action {
            Action::Append | Action::Overwrite => true,
            Action::AddIfAbsent => !is_there,
            Action::OverwriteIfPresent => is_there,
        };
        if !adds || !is_end_to_end(&name) {
            continue;
        }
        if matches!(action, Action::Overwrite | Action::OverwriteIfPresent) {
            headers.retain(|(known, _)| *known != name);
        }
        headers.push((name, value));
    }
    Ok(headers)
}

fn peer(peer: &Peer, service: String) -> context::Peer {
    let address = peer.address.map(|address| {
        let port = core::socket_address::PortSpecifier::PortValue(address.port().into());
        let socket = core::SocketAddress { address: address.ip().to_string(), port_specifier: Some(port) };
        core::Address { address: Some(core::address::Address::SocketAddress(socket)) }
    });
    context::Peer { address, service, principal: peer.principal.clone() }
}

fn timestamp(time: SystemTime) -> Option<Timestamp> {
    let since = time.duration_since(UNIX_EPOCH).ok()?;
    Some(Timestamp { seconds: since.as_secs().try_into().ok()?, nanos: since.subsec_nanos().try_into().ok()? })
}

#[cfg(test)]
mod tests;
