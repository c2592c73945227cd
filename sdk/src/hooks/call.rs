use std::time::Duration;

use crate::{abi, error::HostError, headers::HeaderList};

/// A call-out to send, as the proxy takes it: see [Envoy's call-outs](https://github.com/proxy-wasm/spec/tree/main/abi-versions/v0.2.1#proxy_http_call).
#[derive(Clone, Debug)]
pub struct HttpCall {
    pub(crate) cluster: String,
    pub(crate) headers: HeaderList,
    pub(crate) body: Vec<u8>,
    pub(crate) trailers: HeaderList,
    pub(crate) timeout: Duration,
}

/// Tells the answers of several call-outs apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallToken(pub(crate) u32);

// === impl HttpCall ===

impl HttpCall {
    /// What Envoy can wait for at the most.
    const LONGEST: u32 = i32::MAX as u32;

    /// A call to a cluster of the proxy. `:method`, `:path` and `:authority` must be among the headers.
    pub fn new(cluster: impl Into<String>) -> Self {
        Self {
            cluster: cluster.into(),
            headers: HeaderList::default(),
            body: Vec::new(),
            trailers: HeaderList::default(),
            timeout: Duration::from_secs(5),
        }
    }

    /// The headers, for changes.
    pub fn headers_mut(&mut self) -> crate::headers::HeadersMut<'_> {
        crate::headers::HeadersMut::in_list(&mut self.headers)
    }

    /// The trailers, for changes. A service that speaks HTTP/1.1 gets them only if Envoy is told to send them.
    pub fn trailers_mut(&mut self) -> crate::headers::HeadersMut<'_> {
        crate::headers::HeadersMut::in_list(&mut self.trailers)
    }

    /// Sets the body.
    #[must_use]
    pub fn with_body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// How long the proxy waits for the answer, in whole milliseconds, at least one. Five seconds unless set.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sends it on behalf of the context whose callback runs. The proxy copies all of it.
    pub(crate) fn dispatch(&self) -> Result<CallToken, HostError> {
        let (headers, trailers): (Vec<_>, Vec<_>) = (self.headers.iter().collect(), self.trailers.iter().collect());
        // Zero would mean to wait without end.
        let timeout = u32::try_from(self.timeout.as_millis()).unwrap_or(Self::LONGEST).clamp(1, Self::LONGEST);
        abi::http_call(&self.cluster, &headers, &self.body, &trailers, timeout)
            .map(CallToken)
            .map_err(|status| HostError::new("send a call-out", status))
    }
}

/// What can be read of an answer by whoever has its `token` and its `sizes`.
macro_rules! answered {
    () => {
        /// Which call-out it is.
        pub fn token(&self) -> CallToken {
            self.token
        }

        /// Whether there is no answer: it was cut off. Other failures are answers that Envoy makes up, with status 503 or 504.
        pub fn failed(&self) -> bool {
            self.sizes.headers == 0
        }

        /// The headers of the answer.
        pub fn headers(&self) -> Headers<'_> {
            Headers::new(Source::Proxy(MapType::HttpCallResponseHeaders))
        }

        /// The body of the answer.
        ///
        /// # Errors
        ///
        /// [`HostError`] if the proxy refuses.
        pub fn body(&self) -> crate::Result<Vec<u8>> {
            BodyBuffer::new(BufferType::HttpCallResponseBody, self.sizes.body).read()
        }
    };
}

pub(super) use answered;
