use inproxy::prelude::*;

#[config(schema)]
struct Settings {
    realm: String,
}

fn main() {}
