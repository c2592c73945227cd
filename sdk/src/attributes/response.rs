use std::time::Duration;

use http::StatusCode;

use super::{AttributeError, Attributes, ResponseFlags, decode, path};

/// Attributes of a [response](https://www.envoyproxy.io/docs/envoy/v1.40.0/intro/arch_overview/advanced/attributes#response-attributes).
///
/// From the response's headers on. Before, [`flags`](Self::flags) are empty and the sizes are 0.
///
/// # Examples
///
/// ```
/// use inproxy::{attributes::AttributeError, prelude::*};
///
/// /// Whether the answer is the upstream's, and not one that the proxy or another filter gives.
/// fn is_of_the_upstream(response: &Response) -> Result<bool, AttributeError> {
///     Ok(response.attributes().response().code_details()? == "via_upstream")
/// }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct ResponseAttributes<'a>(Attributes<'a>);

// === impl ResponseAttributes ===

impl<'a> ResponseAttributes<'a> {
    pub(super) const fn new(attributes: Attributes<'a>) -> Self {
        Self(attributes)
    }
}

/// # Errors
///
/// All answer [`AttributeError`].
impl ResponseAttributes<'_> {
    /// The status.
    pub fn code(&self) -> Result<StatusCode, AttributeError> {
        self.0.decoded("response\0code", decode::status)
    }

    /// Who answered, and why: `via_upstream`, or one of Envoy's [response code details](https://www.envoyproxy.io/docs/envoy/v1.40.0/configuration/http/http_conn_man/response_code_details).
    pub fn code_details(&self) -> Result<String, AttributeError> {
        self.0.decoded("response\0code_details", decode::text)
    }

    /// What went wrong on the way, if something did.
    pub fn flags(&self) -> Result<ResponseFlags, AttributeError> {
        self.0.decoded("response\0flags", |bytes| decode::uint(bytes).map(ResponseFlags::from_bits))
    }

    /// The [gRPC status](https://grpc.io/docs/guides/status-codes/), which for other answers Envoy makes up from the HTTP status: 200 is 2, "unknown".
    pub fn grpc_status(&self) -> Result<u32, AttributeError> {
        self.0.decoded("response\0grpc_status", decode::count)
    }

    /// All values of a header, with commas between them.
    pub fn header(&self, name: &str) -> Result<String, AttributeError> {
        self.0.decoded(path::join("response\0headers", &name.to_ascii_lowercase())?, decode::text)
    }

    /// All values of a trailer, with commas between them. Once the trailers are there.
    pub fn trailer(&self, name: &str) -> Result<String, AttributeError> {
        self.0.decoded(path::join("response\0trailers", &name.to_ascii_lowercase())?, decode::text)
    }

    /// The size of its headers in bytes.
    pub fn headers_bytes(&self) -> Result<u64, AttributeError> {
        self.0.decoded("response\0headers_bytes", decode::unsigned)
    }

    /// How much of its body has gone to the client, in bytes; all of it once the stream is over.
    pub fn size(&self) -> Result<u64, AttributeError> {
        self.0.decoded("response\0size", decode::unsigned)
    }

    /// Headers, body and trailers together, in bytes, as far as they are there.
    pub fn total_size(&self) -> Result<u64, AttributeError> {
        self.0.decoded("response\0total_size", decode::unsigned)
    }

    /// From the first byte that went to the upstream to the last byte that came back: once all of the response has come.
    pub fn backend_latency(&self) -> Result<Duration, AttributeError> {
        self.0.decoded("response\0backend_latency", decode::duration)
    }
}
