use http::StatusCode;

use crate::{
    Error,
    abi::{self, Status},
    error::HostError,
    headers::{AsHeaderName, AsHeaderValue, Check, Edited, HeaderList, HeadersMut, not_framing},
};

/// An answer that the filter itself gives: what Envoy calls a
/// [local reply](https://www.envoyproxy.io/docs/envoy/v1.40.0/configuration/http/http_conn_man/local_reply).
///
/// To a gRPC request Envoy sends it as a trailers-only response with status 200: [`grpc_status`](Self::with_grpc_status), else one derived from the
/// HTTP status, and the body as its message.
#[derive(Clone, Debug)]
pub struct LocalReply {
    status: StatusCode,
    headers: HeaderList,
    body: Vec<u8>,
    details: String,
    grpc_status: Option<u32>,
}

// === impl LocalReply ===

impl LocalReply {
    /// An empty answer with this status.
    ///
    /// It must be one that ends a request, 200 to 599: the proxy would put any other on the wire as it is. An answer with another status is not sent, nor one with a body and a status that has none, 204 or
    /// 304; the filter fails instead, as if it had returned an error.
    pub fn new(status: StatusCode) -> Self {
        Self { status, headers: HeaderList::default(), body: Vec::new(), details: String::new(), grpc_status: None }
    }

    /// The answer to a request whose filter has failed.
    pub(crate) fn filter_error() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR).with_details("inproxy_filter_error")
    }

    /// Sets the body. Envoy adds `content-length`, and `content-type: text/plain` unless another is given.
    #[must_use]
    pub fn with_body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Adds a header, behind those of the same name.
    ///
    /// # Errors
    ///
    /// Only if name or value is raw and invalid; see [`HeadersMut`].
    pub fn with_header<N: AsHeaderName, V: AsHeaderValue>(mut self, name: N, value: V) -> Edited<N, V, Self> {
        let outcome = name.to_name().and_then(|name| not_framing(&name)).and_then(|()| self.headers.append(name, value)).map_err(Into::into);
        <<N::Check as Check>::And<V::Check>>::settle(self, outcome)
    }

    /// Sets what access logs show as
    /// [`%RESPONSE_CODE_DETAILS%`](https://www.envoyproxy.io/docs/envoy/v1.40.0/configuration/http/http_conn_man/response_code_details); white space
    /// becomes underscores.
    #[must_use]
    pub fn with_details(mut self, details: impl Into<String>) -> Self {
        self.details = details.into();
        self
    }

    /// Sets the status that a gRPC client sees.
    #[must_use]
    pub fn with_grpc_status(mut self, status: u32) -> Self {
        self.grpc_status = Some(status);
        self
    }

    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    pub(crate) fn header_list(&self) -> &HeaderList {
        &self.headers
    }

    /// The headers, for changes.
    pub fn headers_mut(&mut self) -> HeadersMut<'_> {
        HeadersMut::in_list(&mut self.headers)
    }

    /// Answers the effective stream. The proxy sends it when the running callback has returned.
    pub(crate) fn send(&self) -> Result<(), Error> {
        let status = self.status.as_u16();
        if !(200..600).contains(&status) {
            return Err(Error::msg(format!("a local reply must have a status from 200 to 599, not {status}")));
        }
        if matches!(status, 204 | 304) && !self.body.is_empty() {
            return Err(Error::msg(format!("a local reply with status {status} has no body: the client would take it for the next response")));
        }
        let headers = abi::encode_pairs(self.headers.iter());
        let grpc_status = self.grpc_status.and_then(|status| i32::try_from(status).ok()).unwrap_or(-1);
        abi::send_local_response(status, self.details.as_bytes(), &self.body, &headers, grpc_status).map_err(refused)
    }
}

fn refused(status: Status) -> Error {
    HostError::new("send a local reply", status).into()
}
