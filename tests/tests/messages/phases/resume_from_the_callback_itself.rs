use inproxy::hooks::{Action, RequestHeaders};

fn on_request_headers(mut request: RequestHeaders<'_>) -> Action {
    let _ = request.resume_request();
    Action::Continue
}

fn main() {}
