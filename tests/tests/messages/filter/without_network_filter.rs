use inproxy::prelude::*;

#[filter(network)]
#[config]
struct Gate {
    realm: String,
}

fn main() {}
