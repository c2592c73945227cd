//! Filters with a mistake that a test must find.

use inproxy::{
    hooks::{Action, HttpHooks, RequestBody, RequestHeaders, ResponseBody, ResponseHeaders},
    prelude::*,
};

/// Should add `x-hello`, and does so to `GET` only.
#[filter]
#[config]
#[derive(Debug)]
pub struct ForgetsHeader;

impl HttpFilter for ForgetsHeader {
    async fn handle(&self, request: Request, next: Next) -> Result<Response> {
        let get = request.method() == Some(inproxy::Method::GET);
        let mut response = next.run(request).await;
        if get {
            response.headers_mut().insert("x-hello", "hi")?;
        }
        Ok(response)
    }
}

/// Changes a body by callbacks, and leaves `content-length` as it was.
#[filter(hooks)]
#[config]
#[derive(Debug)]
pub struct StaleLength {
    response: bool,
}

impl HttpHooks for StaleLength {
    type Stream = ();

    fn on_request_headers(&self, _: &mut (), _: RequestHeaders<'_>) -> Action {
        Action::Continue
    }

    fn on_request_body(&self, _: &mut (), mut body: RequestBody<'_>) -> Action {
        if !self.response && body.end_of_stream() && body.buffer().replace(b"another body, and a longer one").is_err() {
            return Action::Pause;
        }
        if self.response || body.end_of_stream() { Action::Continue } else { Action::Pause }
    }

    fn on_response_headers(&self, _: &mut (), _: ResponseHeaders<'_>) -> Action {
        Action::Continue
    }

    fn on_response_body(&self, _: &mut (), mut body: ResponseBody<'_>) -> Action {
        if self.response && body.end_of_stream() && body.buffer().replace(b"another body, and a longer one").is_err() {
            return Action::Pause;
        }
        if !self.response || body.end_of_stream() { Action::Continue } else { Action::Pause }
    }
}
