use inproxy::{hooks::Finished, prelude::*};

#[access_logger(on_error = allow)]
#[config]
struct Tell;

impl AccessLogger for Tell {
    fn log(&self, _: Finished<'_>) {}
}

fn main() {}
