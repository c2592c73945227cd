use inproxy::{hooks::Finished, prelude::*};

#[access_logger]
#[config]
struct Tell;

impl AccessLogger for Tell {
    fn log(&self, stream: Finished<'_>) {
        stream.response_headers().insert("x-late", "yes");
    }
}

fn main() {}
