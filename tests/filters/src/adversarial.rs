//! Filters that do what a careless or a clever author might, and must come to no harm.

use std::{
    cell::RefCell,
    future::poll_fn,
    pin::pin,
    task::{Poll, Waker},
};

use inproxy::{
    hooks::{Action, CallResponse, HttpCall, HttpHooks, RequestHeaders},
    prelude::*,
};

/// Lets the request go on while it still asks, and takes the answer back when it may not.
#[filter]
#[config]
#[derive(Debug)]
pub struct Optimistic {
    authority: Cluster,
}

impl HttpFilter for Optimistic {
    async fn handle(&self, request: Request, next: Next) -> Result<Response> {
        let mut response = pin!(next.run(request));
        let early = poll_fn(|cx| Poll::Ready(response.as_mut().poll(cx))).await;
        if early.is_ready() {
            return Err(Error::msg("a response before the request went on"));
        }
        if self.authority.get("/").send().await?.status() != StatusCode::OK {
            return Ok(Response::new(StatusCode::FORBIDDEN));
        }
        Ok(response.await)
    }
}

/// Asks, and meanwhile forgets that it waits for the response; goes on when the answer is there.
#[filter]
#[config]
#[derive(Debug)]
pub struct Forgetful {
    authority: Cluster,
}

impl HttpFilter for Forgetful {
    async fn handle(&self, request: Request, next: Next) -> Result<Response> {
        {
            let mut response = pin!(next.run(request));
            let _ = poll_fn(|cx| Poll::Ready(response.as_mut().poll(cx).is_ready())).await;
        }
        self.authority.get("/").send().await?;
        Err(Error::msg("nothing to return"))
    }
}

/// Keeps the first request, and lets it go in the turn of the second, whose own is held.
#[filter]
#[derive(Debug)]
pub struct Batch {
    authority: Cluster,
    kept: RefCell<Vec<(Request, Waker)>>,
}

/// Who is asked.
#[config]
#[derive(Debug)]
pub struct BatchConfig {
    authority: Cluster,
}

impl Configure for Batch {
    type Config = BatchConfig;

    fn configure(config: BatchConfig, _: &mut Plugin) -> Result<Self> {
        Ok(Self { authority: config.authority, kept: RefCell::default() })
    }
}

impl HttpFilter for Batch {
    async fn handle(&self, request: Request, _: Next) -> Result<Response> {
        let first = request.path().is_some_and(|path| path == "/first");
        if first {
            let mut request = Some(request);
            poll_fn::<(), _>(|cx| {
                if let Some(request) = request.take() {
                    self.kept.borrow_mut().push((request, cx.waker().clone()));
                }
                Poll::Pending
            })
            .await;
        }
        // In a callback of this stream, and then in one of its call-out.
        self.let_go();
        self.authority.get("/").send().await?;
        self.let_go();
        Ok(Response::new(StatusCode::FORBIDDEN))
    }
}

impl Batch {
    fn let_go(&self) {
        if let Some((mut request, _)) = self.kept.borrow_mut().pop() {
            let _ = request.headers_mut().remove("x-second");
            let _body = request.release_headers();
        }
    }
}

/// Sets the headers that say how long a body is, each in its way.
#[filter]
#[config]
#[derive(Debug)]
pub struct Framing {
    name: HeaderName,
    #[serde(default)]
    raw: bool,
}

impl HttpFilter for Framing {
    async fn handle(&self, mut request: Request, next: Next) -> Result<Response> {
        let name = self.name.as_str();
        if self.raw {
            let refused = request.headers_mut().insert(name, "3").is_err() && request.headers_mut().append(name, "3").is_err();
            return Ok(next.run(request).await.with_body(if refused { "refused" } else { "set" }));
        }
        request.headers_mut().insert(&self.name, HeaderValue::from(3));
        Ok(next.run(request).await)
    }
}

/// Lets a response's headers go, and then tries to have them back.
#[filter]
#[config]
#[derive(Debug)]
pub struct TooLate;

impl HttpFilter for TooLate {
    async fn handle(&self, request: Request, next: Next) -> Result<Response> {
        let body = next.run(request).await.release_headers()?.collect(1 << 20).await?;
        let mut response = Response::from(body);
        if response.headers_mut().insert("x-late", "1").is_ok() {
            return Err(Error::msg("headers that went on could be changed"));
        }
        match Response::collect(response, 1 << 20).await {
            Err(error) => log::info!("as it should be: {error}"),
            Ok(_) => return Err(Error::msg("a body could be held that went on")),
        }
        Err(Error::msg("the end of the test"))
    }
}

/// Asks without waiting, and refuses when the response is on its way; then refuses once more.
#[filter(hooks)]
#[config]
#[derive(Debug)]
pub struct LateRefusal {
    authority: String,
}

impl HttpHooks for LateRefusal {
    type Stream = u8;

    fn on_request_headers(&self, _: &mut u8, mut request: RequestHeaders<'_>) -> Action {
        for _ in 0..2 {
            let mut call = HttpCall::new(&*self.authority);
            let mut headers = call.headers_mut();
            headers.insert(&HeaderName::from_static(":method"), &HeaderValue::from_static("GET"));
            headers.insert(&HeaderName::from_static(":path"), &HeaderValue::from_static("/"));
            headers.insert(&HeaderName::from_static(":authority"), &HeaderValue::from_static("x"));
            if let Err(error) = request.call(&call) {
                log::error!("{error}");
            }
        }
        Action::Continue
    }

    fn on_call_response(&self, refusals: &mut u8, call: CallResponse<'_>) {
        *refusals += 1;
        call.reply(LocalReply::new(StatusCode::FORBIDDEN));
    }
}
