use http::Method;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::CallRequest;
use crate::grpc::GrpcService;

/// A cluster of the proxy's configuration, by its name.
///
/// In a filter's configuration it is a string. Whether the proxy has such a cluster shows when it is called: clusters come and go while the proxy runs.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Cluster(String);

// === impl Cluster ===

impl Cluster {
    /// The cluster of this name; `None` if the name is empty.
    pub fn new(name: impl Into<String>) -> Option<Self> {
        let name = name.into();
        (!name.is_empty()).then_some(Self(name))
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.0
    }

    /// A `GET` of this path and query.
    pub fn get(&self, path: &str) -> CallRequest {
        self.request(Method::GET, path)
    }

    /// A `POST` to this path and query.
    pub fn post(&self, path: &str) -> CallRequest {
        self.request(Method::POST, path)
    }

    /// A gRPC service of this cluster, by its full name, such as `envoy.service.auth.v3.Authorization`. The cluster must speak HTTP/2.
    pub fn grpc(&self, service: impl Into<String>) -> GrpcService {
        GrpcService::new(self.clone(), service.into())
    }

    /// A call with this method, to this path and query.
    pub fn request(&self, method: Method, path: &str) -> CallRequest {
        CallRequest::new(self, &method, path)
    }
}

impl<'de> Deserialize<'de> for Cluster {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(String::deserialize(deserializer)?).ok_or_else(|| de::Error::custom("the name of a cluster must not be empty"))
    }
}

impl Serialize for Cluster {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}
