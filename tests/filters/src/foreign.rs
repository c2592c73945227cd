//! Filters that use what Envoy offers beyond the ABI.

use std::{cell::Cell, fmt::Write};

use inproxy::{
    attributes::SetObjectError,
    envoy::{self, Hash, PrivateKey, Property, PropertyType, PublicKey, SignatureError, Span},
    prelude::*,
};

// ANCHOR: reroute
/// Sends `/v1/…` where the routes send `/…`, and tells the upstream which version was asked for.
#[filter(root_id = "cookbook_reroute")]
#[config]
pub struct Versions {}

impl HttpFilter for Versions {
    async fn handle(&self, mut request: Request, next: Next) -> Result<Response> {
        let path = request.path();
        if let Some(rest) = path.as_ref().and_then(|path| path.to_str()?.strip_prefix("/v1/")) {
            request.headers_mut().insert(":path", format!("/{rest}"))?;
            request.headers_mut().insert("x-version", "v1")?;
        }
        Ok(next.run(request).await)
    }
}
// ANCHOR_END: reroute

// ANCHOR: tenant
/// Sends a tenant's requests to the route that is for its tier.
#[filter(root_id = "cookbook_reroute_by_tenant")]
#[config]
pub struct Tiers {
    tiers: Cluster,
}

impl HttpFilter for Tiers {
    async fn handle(&self, mut request: Request, next: Next) -> Result<Response> {
        let Some(tenant) = request.headers().get("x-tenant") else { return Ok(next.run(request).await) };
        let tier = self.tiers.get("/tier").header("x-tenant", tenant)?.send().await?.require_success()?.into_body();
        // No client can write filter state, as it could a header.
        request.attributes().filter_state().set("tier", tier)?;
        request.clear_route_cache()?;
        Ok(next.run(request).await)
    }
}
// ANCHOR_END: tenant

/// Answers whether `x-signature` is the key's signature of `x-text`, and with the signature of its own key.
#[filter(root_id = "signatures")]
#[config]
#[derive(Debug)]
pub struct Signatures {
    public: Option<PublicKey>,
    private: Option<PrivateKey>,
}

impl HttpFilter for Signatures {
    async fn handle(&self, request: Request, _: Next) -> Result<Response> {
        let get = |name: &str| request.headers().get(name).map(|value| value.as_bytes().to_vec()).unwrap_or_default();
        let (text, signature) = (get("x-text"), from_hex(&get("x-signature")));
        let hash = match &*get("x-hash") {
            b"sha1" => Hash::Sha1,
            b"sha224" => Hash::Sha224,
            b"sha384" => Hash::Sha384,
            b"sha512" => Hash::Sha512,
            _ => Hash::Sha256,
        };
        let mut response = Response::new(StatusCode::OK);
        if let Some(key) = &self.public {
            let verdict = match key.verify(hash, &signature, &text) {
                Ok(()) => "good".to_owned(),
                Err(SignatureError::Mismatch) => "bad".to_owned(),
                Err(error) => error.to_string(),
            };
            response.headers_mut().insert("x-verdict", verdict)?;
        }
        if let Some(key) = &self.private {
            let signed = key.sign(hash, &text).map_or_else(|error| error.to_string(), |signature| to_hex(&signature));
            response.headers_mut().insert("x-signed", signed)?;
        }
        Ok(response)
    }
}

fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn from_hex(text: &[u8]) -> Vec<u8> {
    text.chunks(2).filter_map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

/// Leaves the object that `x-key` and `x-value` say, for as long as `x-span` says, and tells what became of it and what is there.
#[filter(root_id = "objects")]
#[config]
pub struct Objects {}

impl HttpFilter for Objects {
    async fn handle(&self, request: Request, next: Next) -> Result<Response> {
        let get = |name: &str| request.headers().get(name).and_then(|value| value.to_str().map(str::to_owned)).unwrap_or_default();
        let (key, value, span) = (get("x-key"), get("x-value"), get("x-span"));
        let span = match &*span {
            "request" => Span::DownstreamRequest,
            "connection" => Span::DownstreamConnection,
            _ => Span::FilterChain,
        };
        let state = request.attributes().filter_state();
        let outcome = match state.set_object(&key, &value, span) {
            Ok(()) => "set".to_owned(),
            Err(SetObjectError::UnknownKey { .. }) => "unknown key".to_owned(),
            Err(SetObjectError::BadValue { .. }) => "bad value".to_owned(),
            Err(error) => error.to_string(),
        };
        let there = state.get(&key).map_or_else(|error| error.to_string(), |bytes| bytes.escape_ascii().to_string());
        let mut response = next.run(request).await;
        response.headers_mut().insert("x-outcome", outcome)?;
        response.headers_mut().insert("x-there", there)?;
        Ok(response)
    }
}

/// Sets properties that it has declared.
#[filter(root_id = "properties")]
pub struct Properties {
    requests: Cell<u32>,
}

/// How often a property is declared.
#[config]
#[derive(Debug)]
pub struct Declare {
    #[serde(default)]
    twice: bool,
    #[serde(default)]
    name: Option<String>,
}

impl Configure for Properties {
    type Config = Declare;

    fn configure(config: Declare, plugin: &mut Plugin) -> Result<Self> {
        let once = Property::new(config.name.unwrap_or_else(|| "once".to_owned()), PropertyType::Text).read_only();
        plugin.declare_property(once.clone())?;
        if config.twice {
            plugin.declare_property(once)?;
        }
        plugin.declare_property(Property::new("session", PropertyType::Text).with_span(Span::DownstreamConnection))?;
        let type_url = "type.googleapis.com/google.protobuf.Duration".to_owned();
        plugin.declare_property(Property::new("timeout", PropertyType::Message { type_url }))?;
        Ok(Self { requests: Cell::new(0) })
    }
}

impl HttpFilter for Properties {
    async fn handle(&self, request: Request, next: Next) -> Result<Response> {
        self.requests.set(self.requests.get() + 1);
        let state = request.attributes().filter_state();
        let before = state.own("session").map_or_else(|_| "none".to_owned(), |bytes| String::from_utf8_lossy(&bytes).into_owned());
        if before == "none" {
            state.set("session", self.requests.get().to_string())?;
        }
        state.set("once", "1")?;
        let again = state.set("once", "2").map_or_else(|error| error.to_string(), |()| "set".to_owned());
        let once = String::from_utf8_lossy(&state.own("once")?).into_owned();
        let mut response = next.run(request).await;
        response.headers_mut().insert("x-session", before)?;
        response.headers_mut().insert("x-again", again)?;
        response.headers_mut().insert("x-once", once)?;
        Ok(response)
    }
}

/// Answers with its request's body, compressed, or with `x-uncompress` uncompressed to so many bytes.
#[filter(root_id = "zlib")]
#[config]
pub struct Zlib {}

impl HttpFilter for Zlib {
    async fn handle(&self, request: Request, _: Next) -> Result<Response> {
        let limit = request.headers().get("x-uncompress").and_then(|limit| limit.to_str()?.parse().ok());
        let body = request.release_headers().collect(1 << 20).await?;
        let done = match limit {
            None => envoy::compress(body.as_bytes()).map_err(|error| error.to_string()),
            Some(limit) => envoy::uncompress(body.as_bytes(), limit).map_err(|error| error.to_string()),
        };
        Ok(match done {
            Ok(bytes) => Response::new(StatusCode::OK).with_body(bytes),
            Err(error) => Response::new(StatusCode::BAD_REQUEST).with_body(error),
        })
    }
}

/// Calls the function of the proxy that `x-function` names.
#[filter(root_id = "raw")]
#[config]
pub struct Raw {}

impl HttpFilter for Raw {
    async fn handle(&self, request: Request, _: Next) -> Result<Response> {
        let get = |name: &str| request.headers().get(name).and_then(|value| value.to_str().map(str::to_owned)).unwrap_or_default();
        let answer = envoy::call(&get("x-function"), get("x-argument").as_bytes());
        Ok(Response::new(StatusCode::OK).with_body(answer.map_or_else(|error| error.to_string(), |bytes| format!("{} bytes", bytes.len()))))
    }
}
