use inproxy::prelude::*;

#[access_logger]
#[config]
struct Tell;

fn main() {}
