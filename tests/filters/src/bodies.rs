//! Filters that read and change bodies.

use inproxy::{http::BodyError, prelude::*};

/// Reads a body, and puts `prefix` and the body in its place.
#[filter]
#[config]
#[derive(Debug)]
pub struct Rewrite {
    /// Of the response, not of the request.
    #[serde(default)]
    response: bool,
    /// While the headers are held, which then tell its length.
    #[serde(default)]
    held: bool,
    /// Without changing it.
    #[serde(default)]
    read_only: bool,
    #[serde(default)]
    prefix: String,
    #[serde(default = "limit")]
    limit: usize,
}

impl HttpFilter for Rewrite {
    async fn handle(&self, request: Request, next: Next) -> Result<Response> {
        match (self.response, self.held) {
            (false, false) if self.read_only => {
                let body = request.release_headers().collect(self.limit).await?;
                log::info!("read {} bytes", body.as_bytes().len());
                Ok(next.run(body).await)
            }
            (false, false) => {
                let mut body = request.release_headers_to_rewrite().collect(self.limit).await?;
                body.replace(self.rewritten(body.as_bytes()))?;
                Ok(next.run(body).await)
            }
            (false, true) => {
                let mut request = request.collect(self.limit).await?;
                let rewritten = self.rewritten(request.body());
                let length = request.body().len().to_string();
                request.headers_mut().insert("x-length", length)?;
                if !self.read_only {
                    request.replace_body(rewritten)?;
                }
                Ok(next.run(request).await)
            }
            (true, false) => {
                let mut body = next.run(request).await.release_headers_to_rewrite()?.collect(self.limit).await?;
                body.replace(self.rewritten(body.as_bytes()))?;
                Ok(body.into())
            }
            (true, true) => {
                let mut response = next.run(request).await.collect(self.limit).await?;
                let rewritten = self.rewritten(response.body());
                let length = response.body().len().to_string();
                response.headers_mut().insert("x-length", length)?;
                response.replace_body(rewritten)?;
                Ok(response.into())
            }
        }
    }
}

impl Rewrite {
    fn rewritten(&self, body: &[u8]) -> Vec<u8> {
        [self.prefix.as_bytes(), body].concat()
    }
}

/// Reads a request's body, and lets everything go when it cannot.
#[filter(on_error = allow)]
#[config]
#[derive(Debug)]
pub struct ReadAllow {
    #[serde(default)]
    held: bool,
}

impl HttpFilter for ReadAllow {
    async fn handle(&self, request: Request, next: Next) -> Result<Response> {
        if self.held {
            let request = request.collect(limit()).await?;
            return Ok(next.run(request).await);
        }
        let body = request.release_headers().collect(limit()).await?;
        Ok(next.run(body).await)
    }
}

/// Reads bodies while it holds the headers, and says so.
#[filter(held)]
#[config]
#[derive(Debug)]
pub struct NeedsHeld;

impl HttpFilter for NeedsHeld {
    async fn handle(&self, request: Request, next: Next) -> Result<Response> {
        Ok(next.run(request.collect(1024).await?).await)
    }
}

/// Tells the upstream what a body begins with, after it has asked the authority if there is one; a body that begins with `no` is refused.
#[config]
#[derive(Debug)]
pub struct Look {
    limit: usize,
    authority: Option<Cluster>,
    /// Reads the whole body too, in the same way.
    #[serde(default)]
    collect: bool,
}

/// Looks at bodies, if its proxy can hold them.
#[filter]
#[derive(Debug)]
pub struct Peek(Look);

impl Configure for Peek {
    type Config = Look;

    fn configure(look: Look, plugin: &mut Plugin) -> Result<Self> {
        if plugin.can_hold_bodies() { Ok(Self(look)) } else { Err(BodyError::NotHeld.into()) }
    }
}

impl HttpFilter for Peek {
    async fn handle(&self, mut request: Request, next: Next) -> Result<Response> {
        let Self(Look { limit, authority, collect }) = self;
        let beginning = request.peek_body(*limit).await?;
        if let Some(authority) = authority {
            authority.post("/").body(beginning.as_bytes()).send().await?;
        }
        request.headers_mut().insert("x-whole", beginning.is_whole().to_string())?;
        request.headers_mut().insert("x-beginning", beginning.as_bytes())?;
        if beginning.as_bytes().starts_with(b"no") {
            return Ok(Response::new(StatusCode::FORBIDDEN));
        }
        if *collect {
            return Ok(next.run(request.collect(1 << 20).await?).await);
        }
        Ok(next.run(request).await)
    }
}

fn limit() -> usize {
    1 << 20
}
