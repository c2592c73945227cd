//! A filter that waits for one thing of each kind, and tells whether it came to its end or was dropped.

use std::{
    cell::{Cell, RefCell},
    future::poll_fn,
    task::{Poll, Waker},
    time::Duration,
};

use inproxy::{
    call::CallError,
    grpc::{GrpcError, Raw},
    prelude::*,
    queue::Queue,
    task::SingleFlight,
    time,
};

/// Waits for what the last segment of the path names: `/before/…` before the request goes on, `/after/…` before the response does, `/timeout/…` as before, but not for long.
#[filter(root_id = "cancelling")]
#[derive(Debug)]
pub struct Cancelling {
    settings: Settings,
    queue: Queue,
    flights: SingleFlight<String, Result<(), CallError>>,
    bell: RefCell<Vec<Waker>>,
    rung: Cell<u32>,
}

/// Whom [`Cancelling`] asks.
#[config]
#[derive(Debug)]
pub struct Settings {
    service: Cluster,
    grpc: Cluster,
    queue: String,
    version: String,
    /// How long `sleep` sleeps.
    sleep_ms: u64,
}

/// Tells when it is dropped before its time.
struct Waiting(Option<String>);

impl Drop for Waiting {
    fn drop(&mut self) {
        if let Some(path) = &self.0 {
            log::info!("gone: {path}");
        }
    }
}

impl Configure for Cancelling {
    type Config = Settings;

    fn configure(settings: Settings, _: &mut Plugin) -> Result<Self> {
        let queue = Queue::register(&settings.queue)?;
        Ok(Self { settings, queue, flights: SingleFlight::new(), bell: RefCell::default(), rung: Cell::new(0) })
    }
}

impl Cancelling {
    /// Waits for one thing of a kind.
    async fn wait(&self, kind: &str, path: &str) -> Result<()> {
        let mut waiting = Waiting(Some(path.to_owned()));
        match kind {
            "call" => drop(self.settings.service.get("/").send().await?),
            "grpc" => drop(self.settings.grpc.grpc("acme.Late").call("Get", &Raw::default()).send::<Raw>().await?),
            "stream" => {
                let mut stream = self.settings.grpc.grpc("acme.Late").stream("Get").open::<Raw, Raw>()?;
                stream.close()?;
                match stream.next().await {
                    Ok(_) | Err(GrpcError::Status(_)) => {}
                    Err(error) => return Err(error.into()),
                }
            }
            "sleep" => time::sleep(Duration::from_millis(self.settings.sleep_ms)).await,
            "queue" => {
                // Of several VMs only one is told of messages: the others look again.
                while time::timeout(Duration::from_millis(30), self.queue.receive()).await.is_err() {}
            }
            "flight" => {
                let service = self.settings.service.clone();
                let ask = move || async move { service.get("/").send().await.map(drop) };
                self.flights.run(path.to_owned(), ask).await??;
            }
            "other" => {
                let before = self.rung.get();
                poll_fn(|cx| {
                    if self.rung.get() > before {
                        return Poll::Ready(());
                    }
                    self.bell.borrow_mut().push(cx.waker().clone());
                    Poll::Pending
                })
                .await;
            }
            other => return Err(Error::msg(format!("there is no kind {other:?}"))),
        }
        waiting.0 = None;
        Ok(())
    }

    /// As [`wait`](Self::wait), for a request that may also be read, or let go.
    async fn wait_with(&self, kind: &str, path: &str, request: Request, next: Next) -> Result<Response> {
        let mut waiting = Waiting(Some(path.to_owned()));
        let response = match kind {
            "collect" => next.run(request.release_headers().collect(1000).await?).await,
            "chunk" => {
                let mut chunks = request.release_headers().chunks();
                while chunks.next().await?.is_some() {}
                next.run(chunks).await
            }
            "response" => next.run(request).await,
            kind => {
                waiting.0 = None;
                self.wait(kind, path).await?;
                next.run(request).await
            }
        };
        waiting.0 = None;
        Ok(response)
    }
}

impl HttpFilter for Cancelling {
    async fn handle(&self, request: Request, next: Next) -> Result<Response> {
        let path = request.path().map(|path| String::from_utf8_lossy(path.as_bytes()).into_owned()).unwrap_or_default();
        let (when, kind) = path.trim_start_matches('/').split_once('/').unwrap_or_default();
        let mut response = match when {
            "before" => self.wait_with(kind, &path, request, next).await?,
            "timeout" => match time::timeout(Duration::from_millis(40), self.wait_with(kind, &path, request, next)).await {
                Ok(response) => response?,
                Err(_) => Response::new(StatusCode::REQUEST_TIMEOUT),
            },
            "after" => {
                let response = next.run(request).await;
                match kind {
                    "collect" | "chunk" => {
                        let mut waiting = Waiting(Some(path.clone()));
                        let response = read(response, kind).await?;
                        waiting.0 = None;
                        return Ok(response);
                    }
                    _ => self.wait(kind, &path).await?,
                }
                response
            }
            "ring" => {
                self.queue.enqueue(b"ring")?;
                self.rung.set(self.rung.get() + 1);
                self.bell.take().into_iter().for_each(Waker::wake);
                next.run(request).await
            }
            "trap" => trap(),
            _ => next.run(request).await,
        };
        response.headers_mut().insert("x-version", self.settings.version.as_str())?;
        Ok(response)
    }
}

async fn read(response: Response, kind: &str) -> Result<Response> {
    let body = response.release_headers()?;
    if kind == "collect" {
        return Ok(body.collect(1000).await?.into());
    }
    let mut chunks = body.chunks();
    while chunks.next().await?.is_some() {}
    Ok(chunks.into())
}

#[expect(clippy::panic, reason = "what the test is about")]
fn trap<T>() -> T {
    panic!("on purpose")
}
