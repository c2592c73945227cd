//! Filters that ask before they let pass.

use std::time::Duration;

use inproxy::{
    call::{CallError, Retry},
    future::{self, Either},
    prelude::*,
};

/// Asks an authority, with the path as it is, and lets a request pass on 200. Errors are told as a status of their own each.
#[filter]
#[config]
#[derive(Debug)]
pub struct AskFirst {
    authority: Cluster,
    #[serde(default = "second")]
    timeout_ms: u64,
    /// How large the body of the answer may be.
    max_body: Option<usize>,
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
        if let Some(bytes) = self.max_body {
            call = call.max_body(bytes);
        }
        for value in request.headers().get_all("x-ask") {
            call = call.header("x-ask", value)?;
        }
        let answer = match call.send().await {
            Ok(answer) => answer,
            Err(error) => {
                log::warn!("the authority: {error}");
                let status = match error {
                    CallError::UnknownCluster { .. } => 521,
                    CallError::NoEndpoint { .. } => 522,
                    CallError::Refused { .. } => 525,
                    CallError::Reset { .. } => 526,
                    CallError::TimedOut { .. } => 524,
                    CallError::CutOff { .. } => 523,
                    CallError::TooLarge { .. } => 527,
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

/// Asks two services at once, and waits for both or for the first.
#[filter(root_id = "ask_both")]
#[config]
#[derive(Debug)]
pub struct AskBoth {
    one: Cluster,
    other: Cluster,
    #[serde(default)]
    first: bool,
}

impl HttpFilter for AskBoth {
    async fn handle(&self, request: Request, next: Next) -> Result<Response> {
        let one = self.one.get("/one").send();
        let other = self.other.get("/other").send();
        let told = if self.first {
            match future::select(one, other).await {
                Either::Left((one, _)) => one?.into_body(),
                Either::Right((other, _)) => other?.into_body(),
            }
        } else {
            let (one, other) = future::try_join(one, other).await?;
            [one.body(), b"+", other.body()].concat()
        };
        let mut response = next.run(request).await;
        response.headers_mut().insert("x-told", told)?;
        Ok(response)
    }
}

/// Asks a service, again if need be, and tells what came of it.
#[filter(root_id = "ask_again")]
#[config]
#[derive(Debug)]
pub struct AskAgain {
    service: Cluster,
    times: u32,
    #[serde(default)]
    post: bool,
}

impl HttpFilter for AskAgain {
    async fn handle(&self, request: Request, next: Next) -> Result<Response> {
        let call = if self.post { self.service.post("/") } else { self.service.get("/") };
        let call = call.timeout(Duration::from_millis(100)).trailer("x-trailer", "t")?;
        let retry = Retry::times(self.times).backoff(Duration::from_millis(5), Duration::from_millis(20));
        let outcome = match call.retry(retry).send().await.and_then(|answer| answer.require_success()) {
            Ok(answer) => {
                let trailer = answer.trailers().get("x-sum").map(|sum| String::from_utf8_lossy(sum.as_bytes()).into_owned());
                format!("{} {}", answer.status().as_u16(), trailer.unwrap_or_default())
            }
            Err(error) => error.to_string(),
        };
        let mut response = next.run(request).await;
        response.headers_mut().insert("x-outcome", outcome.trim())?;
        Ok(response)
    }
}
