//! Checks one header, sets one request header, adds one response header: in callbacks.

use inproxy::{
    hooks::{Action, HttpHooks, RequestHeaders, ResponseHeaders},
    prelude::*,
};

const KEY: HeaderName = HeaderName::from_static("x-key");
const CHECKED: HeaderName = HeaderName::from_static("x-checked");
const SERVED: HeaderName = HeaderName::from_static("x-served");
const YES: HeaderValue = HeaderValue::from_static("yes");

/// The filter.
#[filter(root_id = "check_hooks", hooks(request_headers, response_headers))]
#[config]
pub struct Check;

impl HttpHooks for Check {
    type Stream = ();

    fn on_request_headers(&self, _: &mut (), mut request: RequestHeaders<'_>) -> Action {
        if request.headers().get(&KEY).is_none_or(|key| key != "secret") {
            return request.reply(LocalReply::new(StatusCode::FORBIDDEN));
        }
        request.headers_mut().insert(&CHECKED, &YES);
        Action::Continue
    }

    fn on_response_headers(&self, _: &mut (), mut response: ResponseHeaders<'_>) -> Action {
        response.headers_mut().append(&SERVED, &YES);
        Action::Continue
    }
}
