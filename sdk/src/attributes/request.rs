use std::time::{Duration, SystemTime};

use http::Method;

use super::{AttributeError, Attributes, decode, path};

/// Attributes of a [request](https://www.envoyproxy.io/docs/envoy/v1.40.0/intro/arch_overview/advanced/attributes#request-attributes).
///
/// Those that are headers ([`path`](Self::path), [`method`](Self::method), [`host`](Self::host), [`id`](Self::id), …) can be read while the request's headers are there, and again once the stream is over; not from a response.
/// Text that is not UTF-8 is [`AttributeError::Malformed`] here; [`headers`](crate::Request::headers) has the bytes.
///
/// # Examples
///
/// ```
/// # use inproxy::{attributes::AttributeError, prelude::*};
/// fn log_line(request: &Request) -> Result<String, AttributeError> {
///     let request = request.attributes().request();
///     Ok(format!("{} {}{} {}", request.method()?, request.host()?, request.url_path()?, request.protocol()?))
/// }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct RequestAttributes<'a>(Attributes<'a>);

// === impl RequestAttributes ===

impl<'a> RequestAttributes<'a> {
    pub(super) const fn new(attributes: Attributes<'a>) -> Self {
        Self(attributes)
    }
}

/// # Errors
///
/// All answer [`AttributeError`].
impl RequestAttributes<'_> {
    /// Path and query, as `:path`.
    pub fn path(&self) -> Result<String, AttributeError> {
        self.0.decoded("request\0path", decode::text)
    }

    /// The path without the query.
    pub fn url_path(&self) -> Result<String, AttributeError> {
        self.0.decoded("request\0url_path", decode::text)
    }

    /// The query without its `?`; empty if there is none.
    pub fn query(&self) -> Result<String, AttributeError> {
        self.0.decoded("request\0query", decode::text)
    }

    /// The host that the client asked for, with its port if it named one.
    pub fn host(&self) -> Result<String, AttributeError> {
        self.0.decoded("request\0host", decode::text)
    }

    /// `http` or `https`.
    pub fn scheme(&self) -> Result<String, AttributeError> {
        self.0.decoded("request\0scheme", decode::text)
    }

    /// The method.
    pub fn method(&self) -> Result<Method, AttributeError> {
        self.0.decoded("request\0method", decode::method)
    }

    /// All values of a header, with commas between them.
    pub fn header(&self, name: &str) -> Result<String, AttributeError> {
        self.0.decoded(path::join("request\0headers", &name.to_ascii_lowercase())?, decode::text)
    }

    /// The `referer`.
    pub fn referer(&self) -> Result<String, AttributeError> {
        self.0.decoded("request\0referer", decode::text)
    }

    /// The `user-agent`.
    pub fn useragent(&self) -> Result<String, AttributeError> {
        self.0.decoded("request\0useragent", decode::text)
    }

    /// When the proxy received its first byte, by the wall clock. In all phases.
    pub fn time(&self) -> Result<SystemTime, AttributeError> {
        self.0.decoded("request\0time", decode::time)
    }

    /// The `x-request-id`.
    pub fn id(&self) -> Result<String, AttributeError> {
        self.0.decoded("request\0id", decode::text)
    }

    /// `HTTP/1.0`, `HTTP/1.1`, `HTTP/2` or `HTTP/3`. In all phases.
    pub fn protocol(&self) -> Result<String, AttributeError> {
        self.0.decoded("request\0protocol", decode::text)
    }

    /// From its first byte to the end of the stream. Once the stream is over.
    pub fn duration(&self) -> Result<Duration, AttributeError> {
        self.0.decoded("request\0duration", decode::duration)
    }

    /// The size of its headers in bytes; 0 while they cannot be read.
    pub fn headers_bytes(&self) -> Result<u64, AttributeError> {
        self.0.decoded("request\0headers_bytes", decode::unsigned)
    }

    /// The size of its body in bytes: what `content-length` says, else what has come so far. In all phases.
    pub fn size(&self) -> Result<u64, AttributeError> {
        self.0.decoded("request\0size", decode::unsigned)
    }

    /// Headers and body together, in bytes, as far as they are there.
    pub fn total_size(&self) -> Result<u64, AttributeError> {
        self.0.decoded("request\0total_size", decode::unsigned)
    }
}
