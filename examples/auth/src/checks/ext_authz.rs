//! External authorization, as [Envoy's `ext_authz` filter](https://www.envoyproxy.io/docs/envoy/v1.40.0/configuration/http/http_filters/ext_authz_filter) does it: what a service is asked, over HTTP or gRPC, and what its answer means.

mod decisions;
mod failure;
pub(crate) mod grpc;
pub(crate) mod http;
mod names;
mod proto;
mod told;

pub(crate) use self::decisions::{Decisions, Key};
pub(crate) use self::failure::Failure;
pub(crate) use self::names::{Names, NotAName};
pub(crate) use self::told::{Body, Peer, Told};
