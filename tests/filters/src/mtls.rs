//! Who is behind a client's certificate: what `docs/cookbook/mtls-identity.md` shows.

use std::collections::BTreeSet;

use inproxy::{attributes::Optional, prelude::*};

// ANCHOR: spiffe
/// Lets only these workloads pass, by the SPIFFE ids of their certificates, and tells the upstream which it is.
#[filter(root_id = "cookbook_spiffe")]
#[config]
pub struct Allowlist {
    allow: BTreeSet<String>,
}

impl HttpFilter for Allowlist {
    async fn handle(&self, mut request: Request, next: Next) -> Result<Response> {
        let id = request.connection().peer_certificate().uri_san().optional()?;
        let Some(id) = id.filter(|id| self.allow.contains(id)) else {
            log::info!("refused {:?}", request.connection().peer_certificate().subject().optional()?);
            return Ok(Response::new(StatusCode::FORBIDDEN));
        };
        request.headers_mut().insert("x-client-id", id)?;
        Ok(next.run(request).await)
    }
}
// ANCHOR_END: spiffe
