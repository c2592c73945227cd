use inproxy::prelude::*;

#[config]
struct Settings<'a> {
    realm: &'a str,
}

fn main() {}
