//! Filters that try what would crash or corrupt Envoy, by any way that the SDK has.

use inproxy::{
    hooks::{Action, CallResponse, HttpCall, HttpHooks, RequestHeaders, ResponseHeaders},
    prelude::*,
};

/// Lets a message go, and thinks better of it in the same turn.
#[filter]
#[config]
#[derive(Debug)]
pub struct SecondThoughts {
    authority: Cluster,
    /// What it lets go: `request`, `response`, or `headers` of the response.
    lets_go: String,
    /// Whether it then answers, or fails.
    answers: bool,
}

impl HttpFilter for SecondThoughts {
    async fn handle(&self, request: Request, next: Next) -> Result<Response> {
        if self.lets_go == "request" {
            self.authority.get("/").send().await?;
            let mut run = Box::pin(next.run(request));
            let _ = std::future::poll_fn(|cx| std::task::Poll::Ready(run.as_mut().poll(cx))).await;
            return self.end();
        }
        let response = next.run(request).await;
        self.authority.get("/").send().await?;
        if self.lets_go == "headers" {
            let _body = response.release_headers()?;
            return self.end();
        }
        let _gone = response.let_go();
        self.end()
    }
}

impl SecondThoughts {
    fn end(&self) -> Result<Response> {
        if self.answers { Ok(Response::new(StatusCode::FORBIDDEN)) } else { Err(Error::msg("on second thoughts")) }
    }
}

/// As [`SecondThoughts`], with callbacks.
#[filter(hooks)]
#[config]
#[derive(Debug)]
pub struct HookSecondThoughts {
    authority: String,
    /// Where it asks: at the headers of the `request`, or of the `response`.
    at: String,
    answers: bool,
}

impl HookSecondThoughts {
    fn call(&self) -> HttpCall {
        let mut call = HttpCall::new(&*self.authority);
        for (name, value) in [(":method", "GET"), (":path", "/"), (":authority", "authority")] {
            call.headers_mut().insert(&HeaderName::from_static(name), &HeaderValue::from_static(value));
        }
        call
    }
}

impl HttpHooks for HookSecondThoughts {
    type Stream = ();

    fn on_request_headers(&self, (): &mut (), mut request: RequestHeaders<'_>) -> Action {
        if self.at == "request" && request.call(&self.call()).is_ok() { Action::Pause } else { Action::Continue }
    }

    fn on_response_headers(&self, (): &mut (), mut response: ResponseHeaders<'_>) -> Action {
        if self.at == "response" && response.call(&self.call()).is_ok() { Action::Pause } else { Action::Continue }
    }

    fn on_call_response(&self, (): &mut (), mut call: CallResponse<'_>) {
        for _ in 0..2 {
            call.resume_request();
            call.resume_response();
        }
        if self.answers {
            call.reply(LocalReply::new(StatusCode::FORBIDDEN));
        }
    }
}

/// Puts into the response, and behind it, what must not be there; says how often that was refused.
#[filter(waits)]
#[config]
#[derive(Debug)]
pub struct Pseudo {
    statuses: Vec<String>,
}

impl HttpFilter for Pseudo {
    async fn handle(&self, request: Request, next: Next) -> Result<Response> {
        let mut response = next.run(request).await;
        let mut headers = response.headers_mut();
        let mut refused = self.statuses.iter().filter(|status| headers.insert(":status", status.as_str()).is_err()).count();
        refused += usize::from(headers.remove(":status").is_err());
        for name in ["a\nb", "a b", "", "a:b", "\0"] {
            refused += usize::from(headers.insert(name, "v").is_err());
        }
        for value in ["a\r\nset-cookie: b", "a\nb", "a\0b"] {
            refused += usize::from(headers.insert("x-a", value).is_err());
            refused += usize::from(LocalReply::new(StatusCode::FORBIDDEN).with_header("x-a", value).is_err());
        }
        headers.insert(":status", "201")?;
        headers.insert("x-refused", refused.to_string())?;
        Ok(response)
    }
}

/// Tries to change what is behind a response's body.
#[filter]
#[config]
#[derive(Debug)]
pub struct PseudoTrailer;

impl HttpFilter for PseudoTrailer {
    async fn handle(&self, request: Request, next: Next) -> Result<Response> {
        let mut chunks = next.run(request).await.release_headers()?.chunks();
        while chunks.next().await?.is_some() {}
        if let Ok(mut trailers) = chunks.trailers_mut() {
            let refused = trailers.insert(":path", "/").is_err();
            trailers.insert("x-refused", if refused { "yes" } else { "no" })?;
        }
        Ok(chunks.into())
    }
}

/// Keeps its request, or its response, until it is dropped, and tries to do something with it then.
#[filter]
#[config]
#[derive(Debug)]
pub struct LastWill {
    authority: Cluster,
    response: bool,
}

struct Will {
    next: Option<Next>,
    request: Option<Request>,
    response: Option<Response>,
}

impl HttpFilter for LastWill {
    async fn handle(&self, request: Request, next: Next) -> Result<Response> {
        let alone = request.path().is_some_and(|path| path == "/alone");
        let mut will = Will { next: Some(next), request: Some(request), response: None };
        if alone || self.response {
            will.response = match (will.next.take(), will.request.take()) {
                (Some(next), Some(request)) => Some(next.run(request).await),
                _ => None,
            };
        }
        if !alone {
            self.authority.get("/").send().await?;
        }
        will.response.take().ok_or_else(|| Error::msg("no response"))
    }
}

impl Drop for Will {
    fn drop(&mut self) {
        if let Some(mut request) = self.request.take() {
            let edited = request.headers_mut().insert("x-will", "1").is_ok();
            log::info!("the last will of a request: edited {edited}");
            if let Some(next) = self.next.take() {
                let mut run = Box::pin(next.run(request));
                let _ = run.as_mut().poll(&mut std::task::Context::from_waker(std::task::Waker::noop()));
            }
        }
        if let Some(mut response) = self.response.take() {
            let edited = response.headers_mut().insert("x-will", "1").is_ok();
            log::info!("the last will of a response: edited {edited}");
            drop(response.let_go());
        }
    }
}

/// Fails when the last of a response has come, its trailers.
#[filter]
#[config]
#[derive(Debug)]
pub struct FailsAtTrailers;

impl HttpFilter for FailsAtTrailers {
    async fn handle(&self, request: Request, next: Next) -> Result<Response> {
        let mut chunks = next.run(request).await.release_headers()?.chunks();
        while chunks.next().await?.is_some() {}
        Err(Error::msg("at the trailers"))
    }
}
