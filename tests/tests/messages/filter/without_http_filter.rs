use inproxy::prelude::*;

#[filter]
#[config]
struct Auth {
    realm: String,
}

fn main() {}
