use inproxy::{
    hooks::{Action, ResponseHeaders},
    prelude::*,
};

fn on_response_headers(response: ResponseHeaders<'_>) -> Action {
    response.reply(LocalReply::new(StatusCode::FORBIDDEN));
    response.reply(LocalReply::new(StatusCode::UNAUTHORIZED))
}

fn main() {}
