//! gRPC: calls with one answer, and streams of messages in either direction or both.
//!
//! Messages are [`prost`](https://docs.rs/prost) messages, or bytes as they are ([`Raw`]). In generated code, maps should be `BTreeMap`s: a `HashMap` asks the proxy for random numbers.
//!
//! What waits for an answer waits within its request, or task; when that is over, or the call is dropped, it is cancelled. Envoy tells some failures twice, or at once: here each call has one outcome.
//! See Envoy's [gRPC services](https://www.envoyproxy.io/docs/envoy/v1.40.0/api-v3/config/core/v3/grpc_service.proto).
//!
//! # Examples
//!
//! ```
//! use std::time::Duration;
//!
//! use inproxy::{grpc::{Code, GrpcError, Raw}, prelude::*};
//!
//! async fn may_pass(authority: &Cluster, user: &HeaderValue) -> Result<bool> {
//!     let service = authority.grpc("acme.auth.v1.Authority");
//!     let call = service.call("Check", &Raw(user.as_bytes().to_vec())).metadata("x-tenant", "acme")?;
//!     match call.timeout(Duration::from_millis(200)).send::<Raw>().await {
//!         Ok(_) => Ok(true),
//!         Err(GrpcError::Status(status)) if status.code == Code::PERMISSION_DENIED => Ok(false),
//!         Err(error) => Err(error.into()),
//!     }
//! }
//! ```

mod error;
mod message;
mod stream;
mod unary;

pub use prost;

pub use self::error::{Code, GrpcError, GrpcStatus};
pub use self::message::{Message, Raw};
pub use self::stream::{GrpcStream, GrpcStreamRequest, Receiver, Sender};
pub use self::unary::GrpcCall;

use crate::{
    abi::GrpcTarget,
    call::Cluster,
    headers::{AsHeaderName, AsHeaderValue, HeaderError, HeaderList},
};

/// A gRPC service of a cluster; made by [`Cluster::grpc`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct GrpcService {
    cluster: Cluster,
    name: String,
}

/// What every call has.
#[derive(Clone, Debug)]
struct Head {
    service: GrpcService,
    method: String,
    metadata: HeaderList,
}

// === impl GrpcService ===

impl GrpcService {
    pub(crate) const fn new(cluster: Cluster, name: String) -> Self {
        Self { cluster, name }
    }

    /// A call of a method with one message, which is answered by one.
    pub fn call(&self, method: &str, message: &impl Message) -> GrpcCall {
        GrpcCall::new(self.head(method), message.to_bytes())
    }

    /// A call of a method with any number of messages, which is answered by any number of them.
    pub fn stream(&self, method: &str) -> GrpcStreamRequest {
        GrpcStreamRequest::new(self.head(method))
    }

    fn head(&self, method: &str) -> Head {
        Head { service: self.clone(), method: method.to_owned(), metadata: HeaderList::default() }
    }
}

// === impl Head ===

impl Head {
    fn append(&mut self, name: impl AsHeaderName, value: impl AsHeaderValue) -> Result<(), HeaderError> {
        self.metadata.append(name, value)
    }

    fn with_target<T>(&self, run: impl FnOnce(GrpcTarget<'_>) -> T) -> T {
        let metadata: Vec<_> = self.metadata.iter().collect();
        run(GrpcTarget { cluster: self.service.cluster.name(), service: &self.service.name, method: &self.method, metadata: &metadata })
    }
}
