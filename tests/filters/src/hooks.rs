//! A filter by callbacks.

use std::time::Duration;

use inproxy::{
    hooks::{Action, CallResponse, Finished, HttpCall, HttpHooks, RequestHeaders, ResponseHeaders},
    prelude::*,
};

/// The same as `AskFirst`, by callbacks, with the defaults for bodies and trailers.
#[filter(hooks)]
#[config]
#[derive(Debug)]
pub struct HookAsk {
    authority: String,
}

/// What a stream remembers.
#[derive(Debug, Default)]
pub struct Asked {
    verdict: Option<StatusCode>,
}

impl HttpHooks for HookAsk {
    type Stream = Asked;

    fn on_request_headers(&self, _: &mut Asked, mut request: RequestHeaders<'_>) -> Action {
        let mut call = HttpCall::new(&*self.authority).with_timeout(Duration::from_secs(1));
        let mut headers = call.headers_mut();
        headers.insert(&HeaderName::from_static(":method"), &HeaderValue::from_static("GET"));
        headers.insert(&HeaderName::from_static(":path"), &HeaderValue::from_static("/ask"));
        headers.insert(&HeaderName::from_static(":authority"), &HeaderValue::from_static("authority"));
        match request.call(&call) {
            Ok(_) => Action::Pause,
            Err(error) => {
                log::warn!("{error}");
                request.reply(LocalReply::new(StatusCode::SERVICE_UNAVAILABLE))
            }
        }
    }

    fn on_call_response(&self, asked: &mut Asked, mut call: CallResponse<'_>) {
        let status = call.headers().get(":status").and_then(|status| StatusCode::from_bytes(status.as_bytes()).ok());
        asked.verdict = status;
        if status == Some(StatusCode::OK) {
            let _ = call.request_headers().insert("x-hook", "asked");
            call.resume_request();
        } else {
            call.reply(LocalReply::new(StatusCode::FORBIDDEN));
        }
    }

    fn on_response_headers(&self, asked: &mut Asked, mut response: ResponseHeaders<'_>) -> Action {
        if asked.verdict.is_some() {
            response.headers_mut().insert(&HeaderName::from_static("x-hook"), &HeaderValue::from_static("answered"));
        }
        Action::Continue
    }

    fn on_log(&self, asked: &mut Asked, finished: Finished<'_>) {
        let path = finished.request_headers().get(":path");
        log::info!("finished {path:?}, verdict {:?}, replied {}", asked.verdict, finished.replied());
    }
}
