use inproxy::{
    hooks::{Action, RequestHeaders},
    prelude::*,
};

fn on_request_headers(request: RequestHeaders<'_>) -> Action {
    request.reply(LocalReply::new(StatusCode::FORBIDDEN));
    request.reply(LocalReply::new(StatusCode::UNAUTHORIZED))
}

fn main() {}
