use inproxy::{hooks::Finished, prelude::*};

fn on_log(finished: Finished<'_>) {
    finished.reply(LocalReply::new(StatusCode::FORBIDDEN));
}

fn main() {}
