//! Filters that read and change bodies as they go by.

use std::{cell::Cell, rc::Rc, time::Duration};

use inproxy::{
    future,
    http::{BodyError, Chunks, MapChunk, Rewrite, Side},
    prelude::*,
    task, time,
};

/// Changes bodies as they go by.
#[filter(root_id = "mapping")]
#[config]
#[derive(Debug)]
pub struct Mapping {
    #[serde(default)]
    request: bool,
    #[serde(default)]
    response: bool,
    /// Fails at a part that has this text.
    #[serde(default)]
    fails_at: String,
    /// Goes on behind the body.
    #[serde(default)]
    end: String,
    /// Asked before anything is changed.
    #[serde(default)]
    ask: Option<Cluster>,
}

struct Shout {
    fails_at: String,
    end: String,
}

impl MapChunk for Shout {
    fn chunk(&mut self, bytes: Vec<u8>) -> Result<Vec<u8>> {
        let at = self.fails_at.as_bytes();
        if !at.is_empty() && bytes.windows(at.len()).any(|window| window == at) {
            return Err(Error::msg("a part that cannot be changed"));
        }
        Ok(bytes.to_ascii_uppercase())
    }

    fn end(&mut self) -> Result<Vec<u8>> {
        Ok(self.end.clone().into_bytes())
    }
}

impl HttpFilter for Mapping {
    async fn handle(&self, request: Request, next: Next) -> Result<Response> {
        if let Some(ask) = &self.ask {
            ask.get("/").send().await?;
        }
        let shout = || Shout { fails_at: self.fails_at.clone(), end: self.end.clone() };
        let response = match self.request {
            true => next.run(request.release_headers_to_rewrite().map_chunks(shout())).await,
            false => next.run(request).await,
        };
        if !self.response {
            return Ok(response);
        }
        if let Some(ask) = &self.ask {
            ask.get("/").send().await?;
        }
        Ok(response.release_headers_to_rewrite()?.map_chunks(shout()).into())
    }
}

/// Reads bodies part by part, and waits for a service at each, if it has one to ask.
#[filter(root_id = "parts")]
#[config]
#[derive(Debug)]
pub struct Parts {
    #[serde(default)]
    ask: Option<Cluster>,
    /// Whether it is the response's body, and not the request's.
    #[serde(default)]
    response: bool,
    /// Leaves every other part as it is.
    #[serde(default)]
    every_other: bool,
    /// Goes on behind the body.
    #[serde(default)]
    append: String,
    /// Stops reading after so many parts; the rest goes on as it is.
    #[serde(default)]
    only: Option<usize>,
}

impl Parts {
    async fn change<S: Side>(&self, body: &mut Chunks<S, Rewrite>, has_body: bool) -> Result<()> {
        let mut count = 0;
        let mut read = 0;
        while self.only.is_none_or(|only| count < only) {
            let Some(part) = body.next().await? else { break };
            if let Some(ask) = &self.ask {
                ask.get("/").send().await?;
            }
            count += 1;
            read += part.len();
            if !self.every_other || count % 2 == 1 {
                body.replace(part.to_ascii_uppercase());
            }
        }
        log::info!("{count} parts, {read} bytes");
        if self.only.is_none() {
            if has_body && !self.append.is_empty() {
                body.append(self.append.as_bytes())?;
            }
            if let Ok(mut trailers) = body.trailers_mut() {
                trailers.insert("x-bytes", read.to_string())?;
            }
        }
        Ok(())
    }
}

impl HttpFilter for Parts {
    async fn handle(&self, request: Request, next: Next) -> Result<Response> {
        if self.response {
            let response = next.run(request).await;
            let has_body = response.has_body();
            let mut body = response.release_headers_to_rewrite()?.chunks();
            self.change(&mut body, has_body).await?;
            return Ok(body.into());
        }
        let has_body = request.has_body();
        let mut body = request.release_headers_to_rewrite().chunks();
        self.change(&mut body, has_body).await?;
        Ok(next.run(body).await)
    }
}

/// Reads the request's body while the response is under way.
#[filter(root_id = "duplex")]
#[config]
#[derive(Debug)]
pub struct Duplex;

impl HttpFilter for Duplex {
    async fn handle(&self, request: Request, next: Next) -> Result<Response> {
        let mut body = request.release_headers_to_rewrite().chunks();
        let response = next.response(&body);
        let request = async {
            let mut read = 0;
            while let Some(part) = body.next().await? {
                read += part.len();
                body.replace(part.to_ascii_uppercase());
            }
            body.finish();
            Ok::<_, BodyError>(read)
        };
        // The response goes on as soon as it is there; what is left of the request is read meanwhile.
        let response = async {
            let response = response.await;
            response.release_headers_to_rewrite().map(|body| body.map_chunks(|part: Vec<u8>| [b"<", &*part, b">"].concat()))
        };
        let (response, read) = future::join(response, request).await;
        log::info!("read {} bytes", read?);
        Ok(response?.into())
    }
}

