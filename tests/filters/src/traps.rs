//! Filters that panic.

use inproxy::{
    hooks::{Action, CallResponse, HttpCall, HttpHooks, RequestHeaders},
    prelude::*,
};

/// Panics when the answer to a call-out comes, while the request is held.
#[filter]
#[config]
#[derive(Debug)]
pub struct TrapAfterCall {
    authority: Cluster,
}

impl HttpFilter for TrapAfterCall {
    async fn handle(&self, request: Request, next: Next) -> Result<Response> {
        if request.path().is_some_and(|path| path == "/safe") {
            return Ok(next.run(request).await);
        }
        self.authority.get("/").send().await?;
        trap()
    }
}

#[expect(clippy::panic, reason = "what the test is about")]
fn trap<T>() -> T {
    panic!("on purpose")
}

/// Panics in a callback of its own.
#[filter(hooks)]
#[config]
#[derive(Debug)]
pub struct TrapInHook;

impl HttpHooks for TrapInHook {
    type Stream = ();

    fn on_request_headers(&self, _: &mut (), mut request: RequestHeaders<'_>) -> Action {
        // Reached by no test: it keeps the call-out's callback in the module.
        if request.headers().contains("x-never") {
            let _ = request.call(&HttpCall::new("nobody"));
        }
        trap()
    }

    fn on_call_response(&self, _: &mut (), _: CallResponse<'_>) {}
}

/// Panics when it is configured.
#[filter]
#[derive(Debug)]
pub struct TrapInConfigure;

/// Nothing to configure.
#[config]
#[derive(Debug)]
pub struct Nothing;

impl Configure for TrapInConfigure {
    type Config = Nothing;

    fn configure(_: Nothing, _: &mut Plugin) -> Result<Self> {
        trap()
    }
}

impl HttpFilter for TrapInConfigure {
    async fn handle(&self, request: Request, next: Next) -> Result<Response> {
        Ok(next.run(request).await)
    }
}

/// Panics when a request is for `/trap`; else marks the response.
#[filter]
#[config]
#[derive(Debug)]
pub struct TrapWhenTold;

impl HttpFilter for TrapWhenTold {
    async fn handle(&self, request: Request, next: Next) -> Result<Response> {
        if request.path().is_some_and(|path| path == "/trap") {
            trap::<()>();
        }
        let mut response = next.run(request).await;
        response.headers_mut().insert("x-filter", "alive")?;
        Ok(response)
    }
}
