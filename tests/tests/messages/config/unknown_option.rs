use inproxy::prelude::*;

#[config(strict)]
struct Settings {
    realm: String,
}

fn main() {}