/// Says how the request's body is to be changed, and then asks a service before it lets the request go on.
#[filter(root_id = "mapping_late")]
#[config]
#[derive(Debug)]
pub struct MappingLate {
    ask: Cluster,
}

impl HttpFilter for MappingLate {
    async fn handle(&self, request: Request, next: Next) -> Result<Response> {
        let request = request.release_headers_to_rewrite().map_chunks(Shout { fails_at: "secret".to_owned(), end: "!".to_owned() });
        self.ask.get("/").send().await?;
        Ok(next.run(request).await)
    }
}

/// Reads the request's body while the response is under way, and asks a service at each part.
#[filter(root_id = "slow_duplex")]
#[config]
#[derive(Debug)]
pub struct SlowDuplex {
    ask: Cluster,
}

impl HttpFilter for SlowDuplex {
    async fn handle(&self, request: Request, next: Next) -> Result<Response> {
        let mut body = request.release_headers().chunks();
        let response = next.response(&body);
        let reading = async {
            while body.next().await?.is_some() {
                self.ask.get("/").send().await?;
            }
            body.finish();
            Ok::<_, Error>(())
        };
        let (response, read) = future::join(response, reading).await;
        read?;
        Ok(response)
    }
}

/// Gives its request to a task, which says that the body is to be rewritten, and takes it back.
#[filter(root_id = "smuggler")]
#[config]
#[derive(Debug)]
pub struct Smuggler {
    #[serde(default)]
    map: bool,
}

impl HttpFilter for Smuggler {
    async fn handle(&self, request: Request, next: Next) -> Result<Response> {
        let there: Rc<Cell<Option<Request>>> = Rc::new(Cell::new(Some(request)));
        let back = Rc::new(Cell::new(None));
        let (from, to) = (Rc::clone(&there), Rc::clone(&back));
        task::spawn(async move {
            to.set(from.take().map(Request::release_headers_to_rewrite));
        });
        time::sleep(Duration::from_millis(20)).await;
        let Some(body) = back.take() else { return Err(Error::msg("the task has not run")) };
        if self.map {
            return Ok(next.run(body.map_chunks(|part: Vec<u8>| [&*part, b" and more than was said"].concat())).await);
        }
        let mut body = body.chunks();
        while let Some(part) = body.next().await? {
            body.replace([&*part, b" and more than was said"].concat());
        }
        Ok(next.run(body).await)
    }
}

/// As [`Smuggler`], and lets what fails go by.
#[filter(root_id = "lax_smuggler", on_error = allow)]
#[config]
#[derive(Debug)]
pub struct LaxSmuggler {
    #[serde(flatten)]
    strict: Smuggler,
}

impl HttpFilter for LaxSmuggler {
    async fn handle(&self, request: Request, next: Next) -> Result<Response> {
        self.strict.handle(request, next).await
    }
}

/// Changes a response after a service was asked, while the response is under way, and returns it some time after that.
#[filter(root_id = "mapping_under_way")]
#[config]
#[derive(Debug)]
pub struct MappingUnderWay {
    ask: Cluster,
    return_after_ms: u64,
}

impl HttpFilter for MappingUnderWay {
    async fn handle(&self, request: Request, next: Next) -> Result<Response> {
        let response = next.run(request).await.release_headers_to_rewrite()?;
        self.ask.get("/").send().await?;
        let response = response.map_chunks(|part: Vec<u8>| [b"<", &*part, b">"].concat());
        if self.return_after_ms > 0 {
            time::sleep(Duration::from_millis(self.return_after_ms)).await;
        }
        Ok(response.into())
    }
}

/// Reads both bodies at once, the request's slowly.
#[filter(root_id = "slow_both_ways")]
#[config]
#[derive(Debug)]
pub struct SlowBothWays;

impl HttpFilter for SlowBothWays {
    async fn handle(&self, request: Request, next: Next) -> Result<Response> {
        let mut body = request.release_headers().chunks();
        let response = next.response(&body);
        let reading = async {
            while body.next().await?.is_some() {
                time::sleep(Duration::from_millis(300)).await;
            }
            body.finish();
            Ok::<_, BodyError>(())
        };
        let answering = async {
            let mut body = response.await.release_headers()?.chunks();
            while body.next().await?.is_some() {}
            Ok::<_, BodyError>(body)
        };
        let (response, read) = future::join(answering, reading).await;
        read?;
        Ok(response?.into())
    }
}
