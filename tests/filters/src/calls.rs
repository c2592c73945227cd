//! Filters that ask before they let pass.

use std::time::Duration;

use inproxy::{call::CallError, prelude::*};

/// Asks an authority, with the path as it is, and lets a request pass on 200. Errors are told as a status of their own each.
#[filter]
#[config]
#[derive(Debug)]
pub struct AskFirst {
    authority: Cluster,
    #[serde(default = "second")]
    timeout_ms: u64,
    /// Reads the body, with the headers gone on or held, after the answer.
    #[serde(default)]
    then: Then,
}

/// What is done with a request that may pass.
#[config]
#[derive(Debug, Default)]
pub enum Then {
    /// It goes on.
    #[default]
    Pass,
    /// Its body is rewritten after the headers went on.
    Portable,
    /// Its body is rewritten while the headers are held.
    Held,
}

impl HttpFilter for AskFirst {
    async fn handle(&self, request: Request, next: Next) -> Result<Response> {
        let mut call = self.authority.get("/ask").timeout(Duration::from_millis(self.timeout_ms));
        for value in request.headers().get_all("x-ask") {
            call = call.header("x-ask", value)?;
        }
        let answer = match call.send().await {
            Ok(answer) => answer,
            Err(error) => {
                log::warn!("the authority: {error}");
                let status = match error {
                    CallError::UnknownCluster { .. } => 521,
                    CallError::Refused { .. } => 522,
                    CallError::TimedOut { .. } => 524,
                    CallError::CutOff { .. } => 523,
                    _ => 520,
                };
                return Ok(Response::new(StatusCode::from_u16(status)?).with_body(error.to_string()));
            }
        };
        if answer.status() != StatusCode::OK {
            return Ok(Response::new(StatusCode::FORBIDDEN).with_body(answer.into_body()));
        }
        match self.then {
            Then::Pass => Ok(next.run(request).await),
            Then::Portable => {
                let mut body = request.release_headers_to_rewrite().collect(LIMIT).await?;
                body.replace(body.as_bytes().to_ascii_uppercase())?;
                Ok(next.run(body).await)
            }
            Then::Held => {
                let mut request = request.collect(LIMIT).await?;
                let shout = request.body().to_ascii_uppercase();
                request.replace_body(shout)?;
                Ok(next.run(request).await)
            }
        }
    }
}

/// In bytes.
const LIMIT: usize = 1 << 20;

fn second() -> u64 {
    1000
}

/// Asks twice, one after the other, then asks again about the response.
#[filter]
#[config]
#[derive(Debug)]
pub struct AskOften {
    authority: Cluster,
}

impl HttpFilter for AskOften {
    async fn handle(&self, mut request: Request, next: Next) -> Result<Response> {
        let first = self.authority.get("/1").send().await?;
        request.headers_mut().insert("x-first", first.body())?;
        let second = self.authority.post("/2").body(first.into_body()).send().await?;
        request.headers_mut().insert("x-second", second.body())?;
        let mut response = next.run(request).await;
        let third = self.authority.get("/3").send().await?;
        response.headers_mut().insert("x-third", third.body())?;
        Ok(response)
    }
}
