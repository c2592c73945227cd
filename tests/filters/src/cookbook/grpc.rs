//! Filters that ask gRPC services.

use std::time::Duration;

use inproxy::{
    grpc::{Code, GrpcError},
    prelude::*,
    time,
};

// ANCHOR: messages
/// `message CheckRequest { string user = 1; string path = 2; }`
#[derive(Clone, PartialEq, prost::Message)]
pub struct CheckRequest {
    /// Who asks.
    #[prost(string, tag = "1")]
    pub user: String,
    /// For what.
    #[prost(string, tag = "2")]
    pub path: String,
}

/// `message CheckResponse { string tenant = 1; }`
#[derive(Clone, PartialEq, prost::Message)]
pub struct CheckResponse {
    /// Whose the user is.
    #[prost(string, tag = "1")]
    pub tenant: String,
}
// ANCHOR_END: messages

// ANCHOR: unary
/// Asks a gRPC service whether a user may have a path.
#[filter(root_id = "cookbook_grpc_check")]
#[config]
pub struct Check {
    authority: Cluster,
}

impl HttpFilter for Check {
    async fn handle(&self, mut request: Request, next: Next) -> Result<Response> {
        let text = |value: Option<HeaderValue>| value.and_then(|value| value.to_str().map(str::to_owned)).unwrap_or_default();
        let question = CheckRequest { user: text(request.headers().get("x-user")), path: text(request.path()) };
        let call = self.authority.grpc("acme.auth.v1.Authority").call("Check", &question).timeout(Duration::from_millis(200));
        match call.send::<CheckResponse>().await {
            Ok(answer) => request.headers_mut().insert("x-tenant", answer.tenant)?,
            Err(GrpcError::Status(status)) if status.code == Code::PERMISSION_DENIED => return Ok(Response::new(StatusCode::FORBIDDEN)),
            Err(error) => {
                log::warn!("no decision: {error}");
                return Ok(Response::new(StatusCode::SERVICE_UNAVAILABLE));
            }
        }
        Ok(next.run(request).await)
    }
}
// ANCHOR_END: unary

// ANCHOR: stream
/// `message Part { bytes data = 1; }`
#[derive(Clone, PartialEq, prost::Message)]
pub struct Part {
    /// Some of a body.
    #[prost(bytes = "vec", tag = "1")]
    pub data: Vec<u8>,
}

/// `message Verdict { bool clean = 1; }`
#[derive(Clone, PartialEq, prost::Message)]
pub struct Verdict {
    /// Whether the part may go on.
    #[prost(bool, tag = "1")]
    pub clean: bool,
}

/// Has a gRPC service look at each part of an upload, over one stream: `rpc Scan(stream Part) returns (stream Verdict)`.
#[filter(root_id = "cookbook_grpc_scan")]
#[config]
pub struct GrpcScan {
    scanner: Cluster,
}

impl HttpFilter for GrpcScan {
    async fn handle(&self, request: Request, next: Next) -> Result<Response> {
        let mut stream = self.scanner.grpc("acme.scan.v1.Scanner").stream("Scan").open::<Part, Verdict>()?;
        let mut body = request.release_headers().chunks();
        while let Some(data) = body.next().await? {
            stream.send(&Part { data })?;
            // A stream has no timeout of its own.
            let verdict = time::timeout(Duration::from_secs(1), stream.next()).await??;
            if !verdict.is_some_and(|verdict| verdict.clean) {
                return Ok(Response::new(StatusCode::FORBIDDEN));
            }
        }
        stream.close()?;
        Ok(next.run(body).await)
    }
}
// ANCHOR_END: stream
